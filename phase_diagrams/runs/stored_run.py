"""One stored run of a diagram: what became of it, its learning curve and its last state."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from effective_theory import InputError
from effective_theory.files import png_of
from effective_theory.report import Condition, crossing, fraction, not_reached, outcome_text
from phase_diagrams.phases import Phase, Source, classify
from phase_diagrams.runs.store import Store
from phase_diagrams.runs.summary import RunSummary, curve_columns, further_accuracies
from phase_diagrams.sweeps.cell import Cell
from phase_diagrams.sweeps.spec import SweepSpec
from phase_diagrams.wording import place_name

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class KeptRuns:
    """Where the runs of a diagram are kept.

    Attributes
    ----------
    store
        The store's file.
    engine, version
        Identity and version of the engine that ran them.
    """

    store: Path
    engine: str
    version: int

    def find(self, cells: Iterable[Cell]) -> Iterator[tuple[Cell, RunSummary | None]]:
        """Yield each cell with its run, or None if the store has none; see `Store.find`."""
        with Store(self.store, create=False) as store:
            yield from store.find(cells, self.engine, self.version)


@dataclass(frozen=True, eq=False)
class StoredRun:
    """One run of a diagram, as the store keeps it.

    Attributes
    ----------
    cell
        What was run.
    name
        Its place in the diagram, such as "decoder_lr=0.0001, seed 0".
    phase
        Its phase in the diagram.
    summary
        Its result: first crossings, the learning curve and the last state.
    """

    cell: Cell
    name: str
    phase: Phase
    summary: RunSummary

    def __str__(self) -> str:
        """Return place, phase, what became of the run and where it comes from, line by line."""
        unit = self.cell.system.unit
        outcome = outcome_text(self.summary, self._conditions(), unit)
        train, test = self.summary.train_step, self.summary.test_step
        lag = "" if train is None or test is None else f", lag {test - train}"
        origin = self.summary.origin or "not known"
        further = "".join(f"\n{line}" for line in self._further())
        return f"{self.name}: {self.phase.label}{lag}\n{outcome}{further}\norigin: {origin}"

    def _further(self) -> list[str]:
        """Return a line for each further accuracy of the curve: when it was first as high."""
        system, curve, lines = self.cell.system, self.summary.curve, []
        threshold = system.threshold("test", self.cell.model)
        if threshold is None or not len(curve):
            return []
        absent = not_reached(self.summary.steps_run, self.summary.diverged_step, system.unit)
        for place, label in further_accuracies(system):
            reached = np.flatnonzero(curve[:, place] >= threshold)
            step = int(curve[reached[0], 0]) if len(reached) else None
            when = crossing(step, absent, system.unit)
            lines.append(f"{label} >= {threshold:g}: {when} (last: {fraction(curve[-1, place])})")
        return lines

    def _conditions(self) -> list[Condition]:
        """Return what the run was to reach, each with what is said beside it."""
        system, run = self.cell.system, self.summary
        finite = run.status != "diverged" and bool(np.isfinite(run.state).all())
        conditions = []
        for name, measure in system.defined(self.cell.task).items():
            threshold = system.threshold(name, self.cell.model)
            sign = ">" if measure.sign == ">" else ">="
            bound = "at its threshold" if threshold is None else f"{sign} {threshold:g}"
            beside = ""
            if name == "test" and system.ideal_accuracy is not None:
                ideal = system.ideal_accuracy(self.cell.split())
                known = "not defined" if ideal is None else f"{ideal:.2f}"
                beside = f" (ideal test accuracy: {known})"
            elif name == "rqi":
                beside = f" (last: {fraction(run.rqi, undefined=finite)})"
            step = getattr(run, f"{name}_step")
            conditions.append(Condition(f"{measure.label} {bound}", step, beside))
        return conditions

    def __repr__(self) -> str:
        """Return the place and the phase."""
        return f"StoredRun({self.name}: {self.phase.label})"

    def to_frame(self) -> "pd.DataFrame":
        """Return the learning curve as a pandas frame, one row for each recorded update.

        Its columns are ``update`` (completed updates), ``train_loss``, ``test_loss``,
        ``train_accuracy``, ``test_accuracy``, ``rqi`` and those that the system has besides.
        """
        import pandas as pd

        curve = pd.DataFrame(self.summary.curve, columns=list(curve_columns(self.cell.system)))
        return curve.astype({"update": "int64"})

    def plot(
        self, *, title: str | None = None, figsize: tuple[float, float] | None = None
    ) -> "Figure":
        """Draw the learning curve and the last state; see `phase_diagrams.runs.picture`."""
        from phase_diagrams.runs.picture import plot_run

        title = self.name if title is None else title
        return plot_run(self.summary, self.cell, self.phase, title=title, figsize=figsize)

    def _repr_png_(self) -> bytes:
        """Return the run's picture, which a notebook shows as a cell's result."""
        return png_of(self.plot())


#: What is to be done for a cell without a run, by where its phase comes from.
_REMEDIES = {
    Source.INFERRED: "it was inferred, as runs around it agree; a sweep of its values runs it",
    Source.PREDICTED: "it was predicted; measure_doubtful or a sweep of its values runs it",
}


def stored_run(kept: KeptRuns, spec: SweepSpec, cell: Cell, source: Source) -> StoredRun:
    """Return the stored run of a cell of a sweep, whose phase has a source.

    Raises
    ------
    InputError
        If no store has it.
    """
    ((_, summary),) = kept.find([cell])
    name = place_name(spec.texts_at(cell.index), cell.seed)
    if summary is None:
        remedy = _REMEDIES.get(source, "finish the sweep first")
        raise InputError(f"store {kept.store} has no run of {name}; {remedy}.")
    phase = classify(
        summary.train_step,
        summary.test_step,
        diverged=summary.diverged_step is not None,
        lag=spec.lag,
    )
    return StoredRun(cell, name, phase, summary)
