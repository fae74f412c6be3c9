"""The panels of a page: Bokeh figures and the columns that page.js fills."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import seaborn as sns
from bokeh.models import ColumnDataSource, CustomJS, FixedTicker, HoverTool, Span, TapTool, Text
from bokeh.plotting import figure
from numpy.typing import NDArray

from effective_theory.plotting import MEASURE_COLOURS, TEST_COLOUR, TRAIN_COLOUR
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.drawing.plane import Plane
from phase_diagrams.page.data import column_of
from phase_diagrams.phases import Phase
from phase_diagrams.sweeps.axes import Axis

_TOOLS = "pan,wheel_zoom,box_zoom,reset,save"
_MARK_COLOUR = "#D95F0E"
_SIDES = {"left": "left", "right": "right", "bottom": "bottom", "top": "top"}
#: A click that holds a cell ends the following of the pointer.
_FOLLOW = """
const under = cb_data.index.indices
const cell = under[under.length - 1]
const held = cells.selected.indices.length > 0
if (cell === undefined || held || shown.data.cell[0] === cell) return
shown.data = {...shown.data, cell: [cell]}
"""
_HOLD = """
const [cell] = cb_obj.indices
if (cell !== undefined) shown.data = {...shown.data, cell: [cell]}
"""


def phases_panel(
    diagram: PhaseDiagram, named: list[Phase], cell: int, colours: dict[Phase, str]
) -> tuple[figure, ColumnDataSource, ColumnDataSource, ColumnDataSource]:
    """Return the diagram, its cells, the cell that is shown and the frame around that one.

    Parameters
    ----------
    diagram
        The sweep.
    named
        Phase of each cell, as the selectors are at first.
    cell
        The cell that is shown at first.
    colours
        Colours of the phases.
    """
    plane = Plane.of(diagram.spec)
    x_name, x, y_name, y = plane.x_name, plane.x, plane.y_name, plane.y
    lefts, bottoms = np.meshgrid(x.edges[:-1], y.edges[:-1])
    rights, tops = np.meshgrid(x.edges[1:], y.edges[1:])
    edges = {"left": lefts, "right": rights, "bottom": bottoms, "top": tops}
    cells = ColumnDataSource(
        {
            **{side: values.ravel() for side, values in edges.items()},
            "colour": [colours[phase] for phase in named],
            "first_value": [words for words in _words(y_name, y) for _ in x.values],
            "second_value": _words(x_name, x) * len(y),
        },
        name="cells",
    )
    shown = ColumnDataSource({"cell": [cell], "offset": [0]}, name="shown")
    mark = ColumnDataSource({side: [] for side in edges}, name="mark")
    panel = _figure(plane)
    panel.name = "diagram"
    drawn = panel.quad(
        **_SIDES, source=cells, fill_color="colour", line_color="#FFFFFF", line_alpha=0.2
    )
    drawn.selection_glyph = drawn.nonselection_glyph = None
    for colour, width in (("#FFFFFF", 5), (_MARK_COLOUR, 2.5)):
        panel.quad(**_SIDES, source=mark, fill_color=None, line_color=colour, line_width=width)
    follow = CustomJS(args={"cells": cells, "shown": shown}, code=_FOLLOW)
    panel.add_tools(
        HoverTool(renderers=[drawn], callback=follow, tooltips=None),
        TapTool(renderers=[drawn]),
    )
    hold = CustomJS(args={"shown": shown}, code=_HOLD)
    cells.selected.js_on_change("indices", hold)
    return panel, cells, shown, mark


def _words(name: str, axis: Axis) -> list[str]:
    """Return "decoder_lr = 0.0001" for each value; nothing for the axis of a single row."""
    return [f"{name} = {text}" if name else "" for text in axis.texts]


def _figure(plane: Plane) -> figure:
    """Return an empty figure with the sweep's axes on their scales."""
    x, y = plane.x, plane.y
    panel = figure(
        height=520,
        sizing_mode="stretch_width",
        tools=_TOOLS,
        x_axis_type="log" if x.scale == "log" else "linear",
        y_axis_type="log" if y.scale == "log" else "linear",
        x_range=(x.edges[0], x.edges[-1]),
        y_range=(y.edges[0], y.edges[-1]),
        x_axis_label=plane.x_label,
        y_axis_label=plane.y_label if plane.y_name else None,
    )
    _quiet(panel)
    for drawn, axis in ((panel.xaxis[0], x), (panel.yaxis[0], y)):
        if axis.scale == "ordinal":
            drawn.ticker = FixedTicker(ticks=list(range(len(axis))))
            drawn.major_label_overrides = dict(enumerate(axis.texts))
    if not plane.y_name:
        panel.yaxis.visible = False
    return panel


