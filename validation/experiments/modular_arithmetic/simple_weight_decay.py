"""Weight decay 0.03 against 5 in the small network of two concatenated embeddings."""

import numpy as np

from effective_theory import ModularOperation
from phase_diagrams import SweepSpec
from validation.experiments.experiment import Experiment, Findings, Run
from validation.experiments.plain_test import plain_test_rows
from validation.systems.settings import ConcatSettings

_WEAK, _STRONG = 0.03, 5.0


def spec(*, quick: bool) -> SweepSpec:
    """Return the two weight decays with three seeds, or one."""
    return SweepSpec(
        ModularOperation("x+y", 53),
        {"weight_decay": [_WEAK, _STRONG]},
        ConcatSettings(steps=10_000),
        train_fraction=0.6,
        seeds=(0,) if quick else (0, 1, 2),
    )


def measure(run: Run) -> Findings:
    """Train, and compare when the strict test accuracy is at 0.95."""
    diagram = run.swept(spec(quick=run.quick), "simple-weight-decay")
    budget = diagram.spec.model.steps
    # A run that did not get there took longer than its budget: the ratio is at least this.
    weak, strong = diagram.test_step.filled(budget)
    reached = ~np.ma.getmaskarray(diagram.test_step)[1]
    ratios = [round(float(w / s), 1) for w, s in zip(weak, strong, strict=True)]
    rows = plain_test_rows(diagram)
    plain = [row["plain_test_step"] for row in rows if row["weight_decay"] == _STRONG]
    holds = bool(reached.all()) and min(ratios) >= 10
    return Findings(
        verdict=run.verdict(holds),
        measured=f"strict test 0.95 at {strong.tolist()} (decay 5) and {weak.tolist()} (0.03): "
        f"{', '.join(f'{ratio:g}' for ratio in ratios)} times sooner; plain test with decay 5 at "
        f"{plain}",
        numbers={"rows": rows, "ratios": ratios},
        figures=(("Updates to both thresholds against weight decay", diagram.plot.against()),),
    )


EXPERIMENT = Experiment(
    name="simple-weight-decay",
    claim="weight decay 0.03 groks late, 5 generalises at once",
    source="small cross-check on addition mod 53 (AdamW 3e-2)",
    settings="two embeddings of 128, concatenated, 128 ReLU units; 60 % of ordered pairs, full "
    "batch, budget 10 000, seeds 0 to 2",
    bound="strict test 0.95 at least 10 times sooner with decay 5, in each seed",
    measure=measure,
    quick="one seed",
)
