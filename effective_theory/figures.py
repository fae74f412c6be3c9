"""Figures that belong to whoever holds them: pyplot neither keeps them nor shows them again."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from effective_theory.checks import InputError
from effective_theory.files import png_of


class Picture(Figure):
    """A figure that a notebook shows where it is a cell's result, once, with any backend."""

    def _repr_png_(self) -> bytes:
        """Return the picture as a notebook shows it."""
        return png_of(self)


def figure_of(panel: Axes) -> Figure:
    """Return the figure in which a panel lies, however deep."""
    figure = panel.get_figure(root=True)
    if figure is None:
        raise InputError("ax has been removed from its figure; give axes of a figure.")
    return figure
