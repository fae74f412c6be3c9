"""Pictures of what several seeds say together: the majority, and boundaries with their bands."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.text import Text
from numpy.typing import NDArray

from effective_theory.figures import figure_of
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.drawing.layout import Look
from phase_diagrams.drawing.palette import colours_of
from phase_diagrams.drawing.plane import Plane, draw_cells, require_plane, write_names
from phase_diagrams.drawing.style import LINE, STYLE, patch, phase_patches, shares_to
from phase_diagrams.phases import RUN_PHASES, Phase
from phase_diagrams.statistics.boundaries import Boundary
from phase_diagrams.statistics.probabilities import Majority
from phase_diagrams.sweeps.axes import Axis

_SIZE = (6.4, 5.5)


def plot_majority(diagram: PhaseDiagram, look: Look, confidence: float) -> Figure:
    """Draw the commonest phase of each cell; see `phase_diagrams.pictures.door.Pictures`."""
    colours = colours_of(look.palette)
    require_plane(diagram.spec.grid)
    plane = Plane.of(diagram.spec, swap=look.swap_axes)
    majority = diagram.majority(confidence)
    painted = np.array([to_rgb(colours[phase]) for phase in RUN_PHASES])
    one = np.where((majority.phases >= 0)[..., np.newaxis], painted[majority.phases], 1.0)
    with rc_context(STYLE):
        figure, panel = look.panel(_SIZE)
        draw_cells(panel, plane, _blend(one, np.nan_to_num(majority.share)[..., np.newaxis]))
        _draw_ties(panel, plane, majority, painted)
        names = write_names(panel, plane, majority.phases, colours)
        usual = f"majority of {len(diagram.spec.seeds)} seeds; paler: fewer of them"
        panel.set_title(look.titled(usual))
        doubtful = ~majority.certain & (majority.runs > 0)
        dots = _draw_dots(panel, plane, doubtful)
        there = [p for k, p in enumerate(RUN_PHASES) if majority.leading[..., k].any()]
        handles = phase_patches(there, colours)
        if (majority.runs == 0).any():
            some = "not all seeds run" if diagram.spec.predicted else "not run"
            handles.append(patch(colours[Phase.NOT_RUN], some))
        if len(dots):
            label = f"{confidence:.0%} interval not above 1/2"
            marker = {"marker": "o", "color": "#888888", "linestyle": ""}
            handles.append(Line2D([], [], **marker, label=label))  # type: ignore[arg-type]
        look.put_legend(figure, handles, 3)
        _leave_out_covering(names, panel, dots)
    return figure


def plot_boundary(diagram: PhaseDiagram, boundaries: Sequence[Boundary], look: Look) -> Figure:
    """Draw the probability of phases, and over it where it crosses a level, with its band.

    Parameters
    ----------
    diagram
        The sweep, over one or two axes.
    boundaries
        What its `boundary` returned: of the same phases along the same axis, such as the rising and
        the falling one.
    look
        As the caller of `phase_diagrams.pictures.door.Pictures.boundary` decides.

    Raises
    ------
    InputError
        If the sweep has more than two axes, or the palette is unknown.
    """
    require_plane(diagram.spec.grid)
    plane = Plane.of(diagram.spec, swap=look.swap_axes)
    first = boundaries[0]
    names = " or ".join(phase.label for phase in first.of)
    shades = shares_to(_blend(np.array(to_rgb(colours_of(look.palette)[first.of[0]])), 0.8))
    with rc_context(STYLE):
        figure, panel = look.panel(_SIZE)
        share = np.ma.masked_invalid(diagram.probability(first.of).value)
        draw_cells(panel, plane, share, cmap=shades, vmin=0, vmax=1)
        bar = figure.colorbar(panel.collections[0], ax=panel, shrink=0.9)
        bar.set_label(f"share of {len(diagram.spec.seeds)} seeds (grey: not run)")
        other = next(iter(first.others.values()), Axis((0,)))
        upwards = first.along == plane.y_name
        for one in boundaries:
            _draw_boundary(panel, one, other, upwards=upwards)
        usual = f"{names}: where {first.level:g} of the seeds are"
        panel.set_title(look.titled(usual))
        if not any(np.isfinite(one.value).any() for one in boundaries):
            _say(panel, no_crossing(share, first))
        else:
            band = f"{first.confidence:.0%} band over resampled seeds"
            handles = [
                Line2D([], [], color=LINE, label="boundary"),
                Patch(facecolor=LINE, alpha=0.3, label=band),
            ]
            look.put_legend(figure, handles, 2)
    return figure


def no_crossing(share: Any, boundary: Boundary) -> str:
    """Return why a boundary has no place in a diagram.

    Parameters
    ----------
    share
        Share of the seeds in the boundary's phases, masked where nothing was run.
    boundary
        One that crosses nowhere.
    """
    if not share.count():
        return "no boundary: nothing was run"
    least, most = float(share.min()), float(share.max())
    if most < boundary.level:
        return f"no boundary: the share is nowhere above {most:.2g}"
    if least > boundary.level:
        return f"no boundary: the share is nowhere below {least:.2g}"
    verb = {"any": "cross", "rising": "rise through", "falling": "fall through"}
    return (
        f"no boundary: along {boundary.along} the share does not "
        f"{verb[boundary.direction]} {boundary.level:g}"
    )


def _say(panel: Axes, text: str) -> None:
    panel.text(
        0.5, 0.5, text, ha="center", va="center", transform=panel.transAxes, wrap=True,
        bbox={"facecolor": "white", "edgecolor": "#888888", "boxstyle": "round"},
    )  # fmt: skip


def _blend(colours: Any, strength: Any) -> Any:
    """Mix colours with white; full strength leaves them as they are."""
    return 1 - strength * (1 - colours)


def _draw_ties(panel: Axes, plane: Plane, majority: Majority, painted: Any) -> None:
    """Fill each tied cell with one upright stripe for each of its phases."""
    x, y = plane.x, plane.y
    leading, share = plane.arrange(majority.leading), plane.arrange(majority.share)
    for row, column in zip(*np.nonzero(plane.arrange(majority.tied)), strict=True):
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


def _draw_dots(panel: Axes, plane: Plane, where: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Put a dot in some cells; return the dots' places, shape (dots, 2)."""
    x, y = plane.x, plane.y
    rows, columns = np.nonzero(plane.arrange(where))
    size = float(np.clip(120 / max(len(x), len(y)), 0.5, 4.5))
    places = np.column_stack([x.positions[columns], y.positions[rows]])
    if len(places):
        panel.plot(
            *places.T, "o", color="#888888", markersize=size, markeredgewidth=0.3,
            markeredgecolor="white",
        )  # fmt: skip
    return places


