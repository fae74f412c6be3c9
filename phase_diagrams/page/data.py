"""What a page of a sweep holds: every run's scalars, learning curve and last state as columns."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from effective_theory import InputError
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.runs.picture import state_coordinates
from phase_diagrams.runs.summary import CURVE_COLUMNS, STEPS, RunSummary
from phase_diagrams.sweeps.spec import SweepSpec

#: A page with more data would try a browser's patience and memory.
MOST_MEGABYTES = 64

_UPDATES = (*STEPS, "steps_run")
_LAST = ("train_accuracy", "test_accuracy", "rqi")
_POINTS_OF_A_CURVE = 64

Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class PageData:
    """Columns of a page; runs stand in the order of ``spec.cells()``.

    Attributes
    ----------
    runs
        One row for each run: phase and its source, steps (-1 where not within the run), last
        accuracies and RQI, number of columns of its last state, and where its rows in ``curves``
        begin and how many they are.
    curves
        The learning curves one after the other, with the columns of CURVE_COLUMNS.
    points
        Coordinates x and y of the last states (see `state_coordinates`), as many for each run as
        its state has rows; none where the system keeps no state.
    """

    runs: Columns
    curves: Columns
    points: Columns

    def curve(self, run: int) -> Columns:
        """Return the learning curve of a run, from the first update on."""
        first, count = int(self.runs["first"][run]), int(self.runs["count"][run])
        rows = {name: column[first : first + count] for name, column in self.curves.items()}
        return {name: column[rows["update"] >= 1] for name, column in rows.items()}

    def state(self, run: int) -> Columns:
        """Return the coordinates of a run's last state."""
        rows = len(self.points["x"]) // len(self.runs["phase"])
        return {name: column[run * rows :][:rows] for name, column in self.points.items()}


def column_of(measure: str) -> str:
    """Return the name of the column that holds what is measured."""
    return measure if measure in CURVE_COLUMNS else f"{measure}_accuracy"


def megabytes(spec: SweepSpec) -> float:
    """Return about how much data a sweep's page holds; as text they take less, compressed."""
    curve = _POINTS_OF_A_CURVE * (8 + 4 * (len(CURVE_COLUMNS) - 1))
    run = 8 * len(_UPDATES) + 4 * (len(_LAST) + 4)
    return spec.size * (curve + run + 8 * _state_rows(spec)) / 1e6


def _state_rows(spec: SweepSpec) -> int:
    """Return the number of rows of a last state, the same in all runs of a task."""
    return spec.cell((0,) * len(spec.shape)).state_shape[0]


def require_moderate(spec: SweepSpec) -> None:
    """Check that a sweep's page would not be too large for a browser.

    Raises
    ------
    InputError
        If it would be.
    """
    if megabytes(spec) > MOST_MEGABYTES:
        raise InputError(
            f"html would be a page with {megabytes(spec):.0f} MB of curves and last states of "
            f"{spec.size} runs, more than {MOST_MEGABYTES}; sweep fewer values or seeds."
        )


def page_data(diagram: PhaseDiagram) -> PageData:
    """Return what a page of the diagram holds, read from its store.

    Raises
    ------
    InputError
        If the diagram has no store or the page would be too large.
    """
    spec, stored_runs = diagram.spec, diagram.require_kept()
    require_moderate(spec)
    state_rows = _state_rows(spec)
    runs: Columns = {
        "phase": diagram.phases.ravel().astype(np.int32),
        "source": diagram.source.ravel().astype(np.int32),
    }
    runs |= {name: np.full(spec.size, -1.0) for name in _UPDATES}
    runs |= {name: np.full(spec.size, np.nan, np.float32) for name in _LAST}
    runs |= {name: np.zeros(spec.size, np.int32) for name in ("columns", "first", "count")}
    points = np.full((spec.size, state_rows, 2), np.nan, np.float32)
    curves = [np.zeros((0, len(CURVE_COLUMNS)))]
    rows = 0
    for place, (_, summary) in enumerate(stored_runs.find(spec.cells())):
        if summary is None:
            continue
        _enter(runs, place, summary)
        if state_rows:
            points[place] = state_coordinates(summary.state)
            runs["columns"][place] = summary.state.shape[1]
        runs["first"][place], runs["count"][place] = rows, len(summary.curve)
        curves.append(summary.curve[:, : len(CURVE_COLUMNS)])
        rows += len(summary.curve)
    whole = np.concatenate(curves)
    return PageData(
        runs=runs,
        curves={
            name: column.astype(np.float64 if name == "update" else np.float32)
            for name, column in zip(CURVE_COLUMNS, whole.T, strict=True)
        },
        points={"x": points[..., 0].ravel(), "y": points[..., 1].ravel()},
    )


def _enter(runs: Columns, place: int, summary: RunSummary) -> None:
    """Enter a run's scalars."""
    for name in _UPDATES:
        step = getattr(summary, name)
        runs[name][place] = -1 if step is None else step
    for name in _LAST:
        runs[name][place] = getattr(summary, name)
