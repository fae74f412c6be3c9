"""Quadratic networks leave the kernel regime after they have fit their training set."""

import dataclasses
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from effective_theory import Dataset, ModularOperation
from effective_theory.figures import Picture
from validation.experiments.experiment import Experiment, Findings, Run
from validation.experiments.kernel_regime.drift_panels import draw_drifts, put_legend
from validation.experiments.outcomes import or_none
from validation.experiments.trainings import thinned, trained
from validation.systems.settings import QuadraticSettings

if TYPE_CHECKING:
    from validation.training.loop import NetworkRun

_LAZY = QuadraticSettings(
    init_scale=8.0, steps=6000, evaluate_every=40, train_threshold=1.0, test_threshold=0.9,
    stop_when="never",
)  # fmt: skip
#: Name: settings and number of seeds.
_VARIANTS: dict[str, tuple[QuadraticSettings, int]] = {
    "Adam": (_LAZY, 5),
    "normalised GD": (
        dataclasses.replace(
            _LAZY, optimiser="normalised_gd", lr=1.0, steps=10_000, evaluate_every=10
        ),
        4,
    ),
    "Adam, naive gradient": (dataclasses.replace(_LAZY, exact_tail=False), 1),
    "sign descent": (dataclasses.replace(_LAZY, optimiser="sign"), 1),
    "sign descent, decay 1": (dataclasses.replace(_LAZY, optimiser="sign", weight_decay=1.0), 1),
    "AdamW, decay 1": (dataclasses.replace(_LAZY, optimiser="adamw", weight_decay=1.0), 1),
}


_ACCURACIES = {
    "train_accuracy": ("train", "C0-"),
    "plain_test_accuracy": ("test", "C1-"),
    "strict_test_accuracy": ("strict", "C1:"),
}


def split(p: int, seed: int) -> Dataset:
    """Return 70 % of all pairs for training."""
    return Dataset.split(ModularOperation("x+y", p), rng=seed, train_fraction=0.7)


def trainings(run: Run) -> "dict[str, list[NetworkRun]]":
    """Return the trainings of each variant, one for each seed."""
    from validation.kernel_regime.measures import drift_measures

    found: dict[str, list[NetworkRun]] = {}
    for name, (settings, seeds) in _VARIANTS.items():
        p, chosen = 23, settings
        if run.quick:
            p, seeds = 11, 1
            chosen = dataclasses.replace(settings, width=88, steps=20 * settings.evaluate_every)
        file = name.replace(", ", "-").replace(" ", "-").lower()
        for seed in range(seeds):
            dataset = split(p, seed)
            each = trained(
                run, f"{file}-{seed}", chosen, dataset, dtype="float64", seed=seed,
                measures=partial(drift_measures, dataset=dataset),
            )  # fmt: skip
            found.setdefault(name, []).append(each)
    return found


def moments(run: "NetworkRun") -> dict[str, Any]:
    """Return what is known of a training when the training set is fit, and at the end."""
    curve, fit = run.curve, run.crossings.train_step
    columns = (*("plain_test_accuracy", "strict_test_accuracy"), "kernel_drift", "kernel_turned")

    def at(place: int) -> dict[str, float | None]:
        return {name: or_none(curve[name][place]) for name in columns}

    places = {} if fit is None else {"at the fit": int(np.searchsorted(curve["update"], fit))}
    return {
        "fit": fit,
        "test_step": run.crossings.plain_test_step,
        "strict_test_step": run.crossings.test_step,
        **{name: at(place) for name, place in (places | {"at the end": -1}).items()},
    }


def _holds(each: dict[str, Any], *, fit: int, test: int, turns: float) -> bool:
    """Return whether a training was lazy when it fit, and left that regime to generalise."""
    if each["fit"] is None or each["fit"] > fit:
        return False
    then, end = each["at the fit"], each["at the end"]
    return bool(
        each["test_step"] is not None
        and each["test_step"] <= test
        and then["plain_test_accuracy"] <= 0.05
        and then["kernel_drift"] <= 0.15
        and then["kernel_drift"] <= end["kernel_drift"] / 10
        and end["kernel_turned"] >= turns * then["kernel_turned"]
    )


def measure(run: Run) -> Findings:
    """Train all, and look at the kernel when the training set is fit and at the end."""
    runs = trainings(run)
    found = {name: [moments(each) for each in some] for name, some in runs.items()}
    escapes = all(_holds(each, fit=400, test=6000, turns=5) for each in found["Adam"])
    published = all(_holds(each, fit=150, test=10_000, turns=20) for each in found["normalised GD"])
    controls = {name: found[name][0]["test_step"] for name in list(_VARIANTS)[2:]}
    as_expected = [step is None for step in controls.values()] == [True, True, False, False]
    holds = escapes and published and as_expected
    return Findings(
        verdict=run.verdict(holds),
        measured="; ".join(_told(name, some) for name, some in found.items()),
        numbers={
            "moments": found,
            "curves": {name: thinned(some[0]) for name, some in runs.items()},
        },
        figures=(("Accuracies and the two drifts of the kernel, seed 0", _picture(runs)),),
    )


def _told(name: str, some: list[dict[str, Any]]) -> str:
    steps = ", ".join(f"{each['fit']}/{each['test_step']}" for each in some)
    first = some[0]
    then = first.get("at the fit", first["at the end"])
    return (
        f"{name}: fit/test 0.9 at {steps}, drift {then['kernel_drift']:.2g} to "
        f"{first['at the end']['kernel_drift']:.2g}, turned {then['kernel_turned']:.2g} to "
        f"{first['at the end']['kernel_turned']:.2g}"
    )


def _picture(runs: "dict[str, list[NetworkRun]]") -> Picture:
    figure = Picture(figsize=(12, 6), layout="constrained")
    for axes, (name, some) in zip(figure.subplots(2, 3).flat, runs.items(), strict=True):
        lines = draw_drifts(axes, name, some[0].curve, _ACCURACIES)
    put_legend(figure, lines)
    return figure


EXPERIMENT = Experiment(
    name="mohamadi-escape",
    claim="the empirical kernel hardly moves until the training set is fit and then moves by "
    "orders of magnitude, as the network generalises",
    source="Mohamadi et al. 2024, figures 1 and 2",
    settings="p = 23, width 184, 70 % of the ordered pairs, init scale 8, cross-entropy with exact "
    "tail, float64, full batch: Adam 1e-3, 6000 updates, seeds 0 to 4; normalised GD of step 1, "
    "10 000, seeds 0 to 3; controls, seed 0: naive gradient, sign descent without and with decay "
    "1, AdamW with decay 1",
    bound="all seeds: train 1.0 by 400 (normalised GD: 150), test then at most .05, drift at most "
    ".15 and a tenth of the end's, 1 - cos grows 5 (20) times, test .9 by 6000 (10 000); of the "
    "controls the naive gradient and sign descent without decay do not reach test .9, the others "
    "do",
    measure=measure,
    quick="p = 11, one seed, 20 evaluations",
)
