"""The picture of one stored run, in the colours of the diagrams."""

from typing import Any

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from effective_theory.checks import refuse_masked
from effective_theory.figures import Picture
from effective_theory.plotting import MEASURE_COLOURS, TEST_COLOUR, TRAIN_COLOUR
from effective_theory.report import crossing, not_reached
from phase_diagrams.drawing.palette import PALETTES
from phase_diagrams.drawing.style import phase_patches
from phase_diagrams.phases import Phase
from phase_diagrams.runs.summary import CURVE_COLUMNS, RunSummary, further_accuracies
from phase_diagrams.sweeps.cell import Cell
from phase_diagrams.sweeps.systems import ACCURACIES, FinalState


def plot_run(
    summary: RunSummary,
    cell: Cell,
    phase: Phase,
    *,
    title: str,
    figsize: tuple[float, float] | None = None,
) -> Figure:
    """Draw a stored run: what is measured and the losses against updates, and its last state.

    Updates are on a log axis, on which the state before the first update has no place. Dotted lines
    are the first updates with train accuracy, test accuracy and what else is measured at their
    thresholds.

    Parameters
    ----------
    summary, cell, phase
        The run, what was run and the run's phase.
    title
        Such as the run's name.
    figsize
        Width and height of the figure, in inches.
    """
    system, state = cell.system, cell.system.state
    with sns.axes_style("ticks"):
        figure = Picture(figsize=figsize or (10.4 if state else 6.4, 5.4), layout="constrained")
        if state is None:
            panels = figure.subplot_mosaic([["fractions"], ["losses"]])
        else:
            panels = figure.subplot_mosaic(
                [["fractions", "state"], ["losses", "state"]], width_ratios=(1.35, 1)
            )
        fractions, losses = panels["fractions"], panels["losses"]
        for name in system.defined(cell.task):
            _draw_fraction(fractions, summary, cell, name)
        for place, label in further_accuracies(system):
            style: dict[str, Any] = {"color": TEST_COLOUR, "linewidth": 0.9, "linestyle": "--"}
            fractions.plot(*_at(summary, place), **style, label=label)
        fractions.set(ylim=(-0.02, 1.02), ylabel="fraction")
        for side, colour in (("train", TRAIN_COLOUR), ("test", TEST_COLOUR)):
            losses.plot(*_line(summary, f"{side}_loss"), color=colour, label=f"{side} loss")
        losses.set(yscale="log", ylabel="loss", xlabel=f"{system.unit}s")
        if not any(np.isfinite(_line(summary, f"{side}_loss")[1]).any() for side in ACCURACIES):
            _say_unknown(losses)
        for axes in (fractions, losses):
            axes.set(xscale="log", xlim=(1, max(2, summary.steps_run)))
            if axes.get_lines():  # a run may diverge before it has anything to show
                axes.legend(frameon=False, fontsize="small", loc="best")
        fractions.tick_params(which="both", labelbottom=False)
        if state is not None:
            _draw_state(panels["state"], summary, state)
            last = f"{state.name} after {system.unit} {summary.steps_run}"
            panels["state"].set_title(last, fontsize="medium")
        figure.legend(
            handles=phase_patches([phase], PALETTES["default"]),
            loc="outside upper center", frameon=False, title=title,
        )  # fmt: skip
        sns.despine(figure)
    return figure


def state_coordinates(state: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return a point of the plane for each row of a state, shape (rows, 2).

    Of one column (row, value); of more, the first two principal components, each with the sign that
    makes it grow from the first rows to the last. NaN where values are not finite.

    Parameters
    ----------
    state
        Shape (rows, columns), such as embeddings.
    """
    refuse_masked("state", state)
    values = np.asarray(state, dtype=np.float64)
    rows, columns = values.shape
    if columns == 1:
        return np.column_stack([np.arange(rows), values])
    if not np.isfinite(values).all():
        return np.full((rows, 2), np.nan)
    centred = values - values.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    points = centred @ directions[:2].T
    rises = (np.arange(rows) - (rows - 1) / 2) @ points
    return np.asarray(points * np.where(rises < 0, -1.0, 1.0))


def state_labels(state: FinalState, columns: int) -> tuple[str, str]:
    """Return the names of the two coordinates of `state_coordinates`."""
    if columns == 1:
        return state.row, state.name
    return f"first principal component of the {state.name}", "second principal component"


def _line(summary: RunSummary, column: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return _at(summary, CURVE_COLUMNS.index(column))


def _at(summary: RunSummary, place: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    shown = summary.curve[summary.curve[:, 0] >= 1]
    return shown[:, 0], shown[:, place]


def _draw_fraction(axes: Axes, summary: RunSummary, cell: Cell, name: str) -> None:
    """Draw an accuracy, or RQI, with its crossing; the legend says when that was."""
    system, colour = cell.system, MEASURE_COLOURS[name]
    updates, values = _line(summary, "rqi" if name == "rqi" else f"{name}_accuracy")
    step: int | None = getattr(summary, f"{name}_step")
    absent = not_reached(summary.steps_run, summary.diverged_step, system.unit)
    label = system.condition(name, system.threshold(name, cell.model))
    axes.plot(
        updates, values, color=colour, label=f"{label}: {crossing(step, absent, system.unit)}"
    )
    if step is not None:
        axes.axvline(max(step, 1), color=colour, linewidth=0.8, linestyle=":")


def _say_unknown(axes: Axes) -> None:
    axes.text(0.5, 0.5, "not known", ha="center", va="center", transform=axes.transAxes)


def _draw_state(axes: Axes, summary: RunSummary, state: FinalState) -> None:
    """One point for each row of the last state, its number beside it."""
    points = state_coordinates(summary.state)
    across, up = state_labels(state, summary.state.shape[1])
    axes.set(xlabel=across, ylabel=up)
    if not np.isfinite(points).all():
        _say_unknown(axes)
        return
    colours = sns.color_palette("viridis", len(points))
    axes.scatter(points[:, 0], points[:, 1], c=colours, s=36)
    for row, point in enumerate(points):
        axes.annotate(str(row), point, xytext=(4, 4), textcoords="offset points", fontsize=8)
