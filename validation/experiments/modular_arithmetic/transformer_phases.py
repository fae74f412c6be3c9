"""Learning rate x weight decay of a small one-layer transformer: which phases there are."""

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phase_diagrams import Phase, PhaseDiagram, SweepSpec
from phase_diagrams.phases import GENERALISING
from validation.experiments.experiment import Experiment, Findings, Run
from validation.experiments.outcomes import counts_told, phase_counts
from validation.experiments.plain_test import plain_test_rows
from validation.systems.entries import transformer_phases

_NAME = "transformer-phases"
_SEEDS = (0, 1, 2, 3)


def spec(*, quick: bool) -> SweepSpec:
    """Return the sweep, or a corner of it with a budget of 200."""
    whole = transformer_phases()
    if not quick:
        return whole
    settings = dataclasses.replace(whole.model, steps=200, dimension=32, hidden=64)
    axes = {"lr": [1e-3, 3e-3, 1e-2], "weight_decay": [0.0, 1.0]}
    return dataclasses.replace(whole, axes=axes, model=settings)


def measure(run: Run) -> Findings:
    """Sweep, refine the learning rates once, run further seeds at boundaries, and count phases."""
    coarse = run.swept(spec(quick=run.quick), _NAME)
    fine = run.refined(coarse, {"lr": 2}, f"{_NAME}-x2")
    seeded = with_further_seeds(coarse, run)
    cells, agree, generalise = between_seeds(seeded.phases)
    counts = phase_counts(coarse.phases)
    without, decays = _without_decay(coarse), coarse.spec.grid["weight_decay"].values
    generalising = np.isin(coarse.phases[..., 0], GENERALISING)
    with_decay = generalising[:, [k for k, decay in enumerate(decays) if decay >= 0.5]]
    memorises = counts[Phase.MEMORIZATION.label] > 0
    holds = not generalising[:, 0].any() and bool(with_decay.any()) and memorises
    return Findings(
        verdict=run.verdict(holds),
        measured=f"{counts_told(counts)} of "
        f"{coarse.spec.size} cells; without decay {without}; of {cells} cells next to a boundary "
        f"{agree} have one phase from all {len(_SEEDS)} seeds, {generalise} agree on whether they "
        "generalise",
        numbers={
            "counts": counts,
            "beside_a_boundary": {"cells": cells, "one_phase": agree, "one_outcome": generalise},
            "rows": plain_test_rows(coarse),
            "refined_rows": plain_test_rows(fine),
            "seeds": _of_cells(seeded),
        },
        figures=(
            ("Phases, refined once along the learning rate; pale: inferred", fine.plot()),
            ("Updates until both thresholds", coarse.plot.steps()),
            ("Lags of the strict test accuracy", coarse.plot.lags()),
            ("Most frequent phase of four seeds, at boundaries alone", seeded.plot.majority()),
        ),
    )


def beside_a_boundary(phases: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
    """Return which cells of a grid have a neighbour, along an axis, of another phase."""
    from scipy import ndimage

    cross = ndimage.generate_binary_structure(phases.ndim, 1)
    least = ndimage.minimum_filter(phases, footprint=cross, mode="nearest")
    most = ndimage.maximum_filter(phases, footprint=cross, mode="nearest")
    differs: NDArray[np.bool_] = least != most
    return differs


def with_further_seeds(coarse: PhaseDiagram, run: Run) -> PhaseDiagram:
    """Return a diagram of all seeds that has the cells next to a boundary alone."""
    wanted = dataclasses.replace(coarse.spec, seeds=_SEEDS)
    cells = np.argwhere(beside_a_boundary(coarse.phases[..., 0])).tolist()
    places = [(*cell, seed) for cell in cells for seed in range(len(_SEEDS))]
    return run.swept_at(wanted, f"{_NAME}-seeds", places)


def between_seeds(phases: NDArray[np.integer[Any]]) -> tuple[int, int, int]:
    """Return how many cells were run, have one phase, and agree on whether they generalise."""
    run = phases[(phases != Phase.NOT_RUN).all(axis=-1)]  # (cells, seeds)
    generalises = np.isin(run, GENERALISING)
    one_phase, one_outcome = (
        int((each == each[:, :1]).all(axis=1).sum()) for each in (run, generalises)
    )
    return len(run), one_phase, one_outcome


def _of_cells(seeded: PhaseDiagram) -> list[dict[str, Any]]:
    """Return the cells next to a boundary with one letter for each seed's phase."""
    phases, (rates, decays) = seeded.phases, (axis.values for axis in seeded.spec.grid.values())
    return [
        {
            "lr": rates[i],
            "weight_decay": decays[k],
            "phases": "".join(Phase(int(phase)).letter for phase in phases[i, k]),
        }
        for i, k in np.argwhere(phases[..., 0] != Phase.NOT_RUN)
    ]


def _without_decay(diagram: PhaseDiagram) -> str:
    labels = [Phase(int(phase)).label for phase in diagram.phases[:, 0, 0]]
    return ", ".join(f"{label} {labels.count(label)}" for label in dict.fromkeys(labels))


EXPERIMENT = Experiment(
    name=_NAME,
    claim="transformers have phases over learning rate and weight decay, and weight decay is what "
    "brings generalisation",
    source="Liu et al. 2022, section 4.2, on a transformer of Hu's kind at p = 31",
    settings="one layer, d 64, 4 heads, 256 ReLU units, half of the ordered pairs, full batch, "
    "10 x 10, budget 4000, lag 1000, seed 0; refined once along the learning rate; seeds 0 to 3 at "
    "cells with a neighbour of another phase",
    bound="for seed 0 no cell without weight decay generalises, some with decay 0.5 or more do, "
    "and memorization occurs",
    measure=measure,
    quick="3 x 2 cells, budget 200",
)
