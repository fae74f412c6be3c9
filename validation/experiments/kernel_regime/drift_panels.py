"""Panels of a training: accuracies, and the two drifts of its kernel on a scale of their own."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from effective_theory.figures import Picture

_DRIFTS = (("kernel_drift", "C2", "relative drift"), ("kernel_turned", "C3", "1 - cos"))


def draw_drifts(
    axes: Axes, title: str, curve: Mapping[str, Any], accuracies: Mapping[str, tuple[str, str]]
) -> list[Any]:
    """Draw a training's accuracies and drifts, and return the lines for a legend.

    Parameters
    ----------
    axes, title
        Where, and of what.
    curve
        "update", the drifts, and the accuracies, by column.
    accuracies
        Label and style of each column that is drawn.
    """
    updates = np.maximum(curve["update"], 1)
    for column, (label, style) in accuracies.items():
        axes.plot(updates, curve[column], style, label=label)
    axes.set(title=title, xscale="log", ylim=(-0.02, 1.02))
    other = axes.twinx()
    # At 0 there is no drift, for which a log scale has no place.
    start = 1 if curve["update"][0] == 0 else 0
    for column, colour, label in _DRIFTS:
        other.plot(updates[start:], curve[column][start:], color=colour, label=label)
    other.set(yscale="log")
    return [*axes.get_lines(), *other.get_lines()]


def put_legend(figure: Picture, lines: list[Any]) -> None:
    """Put one legend for all panels below them."""
    figure.legend(handles=lines, frameon=False, ncols=len(lines), loc="outside lower center")
