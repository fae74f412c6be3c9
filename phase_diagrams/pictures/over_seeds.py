"""Pictures of what several seeds say together: the majority, and boundaries with their bands."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from effective_theory import InputError
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.phases import RUN_PHASES, Phase
from phase_diagrams.pictures.cells import (
    STYLE,
    Palette,
    axes_of,
    colours_of,
    draw_cells,
    write_names,
)
from phase_diagrams.statistics.boundaries import Boundary
from phase_diagrams.statistics.probabilities import Majority
from phase_diagrams.sweeps.axes import Axis

_LINE = "#1E1E1E"


def plot_majority(
    diagram: PhaseDiagram, *, palette: Palette = "default", confidence: float = 0.95
) -> Figure:
    """Draw the commonest phase of each cell over all seeds.

    The paler a colour, the smaller the share of the runs in that phase. Cells with a dot are not
    certain: the interval of the share does not lie above 1/2. Ties show a stripe for each phase.

    Parameters
    ----------
    diagram
        A sweep over one or two axes.
    palette
        "default" (safe for colour-blind readers) or "paper".
    confidence
        Of the interval.

    Raises
    ------
    InputError
        If the sweep has more than two axes, or the palette is unknown.
    """
    colours = colours_of(palette)
    majority = diagram.majority(confidence)
    painted = np.array([to_rgb(colours[phase]) for phase in RUN_PHASES])
    one = np.where((majority.phases >= 0)[..., np.newaxis], painted[majority.phases], 1.0)
    with sns.axes_style("ticks", STYLE):
        figure, panel = _single_panel(diagram)
        shown = _blend(one, np.nan_to_num(majority.share)[..., np.newaxis])
        draw_cells(panel, diagram, shown)
        _draw_ties(panel, diagram, majority, painted)
        write_names(panel, diagram, _as_grid(diagram, majority.phases), colours)
        _draw_dots(panel, diagram, majority)
        seeds = len(diagram.spec.seeds)
        panel.set_title(f"majority of {seeds} seeds; paler: fewer of them")
        there = [bool(majority.leading[..., k].any()) for k in range(len(RUN_PHASES))]
        handles: list[Any] = [
            Patch(facecolor=colours[phase], edgecolor="#444444", label=phase.label)
            for phase, leads in zip(RUN_PHASES, there, strict=True)
            if leads
        ]
        if (majority.runs == 0).any():
            empty = colours[Phase.NOT_RUN]
            handles.append(Patch(facecolor=empty, edgecolor="#444444", label="not run"))
        if (~majority.certain & (majority.runs > 0)).any():
            label = f"{confidence:.0%} interval not above 1/2"
            handles.append(Line2D([], [], marker="o", color="#888888", linestyle="", label=label))
        figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    return figure


def plot_boundary(diagram: PhaseDiagram, boundary: Boundary, *others: Boundary) -> Figure:
    """Draw the probability of a boundary's phases, and over it the boundary with its band.

    Parameters
    ----------
    diagram
        The sweep, over one or two axes.
    boundary
        What its `boundary` returned.
    *others
        More boundaries of the same phases along the same axis, such as the other direction.

    Raises
    ------
    InputError
        If the sweep has more than two axes.
    """
    names = " or ".join(phase.label for phase in boundary.of)
    colour = colours_of("default")[boundary.of[0]]
    top = _blend(np.array(to_rgb(colour)), 0.8)
    shades = LinearSegmentedColormap.from_list("share", ["#FFFFFF", top])
    with sns.axes_style("ticks", STYLE):
        figure, panel = _single_panel(diagram)
        share = np.ma.masked_invalid(diagram.probability(boundary.of).value)
        draw_cells(panel, diagram, share, cmap=shades.with_extremes(bad="#DDDDDD"), vmin=0, vmax=1)
        bar = figure.colorbar(panel.collections[0], ax=panel, shrink=0.9)
        bar.set_label(f"share of {len(diagram.spec.seeds)} seeds (grey: not run)")
        (right, _), (_, other) = axes_of(diagram)
        if boundary.others:
            other = next(iter(boundary.others.values()))
        for one in (boundary, *others):
            _draw_boundary(panel, one, other, upwards=right != boundary.along)
        panel.set_title(f"{names}: where {boundary.level:g} of the seeds are")
        band = f"{boundary.confidence:.0%} band over resampled seeds"
        handles = [
            Line2D([], [], color=_LINE, label="boundary"),
            Patch(facecolor=_LINE, alpha=0.3, label=band),
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    return figure


def _single_panel(diagram: PhaseDiagram) -> tuple[Figure, Axes]:
    if len(diagram.spec.grid) > 2:
        raise InputError(
            f"a picture has one or two axes, this sweep has {len(diagram.spec.grid)} "
            f"({', '.join(diagram.spec.grid)}); choose a part of it."
        )
    return plt.subplots(figsize=(6.4, 5.5), layout="constrained")


def _as_grid(diagram: PhaseDiagram, values: Any) -> Any:
    """Return values of the axes' shape as (upwards, to the right)."""
    (_, x), (_, y) = axes_of(diagram)
    return values.reshape(len(y), len(x), *values.shape[len(diagram.spec.grid) :])


def _blend(colours: Any, strength: Any) -> Any:
    """Mix colours with white; full strength leaves them as they are."""
    return 1 - strength * (1 - colours)


def _draw_ties(panel: Axes, diagram: PhaseDiagram, majority: Majority, painted: Any) -> None:
    """Fill each tied cell with one upright stripe for each of its phases."""
    (_, x), (_, y) = axes_of(diagram)
    leading, share = (_as_grid(diagram, a) for a in (majority.leading, majority.share))
    for row, column in zip(*np.nonzero(_as_grid(diagram, majority.tied)), strict=True):
        phases = np.flatnonzero(leading[row, column])
        start, end = x.edges[column : column + 2]
        spaced = np.geomspace if x.scale == "log" else np.linspace
        stripes = spaced(start, end, len(phases) + 1)
        bottom, top = y.edges[row : row + 2]
        for phase, left, right in zip(phases, stripes[:-1], stripes[1:], strict=True):
            colour = _blend(painted[phase], share[row, column])
            panel.add_patch(
                Rectangle((left, bottom), right - left, top - bottom, facecolor=colour, lw=0)
            )


def _draw_dots(panel: Axes, diagram: PhaseDiagram, majority: Majority) -> None:
    """Put a dot in the cells whose majority is not certain."""
    (_, x), (_, y) = axes_of(diagram)
    rows, columns = np.nonzero(_as_grid(diagram, ~majority.certain & (majority.runs > 0)))
    size = float(np.clip(120 / max(len(x), len(y)), 0.5, 4.5))
    panel.plot(
        x.positions[columns], y.positions[rows], "o", color="#888888", markersize=size,
        markeredgewidth=0.3, markeredgecolor="white",
    )  # fmt: skip


def _draw_boundary(panel: Axes, boundary: Boundary, other: Axis, *, upwards: bool) -> None:
    """Draw a line and a band across each cell of the other axis."""
    fill = panel.fill_between if upwards else panel.fill_betweenx
    line = panel.hlines if upwards else panel.vlines
    edges = other.edges
    values = (np.atleast_1d(a) for a in (boundary.value, boundary.low, boundary.high))
    for column, (value, low, high) in enumerate(zip(*values, strict=True)):
        start, end = edges[column : column + 2]
        if np.isfinite(value):
            line(value, start, end, colors=_LINE, linewidth=2.2)
        if np.isfinite(low):
            fill([start, end], low, high, color=_LINE, alpha=0.3, linewidth=0)
