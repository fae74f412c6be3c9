"""The command line of validation: the same grids, in PyTorch."""

from pathlib import Path

import pytest

from phase_diagrams import Phase, load, numba_engine

torch = pytest.importorskip("torch", reason="needs the extra [validation]")

GRID = ["--axis", "decoder_lr=1e-3,1e-2", "--width", "5", "--steps", "20", "--seeds", "5"]


def test_a_sweep_leaves_its_files_beside_the_simulators(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from phase_diagrams.cli import main as simulate
    from validation import torch_engine
    from validation.cli import main

    place = ["--out", str(tmp_path)]
    assert simulate(["sweep", *GRID, *place, "--jobs", "1"]) == 0
    assert main(["sweep", *GRID, *place, "--device", "cpu", "--dtype", "float64"]) == 0
    assert "confusion 2" in capsys.readouterr().out
    for folder in (tmp_path, tmp_path / "torch-cpu-float64"):
        files = {file.name for file in folder.iterdir()}
        assert {"phases.png", "steps.png", "runs.csv"} <= files
    for engine in (numba_engine(), torch_engine("cpu", torch.float64)):
        diagram = load(tmp_path / "runs.sqlite", engine=engine)[1]
        assert diagram.counts()[Phase.NOT_RUN] == 0
    diagram = load(tmp_path / "runs.sqlite", engine=torch_engine("cpu"))[1]
    assert diagram.counts()[Phase.NOT_RUN] == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sweep", *GRID, "--device", "gpu"], 'device must be "cpu" or "cuda"'),
        (["sweep", *GRID, "--cells-per-batch", "1"], "cells_per_batch must be at least 2"),
        (["sweep", "--device", "cpu"], "axis is missing"),
        (["sweep", "--preset", "fig7"], "preset 'fig7' is unknown"),
    ],
)
def test_what_cannot_be_is_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from validation.cli import main

    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {message}") and error.count("\n") == 1
