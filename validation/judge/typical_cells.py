"""Typical cells of a sweep, each trained by the simulator and by PyTorch side by side."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from effective_theory.checks import of_type
from phase_diagrams import PhaseDiagram
from phase_diagrams.phases import RUN_PHASES, Phase
from phase_diagrams.sweeps.cell import Cell
from phase_diagrams.wording import describe, place_name
from validation.judge.cross_check import CrossCheck, cross_check

#: Single cells are trained in PyTorch's plain loop, at some 0.5 ms an update.
MOST_UPDATES = 10_000


@dataclass(frozen=True, eq=False, repr=False)
class TypicalCell:
    """One cell of a phase and its three trajectories.

    Attributes
    ----------
    phase
        Its phase.
    cell
        The cell.
    values
        Its values on the axes.
    check
        The trajectories, over MOST_UPDATES updates at most.
    """

    phase: Phase
    cell: Cell
    values: dict[str, object]
    check: CrossCheck

    @property
    def title(self) -> str:
        """Phase and place in words."""
        texts = {name: describe([value]) for name, value in self.values.items()}
        return f"{self.phase.label}: {place_name(texts)}"

    def __repr__(self) -> str:
        """Return phase and place."""
        return f"TypicalCell({self.title})"

    def __str__(self) -> str:
        """Return phase, place and where rounding takes over, in a sentence."""
        return f"{self.title}: {self.check.verdict}"


def typical_cells(diagram: PhaseDiagram) -> Iterator[TypicalCell]:
    """Return a cell of each phase that the diagram has, the middle one in its order of cells.

    Each is trained when it is asked for.

    Raises
    ------
    InputError
        If it is no diagram.
    """
    of_type("diagram", diagram, PhaseDiagram, "a PhaseDiagram such as sweep() returns")
    return _typical_cells(diagram)


def _typical_cells(diagram: PhaseDiagram) -> Iterator[TypicalCell]:
    spec = diagram.spec
    for phase in RUN_PHASES:
        places = np.argwhere(diagram.phases == phase)
        if not len(places):
            continue
        cell = spec.cell(tuple(map(int, places[len(places) // 2])))
        values = spec.values_at(cell.index)
        model = replace(cell.model, steps=min(cell.model.steps, MOST_UPDATES))
        yield TypicalCell(phase, cell, values, cross_check(model, *cell.draw()))