def _quiet(panel: figure) -> None:
    """Leave out what distracts: the grid, and the tools while the pointer is elsewhere."""
    # Bokeh leaves traces of an earlier layout in the first row and column of pixels.
    panel.styles = {"clip-path": "inset(1px 0 0 1px)"}
    panel.toolbar.logo = None
    panel.toolbar.autohide = True
    panel.grid.visible = False


def curve_panels(
    diagram: PhaseDiagram, shown: Mapping[str, NDArray[Any]]
) -> tuple[list[figure], ColumnDataSource, dict[str, list[Span]]]:
    """Return panels of what is measured and of losses, their curve and their crossings.

    Parameters
    ----------
    diagram
        The sweep.
    shown
        The learning curve that is shown at first.
    """
    spec, steps = diagram.spec, diagram.spec.most_steps
    curve = ColumnDataSource(dict(shown), name="curve")
    fractions = _curve_panel("fraction", steps, 225)
    fractions.y_range.update(start=-0.02, end=1.02)
    losses = _curve_panel("loss", steps, 235, y_axis_type="log")
    losses.xaxis.axis_label = f"{spec.system.unit}s"
    losses.yaxis.minor_tick_line_color = None
    lines = [
        (column_of(name), measure.label, MEASURE_COLOURS[name], fractions)
        for name, measure in spec.measures.items()
    ]
    lines += [
        ("train_loss", "train loss", TRAIN_COLOUR, losses),
        ("test_loss", "test loss", TEST_COLOUR, losses),
    ]
    for column, label, colour, panel in lines:
        panel.line("update", column, source=curve, color=colour, line_width=2, legend_label=label)
    crossings = {}
    for name in spec.measures:
        spans = [
            Span(
                dimension="height", line_color=MEASURE_COLOURS[name], line_dash="dotted",
                visible=False,
            )
            for _ in (fractions, losses)
        ]  # fmt: skip
        for panel, span in zip((fractions, losses), spans, strict=True):
            panel.add_layout(span)
        crossings[f"{name}_step"] = spans
    for panel in (fractions, losses):
        panel.legend.update(orientation="horizontal", border_line_color=None, padding=0, margin=2)
        panel.add_layout(panel.legend[0], "above")
    return [fractions, losses], curve, crossings


def _curve_panel(label: str, steps: int, height: int, **options: Any) -> figure:
    panel = figure(
        height=height, sizing_mode="stretch_width", tools=_TOOLS, x_axis_type="log",
        x_range=(1, max(2, steps)), y_axis_label=label, **options,
    )  # fmt: skip
    _quiet(panel)
    return panel


def state_panel(
    shown: Mapping[str, NDArray[Any]],
) -> tuple[figure, ColumnDataSource, Text]:
    """Return the panel of last states, one point for each row, its columns and its numbers.

    Parameters
    ----------
    shown
        Coordinates x and y that are shown at first.
    """
    rows = len(shown["x"])
    columns: dict[str, Any] = {
        **shown,
        "number": [str(row) for row in range(rows)],
        "colour": sns.color_palette("viridis", rows).as_hex(),
    }
    state = ColumnDataSource(columns, name="state")
    panel = figure(
        height=240, sizing_mode="stretch_width", tools=_TOOLS, x_axis_label=" ", y_axis_label=" "
    )
    panel.x_range.range_padding = panel.y_range.range_padding = 0.25
    _quiet(panel)
    # The rim is seen where the colour of a point is that of a dark page.
    panel.scatter("x", "y", source=state, size=9, fill_color="colour", line_color="#888888")
    number = panel.text(
        "x", "y", text="number", source=state, x_offset=6, y_offset=-2,
        text_font_size="11px", text_color="#444444",
    )  # fmt: skip
    return panel, state, number.glyph
