"""The plane of a diagram: cells with their true edges, on the axes' own scales."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.text import Text
from numpy.typing import NDArray
from scipy import ndimage

from effective_theory import InputError
from phase_diagrams.drawing.palette import Colours, is_dark
from phase_diagrams.drawing.ticks import put_ticks
from phase_diagrams.phases import RUN_PHASES, Phase
from phase_diagrams.sweeps.axes import Axis
from phase_diagrams.sweeps.spec import SweepSpec

#: From -1, as phases are stored.
ORDER = (Phase.NOT_RUN, *RUN_PHASES)
#: Drawn over inferred cells.
PALE = "#FFFFFF80"
#: Drawn over predicted cells.
HATCH = "////"
#: Cells have borders unless there are so many that borders would hide them.
_CELL_LINES: dict[str, Any] = {"edgecolors": "#FFFFFF30", "linewidth": 0.4}
_MOST_LINES = 50


@dataclass(frozen=True)
class Plane:
    """Two axes of a sweep, one to the right (x) and one upwards (y).

    Attributes
    ----------
    x_name, x, y_name, y
        The axes; one without a name has a single cell.
    x_label, y_label
        What stands beside them.
    swapped
        Whether the first axis of the sweep goes to the right, not upwards.
    """

    x_name: str
    x: Axis
    x_label: str
    y_name: str
    y: Axis
    y_label: str
    swapped: bool

    @classmethod
    def of(cls, spec: SweepSpec, *, swap: bool = False) -> "Plane":
        """Return the plane of one axis, which goes to the right, or of the first two.

        The first of two goes upwards, the second to the right; ``swap`` exchanges the two.
        """
        named = [(name, axis, spec.system.label(name)) for name, axis in spec.grid.items()][:2]
        upwards, right = named if len(named) == 2 else (("", Axis((0,)), ""), named[0])
        if swap:
            upwards, right = right, upwards
        return cls(*right, *upwards, swapped=swap and len(named) == 2)

    def arrange(self, values: Any) -> Any:
        """Return values of the axes' shape as (upwards, to the right); further dimensions stay."""
        axes = 2 if self.x_name and self.y_name else 1
        if self.swapped:
            values = values.swapaxes(0, 1)
        return values.reshape(len(self.y), len(self.x), *values.shape[axes:])


def require_plane(axes: Mapping[str, Axis]) -> None:
    """Raise InputError where a sweep has more axes than a picture."""
    if len(axes) > 2:
        raise InputError(
            f"a picture has one or two axes, this sweep has {len(axes)} ({', '.join(axes)}); "
            "choose a part of it, as by sel(..) or --at."
        )


def draw_cells(panel: Axes, plane: Plane, values: NDArray[Any], **colours: Any) -> NDArray[Any]:
    """Draw one rectangle for each cell; return the values as (upwards, to the right).

    Values of one more dimension are colours.
    """
    grid: NDArray[Any] = plane.arrange(values)
    lines = _CELL_LINES if max(grid.shape[:2]) <= _MOST_LINES else {}
    panel.pcolormesh(plane.x.edges, plane.y.edges, grid, **lines, **colours)
    panel.set(xlabel=plane.x_label, ylabel=plane.y_label)
    if plane.x.scale == "log":
        panel.set_xscale("log")
    if plane.y.scale == "log":
        panel.set_yscale("log")
    for drawn, name, axis in (
        (panel.xaxis, plane.x_name, plane.x),
        (panel.yaxis, plane.y_name, plane.y),
    ):
        if name:
            put_ticks(drawn, axis, upwards=drawn is panel.yaxis)
        else:
            drawn.set_ticks([])
    if panel.get_subplotspec() is not None:
        panel.label_outer()
    return grid


def draw_over(panel: Axes, plane: Plane, where: NDArray[np.bool_], colour: str) -> None:
    """Draw one colour over some cells."""
    if where.any():
        grid = np.ma.masked_equal(plane.arrange(where), False)
        panel.pcolormesh(plane.x.edges, plane.y.edges, grid, cmap=ListedColormap([colour]))


def hatch(panel: Axes, plane: Plane, where: NDArray[np.bool_]) -> None:
    """Hatch some cells."""
    if where.any():
        grid = np.ma.masked_equal(plane.arrange(where), False)
        panel.pcolor(
            plane.x.edges, plane.y.edges, grid, hatch=HATCH, edgecolor="#FFFFFFA0",
            facecolor="none", linewidth=0,
        )  # fmt: skip


def draw_phases(
    panel: Axes,
    plane: Plane,
    phases: NDArray[np.integer[Any]],
    colours: Colours,
    *,
    pale: NDArray[np.bool_] | None = None,
    hatched: NDArray[np.bool_] | None = None,
) -> None:
    """Draw the phases of cells, some pale or hatched, with names in the largest regions."""
    colour_map = ListedColormap([colours[phase] for phase in ORDER])
    norm = BoundaryNorm(np.arange(-1.5, len(RUN_PHASES)), colour_map.N)
    draw_cells(panel, plane, phases, cmap=colour_map, norm=norm)
    if pale is not None:
        draw_over(panel, plane, pale, PALE)
    if hatched is not None:
        hatch(panel, plane, hatched)
    write_names(panel, plane, phases, colours)


def write_names(
    panel: Axes, plane: Plane, phases: NDArray[np.integer[Any]], colours: Colours
) -> list[Text]:
    """Write each phase's name at the heart of its largest region, if there is room for it."""
    grid = plane.arrange(phases)
    texts = []
    for phase in RUN_PHASES:
        regions, count = ndimage.label(grid == phase)
        if count == 0:
            continue
        sizes = np.bincount(regions.ravel())[1:]
        region = np.pad(regions == 1 + int(sizes.argmax()), 1)
        # Names are wide: distance to the border counts less along the horizontal.
        depth = ndimage.distance_transform_edt(region, sampling=(1.0, 0.45))[1:-1, 1:-1]
        row, column = np.unravel_index(int(depth.argmax()), depth.shape)
        if depth[row, column] * 2 < 0.1 * min(grid.shape) + 0.5:
            continue
        texts.append(
            panel.text(
                plane.x.positions[column], plane.y.positions[row], phase.label, ha="center",
                va="center", color="white" if is_dark(colours[phase]) else "black",
                fontsize="medium", weight="bold",
            )
        )  # fmt: skip
    return texts
