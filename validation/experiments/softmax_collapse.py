"""Without weight decay: float32, float64, and the gradient orthogonal to the weights."""

from typing import TYPE_CHECKING, Any

import numpy as np

from effective_theory import Dataset, ModularOperation
from effective_theory.figures import Picture
from validation.experiments.experiment import Experiment, Findings, Run
from validation.training.optimisation import Optimisation
from validation.training.plan import Plan

if TYPE_CHECKING:
    from validation.training.loop import NetworkRun

#: Number type, and whether gradients are orthogonal to the weights.
_VARIANTS = {
    "float32": ("float32", False),
    "float64": ("float64", False),
    "orthogonal": ("float32", True),
}


def trained(name: str, run: Run) -> "NetworkRun":
    """Train one variant, on from its checkpoint."""
    import torch

    from validation.measures.of_networks import network_measures
    from validation.networks.one_layer_transformer import OneLayerTransformer
    from validation.training.loop import begun, train_network

    dtype, orthogonal = _VARIANTS[name]
    p, updates = (11, 40) if run.quick else (31, 8000)
    dataset = Dataset.split(ModularOperation("x+y", p), rng=0, train_fraction=0.5)
    network = begun(lambda: OneLayerTransformer(p, p, dimension=64, hidden=256), 0)
    chosen = Optimisation("adamw", 3e-3, 0.0, warm_up=10, orthogonal_gradient=orthogonal)
    measures = network_measures(dataset)
    return train_network(
        network.to(getattr(torch, dtype)),
        dataset,
        chosen,
        Plan(updates, evaluate_every=20),
        seed=0,
        measures={name: measures[name] for name in ("collapsed_share", "weight_norm")},
        checkpoint=run.store.with_name(f"{name}.pt"),
    )


def measure(run: Run) -> Findings:
    """Train the three and compare their last states."""
    import torch

    run.store.parent.mkdir(parents=True, exist_ok=True)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        runs = {name: trained(name, run) for name in _VARIANTS}
    finally:
        torch.set_num_threads(threads)
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
        verdict="met" if holds else "refuted",
        measured=told,
        numbers={"last": last, "curves": {name: _thinned(each) for name, each in runs.items()}},
        figures=(("Strict test accuracy and collapsed share", _picture(runs)),),
    )


def _thinned(run: "NetworkRun") -> dict[str, Any]:
    """Return some hundred evaluations of a curve, NaN as None."""
    places = np.unique(np.linspace(0, len(run.curve["update"]) - 1, 100).astype(int))
    return {
        name: [None if np.isnan(v) else round(float(v), 6) for v in values[places]]
        for name, values in run.curve.items()
    }


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
