"""The picture of one stored run, in the colours of the diagrams."""

from typing import Any

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from effective_theory import ToyModel
from effective_theory.checks import refuse_masked
from effective_theory.figures import Picture
from effective_theory.plotting import RQI_COLOUR, TEST_COLOUR, TRAIN_COLOUR
from effective_theory.report import crossing, not_reached
from phase_diagrams.drawing.palette import PALETTES
from phase_diagrams.drawing.style import phase_patches
from phase_diagrams.phases import Phase
from phase_diagrams.runs.summary import CURVE_COLUMNS, RunSummary


def plot_run(
    summary: RunSummary,
    model: ToyModel,
    phase: Phase,
    *,
    title: str,
    figsize: tuple[float, float] | None = None,
) -> Figure:
    """Draw a stored run: accuracies with RQI and losses against updates, and its embeddings.

    Updates are on a log axis, on which the state before the first update has no place. Dotted lines
    are the first updates with the train accuracy, the test accuracy and RQI at their thresholds.

    Parameters
    ----------
    summary, model, phase
        The run, what was trained and the run's phase.
    title
        Such as the run's name.
    figsize
        Width and height of the figure, in inches.
    """
    lines = (
        (f"train accuracy ≥ {model.train_threshold:g}", "train", TRAIN_COLOUR),
        (f"test accuracy ≥ {model.test_threshold:g}", "test", TEST_COLOUR),
        (f"RQI > {model.rqi_threshold:g}", "rqi", RQI_COLOUR),
    )
    with sns.axes_style("ticks"):
        figure = Picture(figsize=figsize or (10.4, 5.4), layout="constrained")
        panels = figure.subplot_mosaic(
            [["accuracies", "embeddings"], ["losses", "embeddings"]], width_ratios=(1.35, 1)
        )
        accuracies, losses = panels["accuracies"], panels["losses"]
        for name, side, colour in lines:
            _draw_fraction(accuracies, summary, name, side, colour)
        accuracies.set(ylim=(-0.02, 1.02), ylabel="fraction")
        for side, colour in (("train", TRAIN_COLOUR), ("test", TEST_COLOUR)):
            losses.plot(*_line(summary, f"{side}_loss"), color=colour, label=f"{side} loss")
        losses.set(yscale="log", ylabel="loss", xlabel="updates")
        for axes in (accuracies, losses):
            axes.set(xscale="log", xlim=(1, max(2, summary.steps_run)))
            if axes.get_lines():  # a run may diverge before it has anything to show
                axes.legend(frameon=False, fontsize="small", loc="best")
        accuracies.tick_params(which="both", labelbottom=False)
        _draw_embeddings(panels["embeddings"], summary)
        figure.legend(
            handles=phase_patches([phase], PALETTES["default"]),
            loc="outside upper center", frameon=False, title=title,
        )  # fmt: skip
        sns.despine(figure)
    return figure


def embedding_coordinates(embeddings: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return a point of the plane for each symbol, shape (p, 2).

    In one dimension (symbol, embedding); in more, the first two principal components, each with the
    sign that makes it grow from the first symbols to the last. NaN where embeddings are not finite.

    Parameters
    ----------
    embeddings
        Shape (p, d).
    """
    refuse_masked("embeddings", embeddings)
    values = np.asarray(embeddings, dtype=np.float64)
    symbols, dimensions = values.shape
    if dimensions == 1:
        return np.column_stack([np.arange(symbols), values])
    if not np.isfinite(values).all():
        return np.full((symbols, 2), np.nan)
    centred = values - values.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    points = centred @ directions[:2].T
    rises = (np.arange(symbols) - (symbols - 1) / 2) @ points
    return np.asarray(points * np.where(rises < 0, -1.0, 1.0))


def embedding_labels(dimensions: int) -> tuple[str, str]:
    """Return the names of the two coordinates of `embedding_coordinates`."""
    if dimensions == 1:
        return "symbol", "embedding"
    return "first principal component of the embeddings", "second principal component"


def _line(summary: RunSummary, column: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    shown = summary.curve[summary.curve[:, 0] >= 1]
    return shown[:, 0], shown[:, CURVE_COLUMNS.index(column)]


def _draw_fraction(axes: Axes, summary: RunSummary, name: str, side: str, colour: str) -> None:
    """Draw the train or test accuracy, or RQI, with its crossing; the legend says when that was."""
    updates, values = _line(summary, "rqi" if side == "rqi" else f"{side}_accuracy")
    step: int | None = getattr(summary, f"{side}_step")
    # RQI is not defined for every task; accuracies are, though a run may have ended at once.
    if side != "rqi" or np.isfinite(values).any() or step is not None:
        when = crossing(step, not_reached(summary.steps_run, summary.diverged_step))
        axes.plot(updates, values, color=colour, label=f"{name}: {when}")
    if step is not None:
        axes.axvline(max(step, 1), color=colour, linewidth=0.8, linestyle=":")


def _draw_embeddings(axes: Axes, summary: RunSummary) -> None:
    """One point for each symbol, written beside it."""
    points = embedding_coordinates(summary.embeddings)
    across, up = embedding_labels(summary.embeddings.shape[1])
    axes.set(xlabel=across, ylabel=up, title=f"embeddings after update {summary.steps_run}")
    axes.title.set_fontsize("medium")
    if not np.isfinite(points).all():
        axes.text(0.5, 0.5, "not known", ha="center", va="center", transform=axes.transAxes)
        return
    colours = sns.color_palette("viridis", len(points))
    axes.scatter(points[:, 0], points[:, 1], c=colours, s=36)
    for symbol, point in enumerate(points):
        axes.annotate(str(symbol), point, xytext=(4, 4), textcoords="offset points", fontsize=8)
