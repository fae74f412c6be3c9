"""The page of a sweep: what it holds, and what it does in a browser."""

import html
import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from effective_theory import Addition, InputError, ToyModel
from phase_diagrams import (
    Phase,
    PhaseDiagram,
    RunSummary,
    Source,
    Store,
    SweepSpec,
    load,
    numba_engine,
    predict,
    sweep,
)
from phase_diagrams import page as page_module
from phase_diagrams.cli import main
from phase_diagrams.drawing.palette import PALETTES
from phase_diagrams.page.data import MOST_MEGABYTES, megabytes, page_data
from phase_diagrams.page.document import _heading
from phase_diagrams.runs.stored_run import KeptRuns
from phase_diagrams.runs.summary import CURVE_COLUMNS
from tests.browser import show
from tests.phase_diagrams.law_engine import LawEngine, decay_grid

pytestmark = pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")
pytest.importorskip("bokeh", reason="needs the extra [html]")

SPEC = SweepSpec(
    Addition(10),
    {
        "decoder_lr": [1e-3, 3e-3, 1e4],
        "decoder_weight_decay": [0, 5],
        "embedding_dim": [1, 2],
    },
    ToyModel(width=12, steps=80, train_threshold=0.1),
    seeds=(0, 1, 2),
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "runs.sqlite"
    sweep(SPEC, store=path, engine=numba_engine(1), progress=False)
    return path


@pytest.fixture(scope="module")
def page(store: Path) -> Path:
    path = store.with_suffix(".html")
    assert main(["plot", str(store), "--html", str(path)]) == 0
    return path


def load_phases(page: Path) -> Any:
    return load(page.with_suffix(".sqlite")).phases


@pytest.fixture(scope="module")
def summaries(store: Path) -> dict[tuple[int, ...], RunSummary]:
    kept = load(store).kept
    assert kept is not None
    return {cell.index: run for cell, run in kept.find(SPEC.cells()) if run is not None}


def test_the_legend_counts_what_is_drawn() -> None:
    """Cells that have a phase and no run are drawn in its colour."""
    found = predict(decay_grid(), engine=LawEngine(), progress=False)
    text = re.sub("<[^>]*>", "", _heading(found, "title", PALETTES["default"]).text)
    for phase in (Phase.COMPREHENSION, Phase.MEMORIZATION):
        drawn = found.phases == phase
        guessed = (drawn & ~found.measured).sum()
        assert f"{phase.label} {drawn.sum()} ({guessed} without a run)" in text
    assert "not run" not in text


class Tags(HTMLParser):
    """Addresses that a page would fetch, and its JSON."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.json: list[str] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.addresses += [str(found[name]) for name in ("src", "href", "data") if name in found]
        self._inside = tag == "script" and found.get("type") == "application/json"

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.json.append(data)


def test_the_page_holds_every_run_and_fetches_nothing(
    page: Path, summaries: dict[tuple[int, ...], RunSummary]
) -> None:
    from bokeh.document import Document

    tags = Tags(page.read_text(encoding="utf-8"))
    assert tags.addresses == []
    (content,) = json.loads(html.unescape("".join(tags.json))).values()
    document = Document.from_json(content)

    def columns(name: str) -> dict[str, Any]:
        return document.get_model_by_name(name).data  # type: ignore[union-attr]

    runs, curves, points = (columns(name) for name in ("runs", "curves", "points"))
    assert len(summaries) == SPEC.size == len(runs["phase"])
    for place, cell in enumerate(SPEC.cells()):
        run = summaries[cell.index]
        rows = slice(runs["first"][place], runs["first"][place] + runs["count"][place])
        stored = np.column_stack([curves[name][rows] for name in CURVE_COLUMNS])
        np.testing.assert_array_equal(stored, run.curve.astype(np.float32))
        for name in ("train_step", "test_step", "rqi_step", "diverged_step"):
            assert runs[name][place] == (-1 if (step := getattr(run, name)) is None else step)
        assert runs["steps_run"][place] == run.steps_run
        np.testing.assert_array_equal(runs["rqi"][place], np.float32(run.rqi))
        if run.state.shape[1] == 1:
            shown = points["y"][10 * place : 10 * (place + 1)]
            np.testing.assert_array_equal(shown, run.state[:, 0])
    cells = columns("cells")
    first = [PALETTES["default"][phase] for phase in load_phases(page)[..., 0, 0].ravel()]
    assert list(cells["colour"]) == first


def test_a_page_of_another_palette_and_of_a_cell_that_was_not_run(store: Path) -> None:
    spec = SweepSpec(SPEC.task, {"decoder_lr": [2e-3, 4e-3]}, SPEC.model)
    diagram = PhaseDiagram(spec, kept=load(store).kept)
    data = page_data(diagram)
    assert data.runs["phase"].tolist() == [-1, -1] and data.runs["count"].tolist() == [0, 0]
    path = store.with_name("none.html")
    diagram.plot.page(path, palette="paper")
    assert PALETTES["paper"][diagram.phases[0, 0]] in path.read_text(encoding="utf-8")


def test_what_is_no_page_is_refused(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    diagram = load(store)
    with pytest.raises(InputError, match="has no store"):
        PhaseDiagram(SPEC).plot.page(tmp_path / "page.html")
    with pytest.raises(InputError, match="palette must be one of"):
        diagram.plot.page(tmp_path / "page.html", palette="sepia")
    with pytest.raises(InputError, match="cannot be written"):
        diagram.plot.page(tmp_path)
    monkeypatch.setitem(sys.modules, "bokeh.embed", None)
    with pytest.raises(InputError, match=r"html needs bokeh; install .* \[html\]"):
        diagram.plot.page(tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_would_be_too_large_is_refused_before_the_store_is_read() -> None:
    def square(side: int) -> SweepSpec:
        values = np.linspace(1e-4, 1e-2, side)
        return SweepSpec(Addition(10), {"decoder_lr": values, "embedding_lr": values})

    kept = KeptRuns(Path("missing.sqlite"), "engine", 1)
    assert megabytes(square(100)) < MOST_MEGABYTES / 3
    with pytest.raises(InputError, match="40000 runs, more than 64; sweep fewer"):
        page_data(PhaseDiagram(square(200), kept=kept))


def test_the_size_of_a_page_is_foreseen(store: Path) -> None:
    data = page_data(load(store))
    columns = [*data.runs.values(), *data.curves.values(), *data.points.values()]
    actual = sum(column.nbytes for column in columns) / 1e6
    # Runs that diverge, and budgets below some thousand updates, have fewer than 64 records.
    assert 0.4 * megabytes(SPEC) < actual <= megabytes(SPEC)


#: Runs page.js with the columns of a page, and prints the text of its first run.
READ = """
const fs = require("fs")
const given = new Function(`return ${fs.readFileSync(process.argv[1])}`)()
const code = fs.readFileSync(process.argv[2], "utf8")
new Function(...Object.keys(given), code)(...Object.values(given))
console.log(given.text.text)
"""


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (ToyModel(width=4, steps=9, decoder_scale=5e19), "diverged</b>, run of 0 updates"),
        (
            ToyModel(width=4, steps=9, train_threshold=0.0, test_threshold=0.0),
            "comprehension</b>, lag 0, run of 0 updates",
        ),
        (ToyModel(width=4, steps=9), "confusion</b>, run of 9 updates"),
        (None, "not run</b>, no run is stored"),
    ],
)
def test_the_page_says_of_a_run_how_long_it_was_though_it_had_no_update(
    model: ToyModel | None, words: str, tmp_path: Path
) -> None:
    spec = SweepSpec(Addition(5), {"width": [4]}, model or ToyModel(steps=9), train_size=10)
    path = tmp_path / "runs.sqlite"
    if model is None:
        with Store(path) as kept:
            kept.add_sweep("sweep", spec)
    else:
        sweep(spec, store=path, engine=numba_engine(1), progress=False)
    shown = said(load(path), tmp_path)
    assert words in shown
    assert ("train accuracy: " in shown) is (model is not None)


@pytest.mark.parametrize("source", [Source.INFERRED, Source.PREDICTED])
def test_the_page_says_that_a_cell_without_a_run_is_a_guess(source: Source, tmp_path: Path) -> None:
    spec = SweepSpec(Addition(5), {"width": [4]}, ToyModel(steps=9), train_size=10)
    with Store(tmp_path / "runs.sqlite") as kept:
        kept.add_sweep("sweep", spec)
    diagram = load(tmp_path / "runs.sqlite")
    diagram.enter(np.full(spec.shape, Phase.GROKKING), source)
    assert f"grokking</b> ({source.label}), no run is stored" in said(diagram, tmp_path)


def said(diagram: PhaseDiagram, folder: Path) -> str:
    """What the page's script says of the only cell."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node, which runs the page's script here, is not on the PATH")
    data = page_data(diagram)
    columns = {name: {"data": lists(getattr(data, name))} for name in ("runs", "curves", "points")}
    sides = {side: [0] for side in ("left", "right", "bottom", "top")}
    cells = {**sides, "colour": ["red"], "first_value": [""], "second_value": ["width = 4"]}
    given = {
        **columns,
        "selectors": [{"title": "seed", "options": [["0", "0"]], "value": "0"}],
        "cells": {"data": cells},
        "shown": {"data": {"cell": [0], "offset": [0]}},
        "state": {"data": {"number": ["0", "1", "2", "3", "4"]}},
        **{name: {"data": {}} for name in ("mark", "curve", "across", "up", "text")},
        "crossings": {},
        "one_column": ["", ""],
        "several_columns": ["", ""],
        "last": [["train_accuracy", "train accuracy"]],
        "unit": "update",
        "thresholds": [["train_step", "train accuracy"]],
        "colours": {str(int(phase)): "red" for phase in Phase},
        "labels": {str(int(phase)): phase.label for phase in Phase},
        "guessed": {
            str(int(each)): f" ({each.label})" for each in (Source.INFERRED, Source.PREDICTED)
        },
    }
    (folder / "given.js").write_text(json.dumps(given))
    files = [str(folder / "given.js"), str(Path(page_module.__file__).with_name("page.js"))]
    return subprocess.run(
        [node, "-e", READ, *files], capture_output=True, text=True, check=True
    ).stdout


def lists(columns: dict[str, Any]) -> dict[str, list[Any]]:
    return {name: column.tolist() for name, column in columns.items()}


#: Where on the screen the middle of a cell is.
MIDDLE = """cell => {
  const diagram = Bokeh.documents[0].get_model_by_name("diagram")
  const {frame, el} = Bokeh.index.find_one(diagram)
  const {left, right, top, bottom} = Bokeh.documents[0].get_model_by_name("cells").data
  const box = el.getBoundingClientRect()
  const middle = (scale, a, b) => (scale.compute(a[cell]) + scale.compute(b[cell])) / 2
  return [box.x + middle(frame.x_scale, left, right), box.y + middle(frame.y_scale, top, bottom)]
}"""
#: What the panels show.
SHOWN = """() => {
  const named = name => Bokeh.documents[0].get_model_by_name(name)
  const columns = name => Object.fromEntries(
    Object.entries(named(name).data).map(([key, values]) => [key, Array.from(values)]))
  return {
    cell: named("shown").data.cell[0], text: named("text").text,
    curve: columns("curve"), state: columns("state"), cells: columns("cells"),
  }
}"""
IS_SHOWN = """cell => Bokeh.documents[0].get_model_by_name("shown").data.cell[0] === cell"""


def test_pointing_at_a_cell_shows_its_run(
    page: Path, browser: Any, summaries: dict[tuple[int, ...], RunSummary]
) -> None:
    tab = browser.new_page(viewport={"width": 1200, "height": 850})
    requests: list[str] = []
    complaints: list[str] = []
    tab.on("request", lambda request: requests.append(request.url))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on(
        "console",
        lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None,
    )
    tab.goto(page.as_uri())
    tab.wait_for_function("window.Bokeh?.documents[0]?.is_idle")

    def point(cell: int) -> tuple[float, float]:
        x, y = tab.evaluate(MIDDLE, cell)
        tab.mouse.move(x - 3, y - 3)
        tab.mouse.move(x, y)
        return x, y

    def check(cell: int, dimension: int = 0, seed: int = 0) -> None:
        run = summaries[cell // 2, cell % 2, dimension, seed]
        shown = tab.evaluate(SHOWN)
        assert shown["cell"] == cell
        curve = run.curve[run.curve[:, 0] >= 1].astype(np.float32)
        for column, name in enumerate(CURVE_COLUMNS):
            values = np.array(shown["curve"][name], dtype=np.float32)
            np.testing.assert_array_equal(values, curve[:, column])
        if dimension == 0:
            np.testing.assert_array_equal(
                np.array(shown["state"]["y"], np.float32), run.state[:, 0]
            )
        absent = f"not within {run.steps_run} updates"
        if run.diverged_step is not None:
            absent = f"not before it diverged at update {run.diverged_step}"
        step = absent if run.train_step is None else f"at update {run.train_step}"
        assert f"train accuracy ≥ 0.1: {step}" in shown["text"]
        assert f"seed {seed}" in shown["text"]

    check(tab.evaluate(SHOWN)["cell"])
    for cell in (3, 0, 5):
        point(cell)
        tab.wait_for_function(IS_SHOWN, arg=cell)
        check(cell)
    # A click holds the cell, and one beside the cells lets it go.
    x, y = point(1)
    tab.mouse.click(x, y)
    point(2)
    check(1)
    dimension, seed = tab.locator("select").all()
    seed.select_option(label="2")
    check(1, seed=2)
    dimension.select_option(label="2")
    check(1, dimension=1, seed=2)
    colours = [PALETTES["default"][phase] for phase in load_phases(page)[..., 1, 2].ravel()]
    assert tab.evaluate(SHOWN)["cells"]["colour"] == colours
    assert requests == [page.as_uri()]
    assert complaints == []
    tab.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1366])
def test_the_page_fits_its_window(page: Path, browser: Any, width: int, scheme: str) -> None:
    shown = show(browser, page, width, scheme, ready="window.Bokeh?.documents[0]?.is_idle")
    assert shown.overflow <= 0
    assert shown.is_dark is (scheme == "dark")
    # Side by side where there is room for both, else one below the other.
    diagram, run = shown.places("main > div > *")
    assert (run.x > diagram.x) is (width == 1366)
    assert max(diagram.x + diagram.width, run.x + run.width) <= width
