"""Liu's transformer: circles in its embeddings and their effective dimension over time."""

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from effective_theory import Dataset, ModularOperation
from effective_theory.figures import Picture
from validation.experiments.experiment import Experiment, Findings, Run
from validation.experiments.trainings import thinned, trained, usual_measures
from validation.systems.settings import LiuSettings

if TYPE_CHECKING:
    from validation.training.loop import NetworkRun

_MEASURES = ("circle_r_squared", "circle_radius_spread", "effective_dimension", "top_2_power")
#: What is trained: the paper's width, where the embeddings have no weight decay, and a narrow one
#: with decay on everything.
_SETTINGS = {
    "d256": LiuSettings(
        lr=1e-3, weight_decay=1.0, embedding_scale=0.05, evaluate_every=20, steps=2000,
        train_threshold=0.99, test_threshold=0.99, stop_when="never",
    ),
    "d64": LiuSettings(
        lr=1e-3, weight_decay=1.0, embedding_weight_decay=1.0, embedding_scale=0.05,
        dimension=64, hidden=64, evaluate_every=20, steps=6000, train_threshold=0.99,
        test_threshold=0.99, stop_when="never",
    ),
}  # fmt: skip


def trainings(run: Run) -> "dict[str, NetworkRun]":
    """Return both trainings."""
    p = 11 if run.quick else 53
    dataset = Dataset.split(ModularOperation("x+y", p), rng=0, train_fraction=0.8)
    found = {}
    for name, settings in _SETTINGS.items():
        chosen = settings
        if run.quick:
            chosen = dataclasses.replace(settings, dimension=16, hidden=16, steps=40)
        found[name] = trained(
            run, name, chosen, dataset, measures=usual_measures(dataset, _MEASURES)
        )
    return found


def at_moments(run: "NetworkRun") -> dict[str, dict[str, float | None]]:
    """Return the measures before, at and after the strict test accuracy is at its threshold."""
    updates, step = run.curve["update"], run.crossings.test_step
    moments = {"at 0": 0.0, "at the end": updates[-1]}
    if step is not None:
        moments |= {"half-way to it": step / 2, "at generalisation": float(step)}
    return {
        moment: {
            name: float(run.curve[name][int(np.searchsorted(updates, update))])
            for name in (*_MEASURES, "strict_test_accuracy", "plain_test_accuracy")
        }
        for moment, update in moments.items()
    }


def measure_circle(run: Run) -> Findings:
    """Look for circles when the test accuracy is at 0.99."""
    runs = trainings(run)
    moments = {name: at_moments(each) for name, each in runs.items()}
    when = {name: each.get("at generalisation") for name, each in moments.items()}
    found = {
        name: None if each is None else each["circle_r_squared"] for name, each in when.items()
    }
    holds = all(value is not None and value >= 0.9 for value in found.values())
    ends = {name: each["at the end"]["circle_r_squared"] for name, each in moments.items()}
    return Findings(
        verdict=run.verdict(holds),
        measured=", ".join(
            f"{name}: strict test 0.99 at {runs[name].crossings.test_step}, circle R^2 then "
            f"{_told(found[name])}, at the end {_told(ends[name])}"
            for name in runs
        ),
        numbers={"moments": moments, "curves": {k: thinned(each) for k, each in runs.items()}},
        figures=(("Strict test accuracy, circle and dimension", _picture(runs)),),
    )


def measure_dimension(run: Run) -> Findings:
    """Compare the largest effective dimension after the start with that at generalisation."""
    runs = trainings(run)
    told, holds, numbers = [], True, {}
    for name, each in runs.items():
        curve, step = each.curve, each.crossings.test_step
        peak = int(curve["update"][int(curve["effective_dimension"].argmax())])
        last = float(curve["effective_dimension"][-1])
        top = float(curve["effective_dimension"].max())
        near = step is not None and 0.5 * step <= peak <= 2 * step
        holds = holds and near and last < 0.8 * top
        told.append(
            f"{name}: largest {top:.1f} at update {peak}, at the end {last:.1f}, strict test 0.99 "
            f"at {step}"
        )
        numbers[name] = {"peak": peak, "largest": top, "last": last, "test_step": step}
    return Findings(
        verdict=run.verdict(holds),
        measured=", ".join(told),
        numbers={**numbers, "curves": {name: thinned(each) for name, each in runs.items()}},
        figures=(("Strict test accuracy, circle and dimension", _picture(runs)),),
    )


def _told(value: Any) -> str:
    return "not reached" if value is None else f"{value:.2f}"


def _picture(runs: "dict[str, NetworkRun]") -> Picture:
    figure = Picture(figsize=(9, 3.4), layout="constrained")
    for axes, (name, run) in zip(figure.subplots(1, len(runs)), runs.items(), strict=True):
        updates = run.curve["update"]
        axes.plot(updates, run.curve["strict_test_accuracy"], label="strict test accuracy")
        axes.plot(updates, run.curve["circle_r_squared"], label="circle $R^2$")
        axes.set(title=name, xlabel="updates", ylim=(-0.02, 1.02))
        other = axes.twinx()
        other.plot(updates, run.curve["effective_dimension"], color="#444444", linestyle=":")
        other.set_ylabel("effective dimension (dotted)")
        axes.legend(frameon=False, fontsize="small", loc="center right")
    return figure


_WHAT = (
    "Liu's transformer on (x + y) mod 53, 80 % of the ordered pairs, full batch, AdamW 1e-3, "
    "decoder decay 1, initial embeddings of scale 0.05: d 256 without decay of the embeddings, "
    "2000 updates; d 64 with decay of everything, 6000; seed 0"
)
CIRCLE = Experiment(
    name="liu-transformer-circle",
    claim="when the transformer generalises its embeddings form a circle in two principal "
    "components",
    source="Liu et al. 2022, section 4.2",
    settings=_WHAT,
    bound="circle R^2 of at least 0.9 in both widths at the update with strict test accuracy 0.99",
    measure=measure_circle,
    quick="p = 11, d 16, 40 updates",
)
DIMENSION = Experiment(
    name="liu-effective-dimension",
    claim="the embeddings' effective dimension peaks at generalisation and then falls",
    source="Liu et al. 2022, section 4.2",
    settings=_WHAT,
    bound="in both widths the largest value lies between half and twice the update with strict "
    "test accuracy 0.99, and the last one is below 0.8 of it",
    measure=measure_dimension,
    quick="p = 11, d 16, 40 updates",
)
