"""Without weight decay: float32, float64, and the gradient orthogonal to the weights."""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from effective_theory import Dataset, ModularOperation
from effective_theory.figures import Picture
from validation.experiments.experiment import Experiment, Findings, Run
from validation.experiments.trainings import thinned, trained, usual_measures
from validation.systems.settings import OneLayerSettings

if TYPE_CHECKING:
    from validation.training.loop import NetworkRun

#: Number type, and whether gradients are orthogonal to the weights.
_VARIANTS = {
    "float32": ("float32", False),
    "float64": ("float64", False),
    "orthogonal": ("float32", True),
}


def measure(run: Run) -> Findings:
    """Train the three and compare their last states."""
    p, settings = (
        31,
        OneLayerSettings(
            lr=3e-3,
            weight_decay=0.0,
            dimension=64,
            hidden=256,
            evaluate_every=20,
            stop_when="never",
        ),
    )
    if run.quick:
        p, settings = 11, dataclasses.replace(settings, steps=40)
    dataset = Dataset.split(ModularOperation("x+y", p), rng=0, train_fraction=0.5)
    runs = {
        name: trained(
            run,
            name,
            dataclasses.replace(settings, orthogonal_gradient=orthogonal),
            dataset,
            measures=usual_measures(dataset, ("collapsed_share", "weight_norm")),
            dtype=dtype,
        )
        for name, (dtype, orthogonal) in _VARIANTS.items()
    }
    last = {
        name: {column: float(values[-1]) for column, values in each.curve.items()}
        for name, each in runs.items()
    }
    collapsed = {name: values["collapsed_share"] for name, values in last.items()}
    strict = {name: float(each.curve["strict_test_accuracy"].max()) for name, each in runs.items()}
    holds = collapsed["float32"] > 0.5 and strict["float32"] < 0.1 and strict["orthogonal"] >= 0.5
    told = ", ".join(
        f"{name}: collapsed {collapsed[name]:.2f}, best strict test {strict[name]:.3f}, best plain "
        f"{runs[name].curve['plain_test_accuracy'].max():.3f}"
        for name in runs
    )
    return Findings(
        verdict=run.verdict(holds),
        measured=told,
        numbers={"last": last, "curves": {name: thinned(each) for name, each in runs.items()}},
        figures=(("Strict test accuracy and collapsed share", _picture(runs)),),
    )


def _picture(runs: "dict[str, NetworkRun]") -> Picture:
    figure = Picture(figsize=(8, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, sharex=True)
    for name, run in runs.items():
        updates = np.maximum(run.curve["update"], 1)
        left.plot(updates, run.curve["strict_test_accuracy"], label=name)
        right.plot(updates, run.curve["collapsed_share"], label=name)
    left.set(ylabel="strict test accuracy", xlabel="updates", xscale="log", ylim=(-0.02, 1.02))
    right.set(ylabel="share of samples with softmax exactly 1", xlabel="updates")
    left.legend(frameon=False)
    return figure


EXPERIMENT = Experiment(
    name="softmax-collapse",
    claim="without weight decay float32 training stops silently as the softmax becomes exactly 1; "
    "a gradient orthogonal to the weights generalises without decay",
    source="Prieto et al. 2025",
    settings="one-layer transformer, d 64, 4 heads, 256 ReLU units, p = 31, half of the ordered "
    "pairs, AdamW 3e-3 without decay, 8000 updates, seed 0",
    bound="in float32 more than half of the training samples have collapsed and strict test stays "
    "below 0.1; with the orthogonal gradient strict test reaches 0.5",
    measure=measure,
    quick="p = 11, 40 updates",
)
