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
}


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


def test_a_sweep_without_progress_shows_nothing(outputs: dict[str, list[dict[str, Any]]]) -> None:
    assert outputs["silent sweep"] == []
    (result,) = outputs["diagram"]
    assert result["data"]["text/plain"].startswith("PhaseDiagram(decoder_lr[2]")
