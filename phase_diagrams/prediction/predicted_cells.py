"""From probes to a diagram whose cells are predicted, each with its probabilities."""

import math

import numpy as np
from numpy.typing import NDArray

from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.phases import RUN_PHASES, Source
from phase_diagrams.prediction.groups import SAME_RATE, unit_rate
from phase_diagrams.prediction.law import (
    Law,
    Observed,
    expected_length,
    phase_probabilities,
)
from phase_diagrams.prediction.probes import Found, Key, Plan, Probe, key_of
from phase_diagrams.statistics.prediction import Prediction
from phase_diagrams.sweeps.cell import Cell
from phase_diagrams.sweeps.spec import SweepSpec


def predict_cells(diagram: PhaseDiagram, plan: Plan, found: Found, law: Law | None = None) -> None:
    """Enter what probes say of a diagram's cells: measured where a probe is the cell's own run.

    Parameters
    ----------
    diagram
        The diagram, whose measured cells stay as they are.
    plan
        The probes of its sweep.
    found
        Their results, as far as they are known; other runs in it are not read.
    law
        How well the scaling law holds; by default `Law` as it stands.
    """
    spec = diagram.spec
    probes, nearest = nearest_probes(plan, found)
    probed = np.zeros(spec.shape, bool)
    for cell, probe in nearest:
        if cell.cell_id == probe.cell.cell_id and probe.summary.answers(*cell.budget):
            probed[cell.index] = True
            diagram.record(cell.index, probe.summary.within(*cell.budget))
    edges = edges_of(spec, nearest)
    probabilities = np.full((*spec.shape, len(RUN_PHASES)), np.nan)
    lengths = np.full(spec.shape, np.nan)
    law = law or Law()
    for cell, probe in nearest:
        seen, steps = observed_by(probe, cell), cell.budget.steps
        at_edge = bool(edges[cell.index])
        probabilities[cell.index] = phase_probabilities(seen, steps, spec.lag, at_edge, law)
        lengths[cell.index] = expected_length(seen, cell.budget, law)
    updates = sum(probe.summary.steps_run for probe in probes)
    prediction = Prediction(probabilities, len(probes), updates, probed, lengths)
    diagram.enter(prediction.phases, Source.PREDICTED)
    diagram.enter_prediction(prediction)


def observed_by(probe: Probe, cell: Cell) -> Observed:
    """Return what a probe says of a cell, in the cell's updates."""
    rate = unit_rate(cell)
    decades = math.log10(rate / probe.rate)
    if abs(decades) < SAME_RATE:
        decades = 0.0
    in_cell = 10.0**-decades
    train, test = (
        math.inf if step is None else step * in_cell
        for step in (probe.summary.train_step, probe.summary.test_step)
    )
    end = probe.summary.steps_run * in_cell
    return Observed(train, test, end, decades, rate, probe.diverged, _train_missing(probe))


def _train_missing(probe: Probe) -> float:
    """Return how much train accuracy a probe lacked of its threshold at best.

    Of the beginning of a longer run the curve alone tells, as far as its last point in it.
    """
    settings, field = probe.cell.model, probe.cell.system.measures["train"].threshold
    threshold = getattr(settings, field or "", math.nan)
    accuracies = [probe.summary.best_train_accuracy, *probe.summary.column("train_accuracy")]
    best = np.fmax.reduce(accuracies)
    return max(threshold - best, 0.0) if math.isfinite(threshold - best) else 0.0


def nearest_probes(plan: Plan, found: Found) -> tuple[list[Probe], list[tuple[Cell, Probe]]]:
    """Return the probes, and each cell with the one of its group whose rate is nearest.

    Divergence is a matter of the rate itself: a probe that diverged says nothing of slower cells,
    and a cell that has no other is left out.
    """
    of_group: dict[tuple[object, ...], dict[Key, Probe]] = {}
    for group, cell in plan.wanted(found):
        if (key := key_of(cell)) in found:
            of_group.setdefault(group.key, {})[key] = Probe(cell, found[key])
    nearest = []
    for group in plan.groups:
        probes = of_group.get(group.key, {}).values()
        for cell in group.cells:
            rate = unit_rate(cell)
            telling = [p for p in probes if not p.diverged or rate >= p.rate * (1 - SAME_RATE)]
            if telling:
                probe = min(telling, key=lambda p: abs(math.log(p.rate / rate)))
                nearest.append((cell, probe))
    every = {key: probe for probes in of_group.values() for key, probe in probes.items()}
    return list(every.values()), nearest


def edges_of(spec: SweepSpec, nearest: list[tuple[Cell, Probe]]) -> NDArray[np.bool_]:
    """Return where the probe of a neighbouring cell reached other thresholds than the cell's."""
    outcomes = np.full(spec.shape, -1)
    for cell, probe in nearest:
        trained, generalised, diverged = probe.outcome
        outcomes[cell.index] = 4 * diverged + 2 * trained + generalised
    edges = np.zeros(spec.shape, bool)
    for axis in range(len(spec.grid)):
        here, there = (np.moveaxis(array, axis, 0) for array in (outcomes, edges))
        differ = (here[1:] != here[:-1]) & (here[1:] >= 0) & (here[:-1] >= 0)
        there[1:] |= differ
        there[:-1] |= differ
    return edges
