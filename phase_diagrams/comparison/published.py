"""How much of a published table a diagram meets."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from effective_theory import InputError
from phase_diagrams.comparison.published_tables import (
    PublishedCell,
    PublishedTable,
)
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.phases import Phase, Source, classify
from phase_diagrams.sweeps.cell import Cell


@dataclass(frozen=True)
class Agreement:
    """How much of a published table a diagram meets.

    Attributes
    ----------
    cells
        Cells compared.
    labels
        Cells with the published phase.
    steps
        Cells with both steps within ``tolerance`` updates, where "never" equals only "never".
    commonest
        Cells that always saying the commonest published phase would meet.
    tolerance
        Largest difference of two steps that counts as none, in updates.
    notes
        What was not compared, and within how many updates, in words; empty where the table and the
        sweep have the same cells and the same budget.
    """

    cells: int
    labels: int
    steps: int
    commonest: int
    tolerance: int
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the agreement in one sentence."""
        met = (
            f"{self.labels} of {self.cells} labels as published (always the commonest: "
            f"{self.commonest}), {self.steps} cells with both steps within {self.tolerance} updates"
        )
        return "; ".join([met, *self.notes])


def published_agreement(
    diagram: PhaseDiagram, table: Iterable[PublishedCell], tolerance: int = 2
) -> Agreement:
    """Compare the first seed of a diagram with a table, rates matched to 1e-9 relative.

    Both are judged within the smaller of the two budgets. Where that is the sweep's, a cell that
    reaches both thresholds by then neither in the table nor in the sweep is left out: the table
    knows its label and the sweep does not.

    Raises
    ------
    InputError
        If no cell can be compared.
    """
    spec, rows = diagram.spec, list(table)
    cells = [(row, _cell(diagram, row)) for row in rows]
    shared = [(row, cell) for row, cell in cells if cell is not None]
    measured = [(r, c) for r, c in shared if diagram.source[c.index] == Source.MEASURED]
    pairs: list[tuple[_Crossings, _Crossings]] = []
    budgets: set[tuple[int, int]] = set()
    for row, cell in measured:
        budget, limit = cell.model.steps, min(cell.model.steps, row.last)
        ours = _crossings_of(diagram, cell.index).within(limit)
        theirs = _crossings_in(row).within(limit)
        if budget != row.steps:
            budgets.add((budget, row.steps))
        if budget >= row.last or ours.are_known or theirs.are_known:
            pairs.append((ours, theirs))
    counts = {
        "cells are undecided by then": len(measured) - len(pairs),
        f"of {len(rows)} rows are no cells of this sweep": len(rows) - len(shared),
        "cells are not measured": len(shared) - len(measured),
        "cells of this sweep are not in the table": spec.size // len(spec.seeds) - len(shared),
    }
    said = (
        *(f"judged within {_smaller(*both)}" for both in sorted(budgets)),
        *(f"{count} {what}" for what, count in counts.items() if count),
        *(table.notes if isinstance(table, PublishedTable) else ()),
    )
    if not pairs:
        raise InputError(f"table has no cell to compare with this sweep ({'; '.join(said)}).")
    published = [theirs.phase(spec.lag) for _, theirs in pairs]
    labels = sum(a.phase(spec.lag) == b for (a, _), b in zip(pairs, published, strict=True))
    return Agreement(
        cells=len(pairs),
        labels=labels,
        steps=sum(ours.are_near(theirs, tolerance) for ours, theirs in pairs),
        commonest=max(published.count(phase) for phase in set(published)),
        tolerance=tolerance,
        notes=said,
    )


def _smaller(ours: int, theirs: int) -> str:
    """Return the smaller budget in words, beside the larger one."""
    if ours < theirs:
        return f"the sweep's {ours} of the table's {theirs} updates"
    return f"the table's {theirs} of the sweep's {ours} updates"


@dataclass(frozen=True)
class _Crossings:
    """When a run reached its thresholds, in completed updates; None where never."""

    train: int | None
    test: int | None
    diverged: int | None

    @property
    def are_known(self) -> bool:
        return self.train is not None and self.test is not None

    def within(self, limit: int) -> "_Crossings":
        """Return what was reached by an update, which may be all that a table can tell."""
        steps = (self.train, self.test, self.diverged)
        return _Crossings(*(s if s is not None and s <= limit else None for s in steps))

    def phase(self, lag: int) -> Phase:
        return classify(self.train, self.test, diverged=self.diverged is not None, lag=lag)

    def are_near(self, other: "_Crossings", tolerance: int) -> bool:
        return _is_near(self.train, other.train, tolerance) and _is_near(
            self.test, other.test, tolerance
        )


def _crossings_of(diagram: PhaseDiagram, index: tuple[int, ...]) -> _Crossings:
    steps = (diagram.train_step, diagram.test_step, diagram.diverged_step)
    here = (step[index] for step in steps)
    return _Crossings(*(None if step is np.ma.masked else int(step) for step in here))


def _crossings_in(row: PublishedCell) -> _Crossings:
    return _Crossings(row.train_step, row.test_step, row.diverged_step)


def _cell(diagram: PhaseDiagram, row: PublishedCell) -> Cell | None:
    """Return the run of the first seed that has a row's values; None if there is none."""
    try:
        return diagram.find(seed=diagram.spec.seeds[0], **row.values)
    except InputError:
        return None


def _is_near(ours: int | None, theirs: int | None, tolerance: int) -> bool:
    if ours is None or theirs is None:
        return ours is theirs
    return abs(ours - theirs) <= tolerance
