"""Pictures of phase diagrams: measured cells with their true edges, on the axes' own scales."""

import math
from typing import Any, Literal

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray
from scipy import ndimage

from effective_theory import InputError
from effective_theory.report import not_reached
from phase_diagrams.diagram import MOST_PANELS, PhaseDiagram
from phase_diagrams.phases import RUN_PHASES, Phase, Source
from phase_diagrams.sweeps.axes import Axis
from phase_diagrams.wording import seed_name

Palette = Literal["default", "paper"]

_NEUTRAL = {Phase.DIVERGED: "#C0392B", Phase.NOT_RUN: "#FFFFFF"}
#: Colours of the phases. "paper" is the published palette, whose first two nearly merge for
#: red-green colour-blind readers; the default raises their distance (Lab) from 12 to 44.
PALETTES: dict[Palette, dict[Phase, str]] = {
    "default": {
        Phase.COMPREHENSION: "#35B779",
        Phase.GROKKING: "#FDE725",
        Phase.MEMORIZATION: "#46327E",
        Phase.CONFUSION: "#1E1E1E",
        **_NEUTRAL,
    },
    "paper": {
        Phase.COMPREHENSION: "#A0DA39",
        Phase.GROKKING: "#FDE725",
        Phase.MEMORIZATION: "#46327E",
        Phase.CONFUSION: "#1E1E1E",
        **_NEUTRAL,
    },
}

#: From -1, as phases are stored.
_ORDER = (Phase.NOT_RUN, *RUN_PHASES)

#: Drawn over cells that were inferred, and in maps of steps over those that were not run.
_PALE, _ABSENT = "#FFFFFF80", "#D0D0D0"

#: Names of fields on the axes of pictures, where they are not the field's own.
NAMES = {
    "embedding_lr": "embedding learning rate",
    "decoder_lr": "decoder learning rate",
    "embedding_weight_decay": "embedding weight decay",
    "decoder_weight_decay": "decoder weight decay",
    "embedding_scale": "scale of initial embeddings",
    "train_size": "training samples",
}
#: Cells have borders unless there are so many that borders would hide them.
_CELL_LINES: dict[str, Any] = {"edgecolors": "#FFFFFF30", "linewidth": 0.4}
_MOST_LINES = 50
#: What all pictures share.
STYLE: dict[str, Any] = {
    "axes.grid": False,
    "axes.edgecolor": "#444444",
    "axes.titlesize": "medium",
    "figure.facecolor": "white",
}


def colours_of(palette: Palette) -> dict[Phase, str]:
    """Return the colours of a palette, or raise InputError if there is none of that name."""
    if palette not in PALETTES:
        raise InputError(f"palette must be one of {', '.join(PALETTES)}, not {palette!r}.")
    return PALETTES[palette]


def plot_phases(diagram: PhaseDiagram, *, palette: Palette = "default") -> Figure:
    """Draw the phase of each cell, one panel for each seed.

    The first axis goes up, the second to the right; inferred cells are pale. Phase names stand in
    their largest region, or in the legend where no region is large enough.

    Parameters
    ----------
    diagram
        A sweep over one or two axes.
    palette
        "default" (safe for colour-blind readers) or "paper".

    Raises
    ------
    InputError
        If the sweep has more than two axes, or the palette is unknown.
    """
    colours = colours_of(palette)
    phases = diagram.phases
    with sns.axes_style("ticks", STYLE):
        figure, panels = _panels(diagram, 1)
        for seed, panel in enumerate(panels):
            inferred = diagram.source[..., seed] == Source.INFERRED
            draw_phases(panel, diagram, phases[..., seed], colours, pale=inferred)
            panel.set_title(_seed_title(diagram, seed).removesuffix(", "))
        present = [phase for phase in _ORDER if (phases == phase).any()]
        handles = [Patch(facecolor=colours[p], edgecolor="#444444", label=p.label) for p in present]
        if (diagram.source == Source.INFERRED).any():
            pale = ListedColormap([_PALE])(0)
            handles.append(Patch(facecolor=pale, edgecolor="#444444", label="pale: inferred"))
        figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)
    return figure


def draw_phases(
    panel: Axes,
    diagram: PhaseDiagram,
    phases: NDArray[np.integer[Any]],
    colours: dict[Phase, str],
    *,
    pale: NDArray[np.bool_],
) -> None:
    """Draw phases on the axes of a diagram, some cells pale, with names in the largest regions."""
    colour_map = ListedColormap([colours[phase] for phase in _ORDER])
    norm = BoundaryNorm(np.arange(-1.5, len(RUN_PHASES)), colour_map.N)
    grid = draw_cells(panel, diagram, phases, cmap=colour_map, norm=norm)
    _draw_over(panel, diagram, pale, _PALE)
    write_names(panel, diagram, grid, colours)


def plot_steps(diagram: PhaseDiagram) -> Figure:
    """Draw the updates until train and test accuracy reach their thresholds, as heat maps.

    White cells never reached it within their run; grey ones were not run.
    """
    titles = tuple(
        f"{side} accuracy at its threshold"
        if f"{side}_threshold" in diagram.spec.grid
        else f"{side} accuracy ≥ {getattr(diagram.spec.model, f'{side}_threshold'):g}"
        for side in ("train", "test")
    )
    both = np.ma.stack([diagram.train_step, diagram.test_step])
    top = int(both.max()) if both.count() else 1
    low = max(1, int(both.min())) if both.count() else 1
    norm = LogNorm(low, max(top, low + 1))
    with sns.axes_style("ticks", STYLE):
        figure, panels = _panels(diagram, 2)
        for place, panel in enumerate(panels):
            seed, which = divmod(place, 2)
            # A crossing at update 0 has no logarithm; it is drawn as the first update.
            steps = np.ma.clip(both[which][..., seed], 1, None)
            draw_cells(panel, diagram, steps, cmap="viridis_r", norm=norm)
            _draw_over(panel, diagram, ~diagram.measured[..., seed], _ABSENT)
            panel.set_title(f"{_seed_title(diagram, seed)}{titles[which]}")
        bar = figure.colorbar(panels[0].collections[0], ax=list(panels), shrink=0.9)
        measured = diagram.measured.all()
        grey = "" if measured else "; grey: not run"
        bar.set_label(f"updates (white: {not_within(diagram)}{grey})")
    return figure


