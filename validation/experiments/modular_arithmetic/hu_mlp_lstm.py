"""Hu's MLP and LSTM at three training fractions, with and without weight decay."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from effective_theory import ModularOperation
from effective_theory.figures import Picture
from phase_diagrams import PhaseDiagram, SweepSpec
from validation.experiments.experiment import Experiment, Findings, Run
from validation.experiments.plain_test import plain_test_rows
from validation.systems.settings import LSTMSettings, MLPSettings, NetworkSettings

_FRACTIONS = (0.30, 0.50, 0.75)
#: The published settings have none; AdamW with the transformers' weight decay beside them.
_WITH_DECAY: Mapping[str, Any] = {"optimiser": "adamw", "weight_decay": 1.0}
_MLP = MLPSettings(steps=2000, evaluate_every=20, train_threshold=0.9, test_threshold=0.9)
_LSTM = LSTMSettings(
    steps=5000, evaluate_every=50, train_threshold=0.8, test_threshold=0.95, stop_when="never"
)
_MOST_APART = 500


def variants(settings: NetworkSettings) -> dict[str, NetworkSettings]:
    """Return what is trained of a network, without and with decay, by name."""
    inputs: list[dict[str, Any]] = [{}]
    if isinstance(settings, MLPSettings):
        inputs = [{"inputs": "concatenated"}, {"inputs": "summed"}]
    return {
        ", ".join([*each.values(), "decay 1" if decay else "no decay"]): dataclasses.replace(
            settings, **each, **decay
        )
        for each in inputs
        for decay in ({}, _WITH_DECAY)
    }


def swept(run: Run, name: str, settings: NetworkSettings) -> dict[str, PhaseDiagram]:
    """Return a diagram over the training fractions for each variant."""
    p = 97
    if run.quick:
        p, settings = 11, dataclasses.replace(settings, steps=2 * settings.evaluate_every)
    axes = {"train_fraction": _FRACTIONS}
    return {
        variant: run.swept(
            SweepSpec(ModularOperation("x+y", p), axes, each, seeds=(0,)),
            f"{name}-{variant.replace(', ', '-').replace(' ', '-')}",
        )
        for variant, each in variants(settings).items()
    }


def measure_mlp(run: Run) -> Findings:
    """Compare the updates at which train and plain test accuracy are at 0.9."""
    rows = {k: plain_test_rows(each) for k, each in swept(run, "hu-mlp", _MLP).items()}
    together = {
        variant: all(
            row["train_step"] is not None
            and row["plain_test_step"] is not None
            and abs(row["plain_test_step"] - row["train_step"]) <= _MOST_APART
            for row in each
        )
        for variant, each in rows.items()
    }
    holds = any(together[variant] for variant in together if variant.endswith("no decay"))
    return _findings(rows, run.verdict(holds))


def measure_lstm(run: Run) -> Findings:
    """Look at the best accuracies."""
    rows = {k: plain_test_rows(each) for k, each in swept(run, "hu-lstm", _LSTM).items()}
    published = rows["no decay"]
    as_said = any(
        row["best_train_accuracy"] >= 0.8 and 0.5 <= row["best_plain_test_accuracy"] <= 0.8
        for row in published
    )
    holds = as_said and all(row["plain_test_step"] is None for row in published)
    return _findings(rows, run.verdict(holds))


def _findings(rows: dict[str, list[dict[str, Any]]], verdict: Any) -> Findings:
    told = "; ".join(
        f"{variant}: "
        + ", ".join(
            f"{row['best_train_accuracy']:.2f} {row['best_plain_test_accuracy']:.2f} "
            f"{row['best_test_accuracy']:.2f}"
            for row in each
        )
        for variant, each in rows.items()
    )
    return Findings(
        verdict=verdict,
        measured=f"best train, plain test and strict test accuracy at .3, .5, .75: {told}",
        numbers={"rows": rows},
        figures=(("Best accuracies by training fraction", _picture(rows)),),
    )


def _picture(rows: dict[str, list[dict[str, Any]]]) -> Picture:
    figure = Picture(figsize=(3 * len(rows), 3.2), layout="constrained")
    panels = figure.subplots(1, len(rows), sharey=True, squeeze=False)[0]
    names = {"train": "best_train", "plain test": "best_plain_test", "strict test": "best_test"}
    for axes, (variant, each) in zip(panels, rows.items(), strict=True):
        for label, name in names.items():
            axes.plot(_FRACTIONS, [row[f"{name}_accuracy"] for row in each], "o-", label=label)
        axes.plot(_FRACTIONS, _FRACTIONS, color="#888888", linestyle=":", label="mirrors alone")
        axes.set(title=variant, xlabel="training fraction", ylim=(-0.02, 1.02))
    panels[0].set_ylabel("best accuracy")
    panels[0].legend(frameon=False, fontsize="small")
    return figure


_TASK = "(x + y) mod 97, full batch, fractions .3, .5 and .75, seed 0"
MLP = Experiment(
    name="hu-mlp",
    claim="the MLP's train and test accuracy rise together",
    source="Hu, Zhou and Yu",
    settings=f"2 x 512 ReLU units, Adam 1e-3 without decay and AdamW 1e-3 with decay 1, one-hots "
    f"concatenated or summed, {_TASK}, budget 2000",
    bound="without decay, with one of the encodings: train and plain test accuracy reach 0.9 at "
    f"each fraction, at most {_MOST_APART} updates apart",
    measure=measure_mlp,
    quick="p = 11, two evaluations",
)
LSTM = Experiment(
    name="hu-lstm",
    claim="the LSTM reaches a train accuracy of some .9 and a test accuracy of some .65, and does "
    "not grok",
    source="Hu, Zhou and Yu",
    settings=f"hidden 20, Adam 1e-2 without decay and AdamW 1e-2 with decay 1, {_TASK}, 5000 "
    "updates",
    bound="without decay, at one of the fractions: best train accuracy at least 0.8 and best plain "
    "test accuracy 0.5 to 0.8; at none a plain test accuracy of 0.95",
    measure=measure_lstm,
    quick="p = 11, two evaluations",
)
