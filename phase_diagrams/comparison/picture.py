"""Picture of a comparison: the table of labels, and where they disagree."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import seaborn as sns
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray

from effective_theory.figures import Picture
from phase_diagrams.drawing.layout import Size
from phase_diagrams.drawing.plane import Plane, draw_cells
from phase_diagrams.drawing.style import STYLE, differing
from phase_diagrams.phases import Phase
from phase_diagrams.sweeps.spec import SweepSpec

Labels = NDArray[np.int8]


class Table(NamedTuple):
    """Runs by label of two diagrams, in the order of ``labels``, and what the table says."""

    names: tuple[str, str]
    labels: Sequence[Phase]
    runs: NDArray[np.int64]
    title: str


def plot_comparison(
    spec: SweepSpec,
    table: Table,
    *,
    phases: tuple[Labels, Labels],
    title: str | None = None,
    figsize: Size | None = None,
) -> Figure:
    """Draw the table of labels and, for one or two axes, the share of shared runs that differ.

    Parameters
    ----------
    spec
        The sweep of the first diagram.
    table
        Runs by label of the first (rows) and of the second, with what it is called.
    phases
        Labels of both on the axes of the first; `Phase.NOT_RUN` where no run is shared.
    title
        Over both panels.
    figsize
        Width and height of the figure, in inches.
    """
    has_map = len(spec.grid) <= 2
    parts = 1 + has_map
    with rc_context(STYLE):
        figure = Picture(figsize=figsize or (6.2 * parts, 5.2), layout="constrained")
        if title is not None:
            figure.suptitle(title)
        # Each panel is the outer one of its part, so that both keep the names of their axes.
        halves = figure.subfigures(1, parts, squeeze=False)[0]
        _draw_table(halves[0].subplots(), table)
        if has_map:
            _draw_disagreement(halves[1], spec, phases)
    return figure


def _draw_table(panel: Axes, table: Table) -> None:
    """Colour shows the share within a row, the numbers are runs."""
    shown = table.runs
    shares = shown / np.maximum(shown.sum(axis=1, keepdims=True), 1)
    labels = [phase.label for phase in table.labels]
    sns.heatmap(
        shares, annot=shown, fmt="d", cmap="Greys", vmin=0, vmax=1.3, cbar=False, square=True,
        linewidths=0.5, linecolor="#CCCCCC", xticklabels=labels, yticklabels=labels, ax=panel,
    )  # fmt: skip
    panel.tick_params(length=0)
    panel.tick_params(axis="x", rotation=20)
    panel.tick_params(axis="y", rotation=0)
    panel.set(ylabel=table.names[0], xlabel=table.names[1], title=table.title)


def _draw_disagreement(part: SubFigure, spec: SweepSpec, phases: tuple[Labels, Labels]) -> None:
    panel = part.subplots()
    first, second = phases
    shared = (first != Phase.NOT_RUN).sum(-1)
    with np.errstate(invalid="ignore"):
        share = np.ma.masked_invalid((first != second).sum(-1) / shared)
    draw_cells(panel, Plane.of(spec), share, cmap=differing(), vmin=0, vmax=1)
    several = int(shared.max()) > 1
    panel.set_title(
        "labels that differ" + (" (grey: nothing shared)" if (shared == 0).any() else "")
    )
    if several:
        bar = part.colorbar(panel.collections[0], ax=panel, shrink=0.9)
        bar.set_label("share of the shared runs")
