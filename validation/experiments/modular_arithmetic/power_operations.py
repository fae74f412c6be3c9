"""Power's operations, small: which of them generalise within a budget."""

import dataclasses
from typing import Any

from effective_theory import BinaryOperation, ModularOperation, PermutationOperation
from effective_theory.figures import Picture
from effective_theory.operations import MODULAR_OPERATIONS, PERMUTATION_OPERATIONS
from phase_diagrams import SweepSpec
from validation.experiments.experiment import Experiment, Findings, Run
from validation.experiments.plain_test import plain_test_rows
from validation.systems.settings import OneLayerSettings

#: That generalise, and that do not, in Power's figure 2 at half of the samples.
_EXPECTED, _UNEXPECTED = ("x+y", "x-y", "x/y"), ("x^3+xy^2+y",)


def specs(*, quick: bool) -> dict[str, SweepSpec]:
    """Return a sweep of one cell for each operation."""
    settings = OneLayerSettings(lr=3e-3, dimension=64, hidden=256, steps=20 if quick else 8000)
    tasks: dict[str, BinaryOperation] = {
        name: ModularOperation(name, 7 if quick else 31) for name in MODULAR_OPERATIONS
    }
    for name in PERMUTATION_OPERATIONS:
        tasks[f"S{3 if quick else 4}: {name}"] = PermutationOperation(name, 3 if quick else 4)
    if quick:
        settings = dataclasses.replace(settings, dimension=16, hidden=16)
    return {
        name: SweepSpec(task, {"weight_decay": [1.0]}, settings, train_fraction=0.5, seeds=(0,))
        for name, task in tasks.items()
    }


def measure(run: Run) -> Findings:
    """Train on each operation and note when its test accuracy is at 0.95."""
    rows: dict[str, dict[str, Any]] = {}
    for place, (name, spec) in enumerate(specs(quick=run.quick).items()):
        (rows[name],) = plain_test_rows(run.swept(spec, f"power-operations-{place}"))
    steps = {name: row["test_step"] for name, row in rows.items()}
    expected = all(steps[name] is not None for name in _EXPECTED)
    unexpected = any(steps[name] is not None for name in _UNEXPECTED)
    return Findings(
        # At p = 31 half of the pairs are a tenth as many as at 97.
        verdict=run.verdict(expected and not unexpected, can_refute=unexpected),
        measured="test 0.95 (strict for commutative ones) at "
        + ", ".join(f"{name}: {step or 'never'}" for name, step in steps.items()),
        numbers={"rows": rows},
        figures=(("Updates to train and test accuracy 0.95", _picture(rows)),),
    )


def _picture(rows: dict[str, dict[str, Any]]) -> Picture:
    figure = Picture(figsize=(8, 4.2), layout="constrained")
    axes = figure.subplots()
    for side, marker in (("train", "o"), ("test", "s")):
        known = [(k, row[f"{side}_step"]) for k, row in enumerate(rows.values())]
        known = [(k, step) for k, step in known if step is not None]
        axes.plot([s for _, s in known], [k for k, _ in known], marker, label=f"{side} accuracy")
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set(xscale="log", xlim=(1, 10_000), xlabel="updates; absent: not within the budget")
    axes.legend(frameon=False, fontsize="small")
    return figure


EXPERIMENT = Experiment(
    name="power-operations",
    claim="with half of the samples x + y, x - y and x / y generalise, x^3 + x y^2 + y does not",
    source="Power et al. 2022, figure 2, at p = 97",
    settings="one-layer transformer, d 64, 4 heads, 256 ReLU units, p = 31 and the permutations of "
    "four things, half of the ordered pairs, AdamW 3e-3, decay 1, full batch, budget 8000, seed 0",
    bound="test accuracy 0.95 within 8000 updates for the three, strict for x + y, and not for the "
    "fourth; where one of the three is not there this size does not tell",
    measure=measure,
    quick="p = 7, permutations of three, d 16, 20 updates",
)
