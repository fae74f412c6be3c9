"""The page as a Bokeh document: its panels, its data and the script that ties them together."""

import html
import math
from pathlib import Path

from bokeh.document import Document
from bokeh.events import DocumentReady
from bokeh.layouts import column, row
from bokeh.models import ColumnDataSource, CustomJS, Div, InlineStyleSheet, Select

from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.page.data import column_of, page_data
from phase_diagrams.page.panels import curve_panels, phases_panel, state_panel
from phase_diagrams.phases import RUN_PHASES, Phase, Source
from phase_diagrams.runs.picture import state_labels
from phase_diagrams.wording import seed_text

_HINT = "Point at a cell to see its run; click to hold it, click beside the cells to let it go."
#: A selector in the dark: Bokeh's own style is light.
_DARK_SELECT = """
@media (prefers-color-scheme: dark) {
  select.bk-input {
    appearance: auto; background: #28282d; color: #e4e4e7; color-scheme: dark;
  }
}
"""


def page_document(diagram: PhaseDiagram, colours: dict[Phase, str], title: str) -> Document:
    """Return the page of a diagram; page.js fills its panels with the run that is pointed at.

    It has two roots, which the page's template puts side by side or one below the other:
    "diagram_side" with the diagram and "run_side" with the run.

    Parameters
    ----------
    diagram
        A sweep with its store.
    colours
        Colours of the phases.
    title
        The page's heading.

    Raises
    ------
    InputError
        As by `page_data`.
    """
    data = page_data(diagram)
    selectors = _selectors(diagram)
    # Where lines are not wrapped the panels below stay in their place.
    text = Div(sizing_mode="stretch_width", styles={"min-height": "125px"}, name="text")
    named = [Phase(int(phase)) for phase in data.runs["phase"]][:: _runs_of_a_cell(selectors)]
    cell = named.index(Phase.GROKKING) if Phase.GROKKING in named else 0
    run = cell * _runs_of_a_cell(selectors)
    phases, cells, shown, mark = phases_panel(diagram, named, cell, colours)
    panels, curve, crossings = curve_panels(diagram, data.curve(run))
    spec, state = diagram.spec, diagram.spec.system.state
    plane, shown_state, numbers = (None,) * 3 if state is None else state_panel(data.state(run))
    below = [] if plane is None else [plane]
    fill = CustomJS(
        code=_script("page.js"),
        args={
            "runs": ColumnDataSource(data.runs, name="runs"),
            "curves": ColumnDataSource(data.curves, name="curves"),
            "points": ColumnDataSource(data.points, name="points"),
            "selectors": selectors,
            "cells": cells,
            "shown": shown,
            "mark": mark,
            "curve": curve,
            "crossings": crossings,
            "state": shown_state,
            "across": None if plane is None else plane.xaxis[0],
            "up": None if plane is None else plane.yaxis[0],
            "one_column": [] if state is None else list(state_labels(state, 1)),
            "several_columns": [] if state is None else list(state_labels(state, 2)),
            "text": text,
            "thresholds": [(f"{name}_step", spec.condition(name)) for name in spec.measures],
            "last": [(column_of(name), known.label) for name, known in spec.measures.items()],
            "unit": spec.system.unit,
            "colours": {str(int(phase)): colours[phase] for phase in Phase},
            "labels": {str(int(phase)): phase.label for phase in Phase},
            # What is said of a cell that has a phase and no run.
            "guessed": {
                str(int(each)): f" ({each.label})" for each in (Source.INFERRED, Source.PREDICTED)
            },
        },
    )
    shown.js_on_change("data", fill)
    for selector in selectors:
        selector.js_on_change("value", fill)
    offered = [selector for selector in selectors if len(selector.options) > 1]
    choices = [row(*offered, styles={"flex-wrap": "wrap"})] if offered else []
    sides = {
        "diagram_side": [_heading(diagram, title, colours), *choices, phases],
        "run_side": [text, *panels, *below],
    }
    document = Document()
    for name, parts in sides.items():
        document.add_root(column(*parts, sizing_mode="stretch_width", name=name))
    figures = {"figures": [phases, *panels, *below], "numbers": numbers}
    paint = CustomJS(code=_script("colours.js"), args=figures)
    document.js_on_event(DocumentReady, fill, paint)
    return document


def _script(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _runs_of_a_cell(selectors: list[Select]) -> int:
    return math.prod(len(selector.options) for selector in selectors)


def _heading(diagram: PhaseDiagram, title: str, colours: dict[Phase, str]) -> Div:
    """Return what was swept and, as the legend, the number of cells in each phase."""
    spec, legend = diagram.spec, ""
    for phase in (*RUN_PHASES, Phase.NOT_RUN):
        in_phase = diagram.phases == phase
        guessed = int((in_phase & (diagram.source != Source.MEASURED)).sum())
        no_run = f" ({guessed} without a run)" if guessed and phase in RUN_PHASES else ""
        if in_phase.any():
            legend += (
                f'<span style="white-space:nowrap"><span style="background:{colours[phase]};'
                f'border:1px solid #888888">&emsp;</span> {phase.label} {int(in_phase.sum())}'
                f"{no_run}&ensp;</span> "
            )
    about = html.escape(f"{spec.size} runs: {spec}")
    return Div(
        sizing_mode="stretch_width",
        text=f"<b style='font-size:125%'>{html.escape(title)}</b><br>{about}<br>{legend}<br>"
        f"<span style='opacity:0.75'>{_HINT}</span>",
    )


def _selectors(diagram: PhaseDiagram) -> list[Select]:
    """Return a selector for each axis after the second, then one for the seeds."""
    further = [(name, list(axis.texts)) for name, axis in list(diagram.spec.grid.items())[2:]]
    seeds = [seed_text(seed) for seed in diagram.spec.seeds]
    return [
        Select(
            title=name,
            options=[(str(place), label) for place, label in enumerate(labels)],
            value="0",
            width=140,
            stylesheets=[InlineStyleSheet(css=_DARK_SELECT)],
        )
        for name, labels in [*further, ("seed", seeds)]
    ]
