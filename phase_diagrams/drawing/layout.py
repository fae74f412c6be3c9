"""Figures and their panels: new ones, or the caller's."""

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from effective_theory.figures import Picture, figure_of

Size = tuple[float, float]


def one_panel(ax: Axes | None, size: Size) -> tuple[Figure, Axes]:
    """Return the caller's panel with its figure, or a new one."""
    if ax is not None:
        return figure_of(ax), ax
    figure = Picture(figsize=size, layout="constrained")
    return figure, figure.subplots()


def panels(count: int, columns: int, size: Size | None, each: Size) -> tuple[Figure, list[Axes]]:
    """Return a new figure with some panels that share their axes.

    Parameters
    ----------
    count, columns
        Number of panels, and of those side by side.
    size
        Of the figure, in inches; None for that of all panels.
    each
        Size of a panel.
    """
    columns = min(count, columns)
    rows = math.ceil(count / columns)
    figure = Picture(figsize=size or (each[0] * columns, each[1] * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    there = list(grid.flat)
    for empty in there[count:]:
        empty.set_visible(False)
    return figure, there[:count]


def put_legend(figure: Figure, ax: Axes | None, handles: Sequence[Any], columns: int) -> None:
    """Put a legend below the figure, or below the caller's panel."""
    if ax is None:
        figure.legend(handles=handles, loc="outside lower center", ncols=columns, frameon=False)
    else:
        ax.legend(
            handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=columns,
            frameon=False, fontsize="small",
        )  # fmt: skip
