"""Picture of a comparison: the table of labels, and where they disagree."""

import numpy as np
import seaborn as sns
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from effective_theory.figures import Picture
from phase_diagrams.comparison.result import Comparison
from phase_diagrams.drawing.layout import Size
from phase_diagrams.drawing.palette import STYLE, differing
from phase_diagrams.drawing.plane import Plane, draw_cells
from phase_diagrams.phases import RUN_PHASES, Phase


def plot_comparison(
    comparison: Comparison, *, title: str | None = None, figsize: Size | None = None
) -> Figure:
    """Draw the table of labels and, for one or two axes, the share of shared runs that differ.

    Parameters
    ----------
    comparison
        What `compare` returned.
    title
        Over both panels.
    figsize
        Width and height of the figure, in inches.
    """
    has_map = len(comparison.spec.grid) <= 2
    parts = 1 + has_map
    with rc_context(STYLE):
        figure = Picture(figsize=figsize or (6.2 * parts, 5.2), layout="constrained")
        if title is not None:
            figure.suptitle(title)
        # Each panel is the outer one of its part, so that both keep the names of their axes.
        halves = figure.subfigures(1, parts, squeeze=False)[0]
        _draw_table(halves[0].subplots(), comparison)
        if has_map:
            _draw_disagreement(halves[1], comparison)
    return figure


def _draw_table(panel: Axes, comparison: Comparison) -> None:
    """Colour shows the share within a row, the numbers are runs."""
    table = comparison.table
    there = comparison.present
    shown = table[np.ix_(there, there)]
    shares = shown / np.maximum(shown.sum(axis=1, keepdims=True), 1)
    labels = [RUN_PHASES[k].label for k in there]
    sns.heatmap(
        shares, annot=shown, fmt="d", cmap="Greys", vmin=0, vmax=1.3, cbar=False, square=True,
        linewidths=0.5, linecolor="#CCCCCC", xticklabels=labels, yticklabels=labels, ax=panel,
    )  # fmt: skip
    panel.tick_params(length=0)
    panel.tick_params(axis="x", rotation=20)
    panel.tick_params(axis="y", rotation=0)
    a, b = comparison.names
    panel.set_ylabel(a)
    panel.set_xlabel(b)
    kappa = "undefined" if np.isnan(comparison.kappa) else f"{comparison.kappa:.2f}"
    panel.set_title(f"{comparison.agreeing} of {comparison.shared} labels agree, kappa {kappa}")


def _draw_disagreement(part: SubFigure, comparison: Comparison) -> None:
    panel = part.subplots()
    first, second = comparison.phases
    shared = (first != Phase.NOT_RUN).sum(-1)
    with np.errstate(invalid="ignore"):
        share = np.ma.masked_invalid((first != second).sum(-1) / shared)
    draw_cells(panel, Plane.of(comparison.spec.grid), share, cmap=differing(), vmin=0, vmax=1)
    several = int(shared.max()) > 1
    panel.set_title(
        "labels that differ" + (" (grey: nothing shared)" if (shared == 0).any() else "")
    )
    if several:
        bar = part.colorbar(panel.collections[0], ax=panel, shrink=0.9)
        bar.set_label("share of the shared runs")
