"""Hu's transformer B at five training fractions: when the strict test accuracy is at 0.99."""

import dataclasses
from statistics import median

from effective_theory import ModularOperation
from phase_diagrams import SweepSpec
from validation.experiments.experiment import Experiment, Findings, Run
from validation.experiments.outcomes import or_infinite, or_none, step_told
from validation.experiments.plain_test import plain_test_rows
from validation.systems.settings import OneLayerSettings

#: Fractions with their seeds; those of most interest have three.
_SEEDS = {0.15: (0,), 0.30: (0, 1, 2), 0.45: (0, 1, 2), 0.60: (0,), 0.75: (0,)}


def specs(*, quick: bool) -> dict[str, SweepSpec]:
    """Return the sweeps by training fraction; they differ in seeds, too."""
    settings = OneLayerSettings(
        steps=25_000, evaluate_every=50, train_threshold=0.99, test_threshold=0.99
    )
    task, fractions = ModularOperation("x+y", 97), _SEEDS
    if quick:
        settings = dataclasses.replace(
            settings, dimension=32, hidden=64, steps=100, train_threshold=0.9
        )
        task, fractions = ModularOperation("x+y", 23), {0.30: (0,), 0.75: (0,)}
    return {
        f"{share:.2f}": SweepSpec(
            task, {"weight_decay": [1.0]}, settings, train_fraction=share, seeds=seeds
        )
        for share, seeds in fractions.items()
    }


def measure(run: Run) -> Findings:
    """Train at each fraction and compare medians."""
    diagrams = {
        share: run.swept(spec, f"hu-fractions-{share}")
        for share, spec in specs(quick=run.quick).items()
    }
    steps = {
        share: or_infinite(diagram.test_step).ravel().tolist()
        for share, diagram in diagrams.items()
    }
    medians = {share: median(values) for share, values in steps.items()}
    best = {
        share: max(
            diagram.run(weight_decay=1.0, seed=seed).summary.best_test_accuracy
            for seed in diagram.spec.seeds
        )
        for share, diagram in diagrams.items()
    }
    holds = (
        4_000 <= medians["0.30"] <= 18_000
        and medians["0.45"] <= medians["0.30"] / 2
        and best["0.15"] < 0.2
    )
    told = ", ".join(f"{share}: {step_told(value)}" for share, value in medians.items())
    return Findings(
        verdict=run.verdict(holds),
        measured=f"median update with strict test 0.99 by fraction {told}; best strict test at the "
        f"smallest fraction {next(iter(best.values())):.3f}",
        numbers={
            "steps": {k: [or_none(v) for v in each] for k, each in steps.items()},
            "best_strict_test": best,
            "rows": {share: plain_test_rows(each) for share, each in diagrams.items()},
        },
        figures=tuple(
            (f"Fraction {share}, seed 0", diagram.run(weight_decay=1.0, seed=0).plot())
            for share, diagram in diagrams.items()
        ),
    )


EXPERIMENT = Experiment(
    name="hu-fractions",
    claim="transformer B never generalises at a training fraction of .15 in 25 000 epochs, at 8000 "
    "to 9000 at .30, and sooner at .45",
    source="Hu, Zhou and Yu, transformer B on (x + y) mod 97",
    settings="one layer, d 128, 4 heads, 512 ReLU units, AdamW 1e-3, decay 1, full batch; seeds 0 "
    "to 2 at .30 and .45, 0 elsewhere",
    bound="median strict test 0.99 between 4000 and 18 000 at .30 and at most half of that at .45; "
    "best strict test below 0.2 at .15",
    measure=measure,
    quick="p = 23, 100 updates",
)