def _leave_out_covering(names: list[Text], panel: Axes, dots: NDArray[np.float64]) -> None:
    """Remove names that would cover dots; the legend has them."""
    if not (names and len(dots)):
        return
    # Where names and dots come to lie is known when the figure is laid out.
    figure_of(panel).draw_without_rendering()
    points = panel.transData.transform(dots)
    for name in names:
        (left, bottom), (right, top) = name.get_window_extent().padded(2).get_points()
        inside = (points >= (left, bottom)) & (points <= (right, top))
        if inside.all(axis=1).any():
            name.remove()


def _draw_boundary(panel: Axes, boundary: Boundary, other: Axis, *, upwards: bool) -> None:
    """Draw a line and a band across each cell of the other axis."""
    fill = panel.fill_between if upwards else panel.fill_betweenx
    line = panel.hlines if upwards else panel.vlines
    edges = other.edges
    values = (np.atleast_1d(a) for a in (boundary.value, boundary.low, boundary.high))
    for column, (value, low, high) in enumerate(zip(*values, strict=True)):
        start, end = edges[column : column + 2]
        if np.isfinite(value):
            line(value, start, end, colors=LINE, linewidth=2.2)
        if np.isfinite(low):
            fill([start, end], low, high, color=LINE, alpha=0.3, linewidth=0)
