"""Figures and their panels: new ones, or the caller's."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from effective_theory.figures import Picture, figure_of
from phase_diagrams.drawing.palette import Palette

Size = tuple[float, float]


@dataclass(frozen=True)
class Look:
    """What the caller of a picture decides on; see `phase_diagrams.pictures.door.Pictures`."""

    ax: Axes | None = None
    title: str | None = None
    figsize: Size | None = None
    palette: Palette = "default"
    swap_axes: bool = False
    legend: bool = True

    def panel(self, size: Size) -> tuple[Figure, Axes]:
        """Return the caller's panel with its figure, or a new one of this size."""
        if self.ax is not None:
            return figure_of(self.ax), self.ax
        figure = Picture(figsize=self.figsize or size, layout="constrained")
        return figure, figure.subplots()

    def panels(
        self, count: int, columns: int, each: Size, around: Size = (0.0, 0.0)
    ) -> tuple[Figure, list[Axes]]:
        """Return a new figure with some panels that share their axes.

        Parameters
        ----------
        count, columns
            Number of panels, and of those side by side.
        each
            Size of a panel, in inches.
        around
            What the figure is larger than its panels.
        """
        columns = min(count, columns)
        rows = math.ceil(count / columns)
        size = (around[0] + each[0] * columns, around[1] + each[1] * rows)
        figure = Picture(figsize=self.figsize or size, layout="constrained")
        if self.title is not None:
            figure.suptitle(self.title)
        there = list(figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).flat)
        for empty in there[count:]:
            empty.set_visible(False)
        return figure, there[:count]

    def titled(self, usual: str) -> str:
        """Return the caller's title, or the picture's own."""
        return usual if self.title is None else self.title

    def put_legend(self, figure: Figure, handles: Sequence[Any], columns: int) -> None:
        """Put a legend below the figure, or below the caller's panel, if there is to be one."""
        if not self.legend:
            return
        if self.ax is None:
            figure.legend(handles=handles, loc="outside lower center", ncols=columns, frameon=False)
        else:
            self.ax.legend(
                handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=columns,
                frameon=False, fontsize="small",
            )  # fmt: skip
