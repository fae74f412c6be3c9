"""From probes to a diagram whose cells are predicted, each with its probabilities."""

import math

import numpy as np
from numpy.typing import NDArray

from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.phases import RUN_PHASES, Source
from phase_diagrams.prediction.groups import Group, groups_of, unit_rate
from phase_diagrams.prediction.law import (
    Law,
    Observed,
    expected_length,
    phase_probabilities,
)
from phase_diagrams.prediction.probes import Found, Probe, wanted_probes
from phase_diagrams.statistics.prediction import Prediction
from phase_diagrams.sweeps.cell import Cell
from phase_diagrams.sweeps.spec import SweepSpec

#: A cell has a probe's rate if the two agree to this share of a decade.
_SAME_RATE = 1e-9


def missing_probes(spec: SweepSpec, found: Found) -> list[Cell]:
    """Return the probes that a sweep needs next, by the results so far; none once it is done."""
    wanted = {cell.cell_id: cell for _, cell in wanted_probes(groups_of(spec), found)}
    return [cell for name, cell in wanted.items() if name not in found]


def predict_cells(diagram: PhaseDiagram, found: Found, law: Law | None = None) -> None:
    """Enter what probes say of a diagram's cells: measured where a probe is the cell's own run.

    Parameters
    ----------
    diagram
        The diagram, whose measured cells stay as they are.
    found
        Results of probes by their cells' ids; other runs in it are not read.
    law
        How well the scaling law holds; by default as it was measured.
    """
    spec = diagram.spec
    probes, nearest = nearest_probes(groups_of(spec), found)
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
    measured = diagram.measured
    probabilities[measured] = diagram.phases[measured][:, None] == np.array(RUN_PHASES)
    updates = sum(probe.summary.steps_run for probe in probes)
    diagram.prediction = Prediction(probabilities, len(probes), updates, probed, lengths)
    diagram.enter(diagram.prediction.phases, Source.PREDICTED)


def observed_by(probe: Probe, cell: Cell) -> Observed:
    """Return what a probe says of a cell, in the cell's updates."""
    decades = math.log10(unit_rate(cell) / probe.rate)
    if abs(decades) < _SAME_RATE:
        decades = 0.0
    in_cell = 10.0**-decades
    train, test = (
        math.inf if step is None else step * in_cell
        for step in (probe.summary.train_step, probe.summary.test_step)
    )
    diverged = probe.summary.status == "diverged" and not all(probe.outcome)
    return Observed(train, test, probe.summary.steps_run * in_cell, decades, diverged)


def nearest_probes(
    groups: list[Group], found: Found
) -> tuple[list[Probe], list[tuple[Cell, Probe]]]:
    """Return the probes, and each cell with the one of its group whose rate is nearest."""
    of_group: dict[tuple[object, ...], dict[str, Probe]] = {}
    for group, cell in wanted_probes(groups, found):
        if cell.cell_id in found:
            probe = Probe(cell, found[cell.cell_id])
            of_group.setdefault(group.key, {})[cell.cell_id] = probe
    nearest = []
    for group in groups:
        probes = of_group.get(group.key, {}).values()
        for cell in group.cells if probes else ():
            rate = unit_rate(cell)
            nearest.append((cell, min(probes, key=lambda p: abs(math.log(p.rate / rate)))))
    return [probe for probes in of_group.values() for probe in probes.values()], nearest


def edges_of(spec: SweepSpec, nearest: list[tuple[Cell, Probe]]) -> NDArray[np.bool_]:
    """Return where the probe of a neighbouring cell reached other thresholds than the cell's."""
    outcomes = np.full(spec.shape, -1)
    for cell, probe in nearest:
        trained, generalised = probe.outcome
        outcomes[cell.index] = 2 * trained + generalised
    edges = np.zeros(spec.shape, bool)
    for axis in range(len(spec.grid)):
        here, there = (np.moveaxis(array, axis, 0) for array in (outcomes, edges))
        differ = (here[1:] != here[:-1]) & (here[1:] >= 0) & (here[:-1] >= 0)
        there[1:] |= differ
        there[:-1] |= differ
    return edges