def not_within(diagram: PhaseDiagram) -> str:
    """Return in words what it means that runs of a sweep did not reach a threshold."""
    swept = "steps" in diagram.spec.grid
    text = "not within its steps" if swept else not_reached(diagram.spec.model.steps)
    return f"{text}, or before it diverged" if diagram.diverged_step.count() else text


def _panels(diagram: PhaseDiagram, for_each_seed: int) -> tuple[Figure, list[Axes]]:
    if not diagram.fits_a_picture:
        raise InputError(
            f"a picture has one or two axes and at most {MOST_PANELS} seeds, this sweep has "
            f"{len(diagram.spec.grid)} ({', '.join(diagram.spec.grid)}) and "
            f"{len(diagram.spec.seeds)}; choose a part of it."
        )
    count = len(diagram.spec.seeds) * for_each_seed
    columns = min(count, 4 if for_each_seed == 1 else 2)
    rows = math.ceil(count / columns)
    width = 6.4 if columns == 1 else 4.6
    figure, axes = plt.subplots(
        rows, columns, figsize=(width * columns, 0.86 * width * rows), layout="constrained",
        squeeze=False, sharex=True, sharey=True,
    )  # fmt: skip
    panels = list(axes.flat)
    for empty in panels[count:]:
        empty.set_visible(False)
    return figure, panels[:count]


def _seed_title(diagram: PhaseDiagram, seed: int) -> str:
    several = len(diagram.spec.seeds) > 1
    return f"{seed_name(diagram.spec.seeds[seed])}, " if several else ""


def axis_label(name: str) -> str:
    """Return the name of a swept field as it stands beside an axis."""
    return NAMES.get(name, name.replace("_", " "))


def axes_of(diagram: PhaseDiagram) -> tuple[tuple[str, Axis], tuple[str, Axis]]:
    """Return the axis drawn to the right and the one drawn upwards; a single one goes right."""
    named = list(diagram.spec.grid.items())
    return (named[0], ("", Axis((0,)))) if len(named) == 1 else (named[1], named[0])


def draw_cells(
    panel: Axes, diagram: PhaseDiagram, values: NDArray[Any], **colours: Any
) -> NDArray[Any]:
    """Draw one rectangle for each cell; return the values as (upwards, to the right).

    Values of one more dimension are colours.
    """
    (x_name, x), (y_name, y) = axes_of(diagram)
    grid = values.reshape(len(y), len(x), *values.shape[len(diagram.spec.grid) :])
    lines = _CELL_LINES if max(grid.shape[:2]) <= _MOST_LINES else {}
    panel.pcolormesh(x.edges, y.edges, grid, **lines, **colours)
    for axis, name, set_scale, set_label, ticks in (
        (x, x_name, panel.set_xscale, panel.set_xlabel, panel.set_xticks),
        (y, y_name, panel.set_yscale, panel.set_ylabel, panel.set_yticks),
    ):
        if axis.scale == "log":
            set_scale("log")
        elif not name:
            ticks([])
        elif axis.scale == "ordinal":
            ticks(axis.positions, axis.texts)
        set_label(axis_label(name))
    panel.label_outer()
    return grid


def _draw_over(panel: Axes, diagram: PhaseDiagram, where: NDArray[np.bool_], colour: str) -> None:
    """Draw one colour over some cells."""
    if where.any():
        (_, x), (_, y) = axes_of(diagram)
        grid = np.ma.masked_equal(where.reshape(len(y), len(x)), False)
        panel.pcolormesh(x.edges, y.edges, grid, cmap=ListedColormap([colour]))


def write_names(
    panel: Axes, diagram: PhaseDiagram, grid: NDArray[Any], colours: dict[Phase, str]
) -> None:
    """Write each phase's name at the heart of its largest region, if there is room for it."""
    (_, x), (_, y) = axes_of(diagram)
    for phase in RUN_PHASES:
        regions, count = ndimage.label(grid == phase)
        if count == 0:
            continue
        sizes = np.bincount(regions.ravel())[1:]
        region = np.pad(regions == 1 + int(sizes.argmax()), 1)
        # Names are wide: distance to the border counts less along the horizontal.
        depth = ndimage.distance_transform_edt(region, sampling=(1.0, 0.45))[1:-1, 1:-1]
        row, column = np.unravel_index(int(depth.argmax()), depth.shape)
        if depth[row, column] * 2 < 0.1 * min(len(x), len(y)) + 0.5:
            continue
        red, green, blue = (int(colours[phase][k : k + 2], 16) for k in (1, 3, 5))
        is_dark = 0.299 * red + 0.587 * green + 0.114 * blue < 140
        panel.text(
            x.positions[column], y.positions[row], phase.label, ha="center", va="center",
            color="white" if is_dark else "black", fontsize="medium", weight="bold",
        )  # fmt: skip
