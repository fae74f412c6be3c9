"""The scale of a quadratic network's start decides how long it is lazy."""

import dataclasses

import numpy as np

from effective_theory import ModularOperation
from phase_diagrams import SweepSpec
from validation.experiments.experiment import Experiment, Findings, Run
from validation.experiments.outcomes import gap_told, gaps, or_none
from validation.experiments.plain_test import plain_test_rows
from validation.systems.settings import QuadraticSettings

_SCALES = (0.3, 1.0, 4.0, 6.0, 8.0, 12.0)


def spec(*, quick: bool) -> SweepSpec:
    """Return the sweep over the scale of the start."""
    p, settings = (
        23,
        QuadraticSettings(steps=8000, evaluate_every=10, train_threshold=1.0, test_threshold=0.9),
    )
    if quick:
        p, settings = 11, dataclasses.replace(settings, steps=200, width=88)
    return SweepSpec(
        ModularOperation("x+y", p),
        {"init_scale": _SCALES},
        settings,
        train_fraction=0.7,
        seeds=(0,) if quick else (0, 1, 2),
    )


def measure(run: Run) -> Findings:
    """Train all and compare how long test is behind train."""
    diagram = run.swept(spec(quick=run.quick), "mohamadi-scale")
    rows = plain_test_rows(diagram)
    found = gaps(diagram.train_step, diagram.test_step, diagram.spec.model.steps)
    by_scale = dict(zip(diagram.spec.grid["init_scale"].values, found, strict=True))
    medians = {scale: float(np.median(some)) for scale, some in by_scale.items()}
    rising = list(medians.values()) == sorted(medians.values())
    # All of infinity rise, too.
    holds = rising and medians[0.3] <= medians[8.0] / 5 < np.inf
    return Findings(
        verdict=run.verdict(holds),
        measured="updates from train 1.0 to strict test 0.9, medians by init scale: "
        + ", ".join(f"{scale:g}: {gap_told(gap)}" for scale, gap in medians.items()),
        numbers={
            "gaps": {f"{scale:g}": [or_none(g) for g in some] for scale, some in by_scale.items()},
            "rows": rows,
        },
        figures=(("Updates to both thresholds against the scale", diagram.plot.against()),),
    )


EXPERIMENT = Experiment(
    name="mohamadi-scale",
    claim="a smaller scale of the initial weights closes the gap between train and test accuracy",
    source="Mohamadi et al. 2024, figure on the scale of initialisation",
    settings="quadratic network, p = 23, width 184, 70 % of the ordered pairs, Adam 1e-3 with "
    "exact tail, full batch, float32, scales .3, 1, 4, 6, 8 and 12, budget 8000, seeds 0 to 2",
    bound="the median gap from train 1.0 to strict test 0.9 rises with the scale, and at .3 is "
    "at most a fifth of that at 8",
    measure=measure,
    quick="p = 11, one seed, 200 updates",
)
