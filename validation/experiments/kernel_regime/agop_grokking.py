"""Grokking without gradient descent: a recursive feature machine on modular addition."""

from typing import Any

import numpy as np

from effective_theory import Dataset, ModularOperation, strict_test
from effective_theory.figures import Picture
from validation.experiments.experiment import Experiment, Findings, Run

_ITERATIONS = 25


def measure(run: Run) -> Findings:
    """Iterate, and note the accuracies."""
    from validation.kernel_regime.feature_machine import feature_machines
    from validation.training.threads import one_thread

    p, last, seeds = (11, 4, (0,)) if run.quick else (61, _ITERATIONS, (0, 1, 2))
    rows: list[list[dict[str, float]]] = []
    features: Any = None
    with one_thread():
        for seed in seeds:
            task = ModularOperation("x+y", p)
            dataset = Dataset.split(task, rng=seed, train_fraction=0.5)
            strict, found = strict_test(dataset), list[dict[str, float]]()
            for machine in feature_machines(dataset):
                right = machine.prediction.argmax(axis=1) == task.labels
                parts = {"train": dataset.train, "test": dataset.test, "strict_test": strict}
                found.append({name: float(right[part].mean()) for name, part in parts.items()})
                if machine.iteration == last:
                    features = machine.features if seed == 0 else features
                    break
            rows.append(found)
    early = max(row["test"] for found in rows for row in found[:10])
    reached = [
        next((k for k, row in enumerate(found) if row["test"] >= 0.99), None) for found in rows
    ]
    fits = min(row["train"] for found in rows for row in found)
    holds = fits == 1 and early <= 0.05 and all(step is not None for step in reached)
    strict_end = ", ".join(f"{found[-1]['strict_test']:.3f}" for found in rows)
    return Findings(
        verdict=run.verdict(holds),
        measured=f"least train accuracy {fits:g}; largest test accuracy of iterations 0 to 9: "
        f"{early:.3f}; test .99 at iteration {', '.join(str(step) for step in reached)}; strict "
        f"test after {last}: {strict_end}",
        numbers={"accuracies": rows},
        figures=(
            ("Accuracies by iteration (dotted: strict), and M of seed 0 at the end, whose blocks "
             "have one value along each diagonal", _picture(rows, features)),
        ),
    )  # fmt: skip


def _picture(rows: list[list[dict[str, float]]], features: Any) -> Picture:
    figure = Picture(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    for place, found in enumerate(rows):
        left.plot([row["test"] for row in found], color=f"C{place}", label=f"seed {place}")
        left.plot([row["strict_test"] for row in found], ":", color=f"C{place}")
    left.set(xlabel="iteration", ylabel="test accuracy", ylim=(-0.02, 1.02))
    left.legend(frameon=False)
    limit = float(np.abs(features - np.diag(np.diag(features))).max())
    right.imshow(features, cmap="RdBu", vmin=-limit, vmax=limit, interpolation="nearest")
    right.set(title="M", xticks=[], yticks=[])
    return figure


EXPERIMENT = Experiment(
    name="agop-grokking",
    claim="grokking needs no gradient descent: a kernel machine that learns its features is at "
    "chance for many iterations and then generalises",
    source="Mallinar et al. 2024, recursive feature machines with the quadratic kernel",
    settings=f"p = 61, half of the ordered pairs, k = (x^T M x')^2, M <- AGOP^(1/2), no ridge, "
    f"{_ITERATIONS} iterations, seeds 0 to 2",
    bound="train accuracy is 1 throughout, test at most .05 for the first ten iterations and at "
    f"least .99 within {_ITERATIONS}, in each seed",
    measure=measure,
    quick="p = 11, one seed, 4 iterations",
)
