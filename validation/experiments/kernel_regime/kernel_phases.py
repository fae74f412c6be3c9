"""Phases of the quadratic network over the scale of its start and the training fraction."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from effective_theory import ModularOperation
from effective_theory.mirrors import FEW_STRICT
from phase_diagrams import Axis, Phase, SweepSpec
from phase_diagrams.phases import GENERALISING
from phase_diagrams.sweeps import splits
from validation.experiments.experiment import Experiment, Findings, Run
from validation.experiments.outcomes import counts_told, phase_counts
from validation.experiments.plain_test import plain_test_rows
from validation.systems.axes import log_axis
from validation.systems.settings import QuadraticSettings

_SEEDS = (0, 1, 2, 3)


def spec(*, quick: bool) -> SweepSpec:
    """Return the sweep, or a corner of it."""
    scales = np.geomspace(0.5, 16, 8)
    shares: tuple[float, ...] = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
    p, settings = (
        17,
        QuadraticSettings(
            width=136, steps=6000, evaluate_every=10, train_threshold=0.99, test_threshold=0.9
        ),
    )
    if quick:
        scales, shares = np.array([1.0, 8.0]), (0.5, 0.8)
        p, settings = 7, dataclasses.replace(settings, width=56, steps=100)
    axes = {
        "init_scale": log_axis(scales),
        "train_fraction": Axis(shares),
    }
    seeds = _SEEDS[:1] if quick else _SEEDS
    return SweepSpec(ModularOperation("x+y", p), axes, settings, seeds=seeds)


def measure(run: Run) -> Findings:
    """Sweep and count phases."""
    diagram = run.swept(spec(quick=run.quick), "kernel-phases")
    phases = diagram.phases  # (scales, fractions, seeds)
    counts = phase_counts(phases)
    generalises = np.isin(phases, GENERALISING)
    majority = generalises.mean(axis=2) > 0.5
    quick_ones = (phases[0, -1] == Phase.COMPREHENSION).mean() > 0.5
    late_ones = (phases[-1, -1] == Phase.COMPREHENSION).mean() < 0.5
    holds = not majority[:, 0].any() and quick_ones and late_ones
    strict = strict_samples(diagram.spec)
    # The bound looks at the smallest and at the largest training sets alone.
    can_refute = bool((strict[[0, -1]] >= FEW_STRICT).all())
    undefined = int((strict == 0).sum()) * phases.shape[0]
    shares = [size / diagram.spec.task.size for size in diagram.spec.grid["train_size"].values]
    least = [
        next((shares[k] for k, each in enumerate(row) if each), None) for row in majority.tolist()
    ]
    told = ", ".join(
        f"{scale:g}: {'none' if share is None else f'{share:.2f}'}"
        for scale, share in zip(diagram.spec.grid["init_scale"].values, least, strict=True)
    )
    return Findings(
        verdict=run.verdict(holds, can_refute=can_refute),
        measured=f"{counts_told(counts)} of {diagram.spec.size} runs, {undefined} of which have no "
        f"strict test sample; strict test samples at fraction {shares[-1]:.2f}, by seed: "
        f"{', '.join(map(str, strict[-1]))}; least fraction at which most seeds "
        f"generalise, by scale {told}",
        numbers={
            "counts": counts,
            "strict_samples": strict.tolist(),
            "least_fraction": least,
            "rows": plain_test_rows(diagram),
        },
        figures=(
            ("Most frequent phase of the seeds", diagram.plot.majority()),
            ("Updates until both thresholds", diagram.plot.steps()),
        ),
    )


def strict_samples(spec: SweepSpec) -> NDArray[np.int64]:
    """Return how many test pairs have an unseen mirror, shape (fractions, seeds)."""
    counts = np.array([n for _, n in splits.strict_samples(spec)], np.int64)
    return counts.reshape(len(spec.seeds), -1).T


EXPERIMENT = Experiment(
    name="kernel-phases",
    claim="small starts and large training sets leave the kernel regime at once; large starts grok "
    "and small training sets only memorise",
    source="Mohamadi et al. 2024, on init scale and sample size, as a phase diagram",
    settings="quadratic network, p = 17, width 136, Adam 1e-3 with exact tail, float32, full "
    "batch, init scale .5 to 16 x fraction .3 to .95, 8 x 8, budget 6000, lag 1000, train .99, "
    "strict test .9, seeds 0 to 3",
    bound="at fraction .3 most seeds generalise at no scale; at .95 most are comprehension at the "
    "smallest scale and not at the largest; where a split of these fractions has fewer than "
    f"{FEW_STRICT} strict test samples a failure does not tell",
    measure=measure,
    quick="p = 7, 2 x 2 cells, one seed, 100 updates",
)
