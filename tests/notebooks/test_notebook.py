"""What a notebook shows: executed as a reader executes it, cell by cell."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

SWEEP = """
import warnings
warnings.simplefilter("ignore")
from effective_theory import Addition, ToyModel
from phase_diagrams import SweepSpec, sweep
axes = {"decoder_lr": [1e-3, 1e-2], "decoder_weight_decay": [0, 1]}
spec = SweepSpec(Addition(5), axes, ToyModel(width=4, steps=5), train_size=10)
"""
CELLS = {
    "sweep": f"{SWEEP}\ndiagram = sweep(spec, n_jobs=1)",
    "silent sweep": "diagram = sweep(spec, n_jobs=1, progress=False)",
    "picture": "diagram.plot()",
    "diagram": "diagram",
    "run": (
        "from effective_theory import train\n"
        "cell = diagram.cell(decoder_lr=1e-3, decoder_weight_decay=1)\n"
        "train(*cell, record_every=1, progress=True)"
    ),
}
WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """What each cell shows, as a notebook stores it."""
    cells = [nbformat.v4.new_code_cell(code) for code in CELLS.values()]
    notebook = nbformat.v4.new_notebook(cells=cells)
    folder: Path = tmp_path_factory.mktemp("notebook")
    client = NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    return {name: cell.outputs for name, cell in zip(CELLS, notebook.cells, strict=True)}


def pictures(shown: list[dict[str, Any]]) -> int:
    return sum("image/png" in output.get("data", {}) for output in shown)


def bars(shown: list[dict[str, Any]]) -> list[str]:
    """What is counted by the progress bars that are shown."""
    drawn = [output["data"] for output in shown if output["output_type"] == "display_data"]
    return [data["text/plain"].split("[")[0].split()[-1] for data in drawn if WIDGET in data]


def test_a_sweep_shows_one_progress_bar_and_nothing_else(
    outputs: dict[str, list[dict[str, Any]]],
) -> None:
    assert len(outputs["sweep"]) == 1
    assert bars(outputs["sweep"]) == ["0/4"]
    assert outputs["silent sweep"] == []


def test_a_picture_is_shown_once_where_it_is_the_result(
    outputs: dict[str, list[dict[str, Any]]],
) -> None:
    for name in ("picture", "diagram"):
        assert [output["output_type"] for output in outputs[name]] == ["execute_result"]
        assert pictures(outputs[name]) == 1
    text = outputs["diagram"][0]["data"]["text/plain"]
    assert text.startswith("PhaseDiagram(decoder_lr[2]")


def test_a_run_shows_its_curve_and_its_progress(outputs: dict[str, list[dict[str, Any]]]) -> None:
    assert bars(outputs["run"]) == ["0/5"]
    assert pictures(outputs["run"]) == 1
