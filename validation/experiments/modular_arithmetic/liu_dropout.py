"""Liu's transformer with dropout: when the strict test accuracy is at 0.99."""

import dataclasses
from statistics import median
from typing import Any

import numpy as np

from effective_theory import ModularOperation
from effective_theory.figures import Picture
from phase_diagrams import PhaseDiagram, SweepSpec
from validation.experiments.experiment import Experiment, Findings, Run
from validation.experiments.outcomes import or_infinite, step_told
from validation.experiments.plain_test import plain_test_rows
from validation.systems.settings import LiuSettings

_NAME, _LARGE, _WITHIN = "liu-dropout", 0.3, 1000


def spec(*, quick: bool) -> SweepSpec:
    """Return the sweep over dropout and the scale of the embeddings' start."""
    p, settings = (
        31,
        LiuSettings(dimension=64, hidden=64, steps=2000, train_threshold=0.99, test_threshold=0.99),
    )
    axes: dict[str, Any] = {"embedding_scale": [0.05, 1.0], "dropout": [0.0, 0.1, 0.3, 0.5]}
    if quick:
        p, axes["dropout"] = 11, [0.0, 0.3]
        settings = dataclasses.replace(settings, dimension=16, hidden=16, steps=40)
    seeds = (0,) if quick else (0, 1, 2)
    return SweepSpec(ModularOperation("x+y", p), axes, settings, train_fraction=0.8, seeds=seeds)


def measure(run: Run) -> Findings:
    """Train all, and compare medians over the seeds."""
    diagram = run.swept(spec(quick=run.quick), _NAME)
    scales, dropouts = (axis.values for axis in diagram.spec.grid.values())
    steps = or_infinite(diagram.test_step)  # (scales, dropouts, seeds)
    medians = {
        scale: {dropout: median(steps[i, k]) for k, dropout in enumerate(dropouts)}
        for i, scale in enumerate(scales)
    }
    holds = all(
        step < _WITHIN and step <= of_scale[0.0]
        for of_scale in medians.values()
        for dropout, step in of_scale.items()
        if dropout >= _LARGE
    )
    told = "; ".join(
        f"start of scale {scale:g}: "
        + ", ".join(f"{dropout:g}: {step_told(step)}" for dropout, step in of_scale.items())
        for scale, of_scale in medians.items()
    )
    return Findings(
        verdict=run.verdict(holds),
        measured=f"median update with strict test 0.99 by dropout, {told}",
        numbers={"rows": plain_test_rows(diagram)},
        figures=(("Updates to strict test 0.99; crosses: not in the budget", _picture(diagram)),),
    )


def _picture(diagram: PhaseDiagram) -> Picture:
    figure = Picture(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    scales, dropouts = (axis.values for axis in diagram.spec.grid.values())
    budget, width = diagram.spec.model.steps, 0.006
    for i, scale in enumerate(scales):
        for k, dropout in enumerate(dropouts):
            steps = diagram.test_step[i, k]
            places = dropout + width * (2 * i - 1) + np.zeros(len(steps))
            never = np.ma.getmaskarray(steps)
            axes.plot(places[~never], steps[~never], "o", color=f"C{i}", alpha=0.7)
            axes.plot(places[never], np.full(never.sum(), budget), "x", color=f"C{i}")
        axes.plot([], [], "o", color=f"C{i}", label=f"embeddings begin with scale {scale:g}")
    axes.axhline(_WITHIN, color="#888888", linestyle=":")
    axes.set(xlabel="dropout", ylabel="updates", ylim=(0, 1.05 * budget))
    axes.legend(frameon=False, fontsize="small")
    return figure


EXPERIMENT = Experiment(
    name=_NAME,
    claim="with large dropout the transformer generalises in less than 1000 steps",
    source="Liu et al. 2022, section 4.2",
    settings="Liu's transformer at p = 31, d 64, 80 % of the ordered pairs, full batch, AdamW 1e-3 "
    "without weight decay, dropout 0, .1, .3 and .5, initial embeddings of scale 0.05 and 1, "
    "budget 2000, seeds 0 to 2",
    bound=f"for both starts the median update with strict test 0.99 is below {_WITHIN} with "
    f"dropout {_LARGE} and more, and not later than without",
    measure=measure,
    quick="p = 11, d 16, two dropouts, one seed, 40 updates",
)
