"""A page of a sweep for a browser: pointing at a cell shows its curves and last state.

One file with everything in it, BokehJS included: no server and no network.
"""

import importlib
from pathlib import Path

from effective_theory import InputError
from effective_theory.files import FileKind, replacing, require_writable
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.drawing.palette import Palette, colours_of
from phase_diagrams.page.data import require_moderate
from phase_diagrams.sweeps.spec import SweepSpec

_TITLE = "Phases over "
PAGE = FileKind("a page of a sweep", rb"\s*<!DOCTYPE html>.*<title>" + _TITLE.encode())


def save_page(diagram: PhaseDiagram, path: str | Path, *, palette: Palette = "default") -> None:
    """Write a page in which pointing at a cell of the diagram shows its run.

    The first axis goes up, the second to the right; further axes and seeds have selectors. A click
    holds a cell, another one beside the cells lets it go.

    Parameters
    ----------
    diagram
        A sweep with its store.
    path
        The HTML file.
    palette
        "default" (safe for colour-blind readers) or "paper".

    Raises
    ------
    InputError
        If Bokeh is not installed, the diagram has no store, the page would be too large (64 MB
        of data: some 30 000 runs of the default task) or cannot be written.
    """
    require_page(diagram.spec, path)
    from bokeh.embed import file_html
    from bokeh.resources import INLINE

    from phase_diagrams.page.document import page_document

    colours = colours_of(palette)
    title = _TITLE + ", ".join(diagram.spec.system.label(name) for name in diagram.spec.grid)
    template = Path(__file__).with_name("template.html").read_text(encoding="utf-8")
    text = file_html(page_document(diagram, colours, title), INLINE, title, template=template)
    with replacing(path, PAGE) as file:
        file.write(text.encode())


def require_page(spec: SweepSpec, path: str | Path) -> None:
    """Check that a sweep's page can be made and written, before its runs are read.

    Raises
    ------
    InputError
        As by `save_page`.
    """
    try:
        importlib.import_module("bokeh.embed")
    except ImportError:
        raise InputError("html needs bokeh; install the package's extra [html].") from None
    require_moderate(spec)
    require_writable(path, PAGE)
