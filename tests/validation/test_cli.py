"""The command line of validation: the same grids, in PyTorch."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from effective_theory import Addition, ToyModel
from phase_diagrams import Phase, SweepSpec, load, numba_engine, sweep
from phase_diagrams.comparison.published_tables import published_index

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
        diagram = load(tmp_path / "runs.sqlite", engine=engine)
        assert diagram.counts()[Phase.NOT_RUN] == 0
    diagram = load(tmp_path / "runs.sqlite", engine=torch_engine("cpu"))
    assert diagram.counts()[Phase.NOT_RUN] == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sweep", *GRID, "--device", "gpu"], 'device must be "cpu" or "cuda"'),
        (["sweep", *GRID, "--cells-per-batch", "1"], "cells_per_batch must be at least 2"),
        (["sweep", "--device", "cpu"], "axis is missing"),
        (["sweep", "--preset", "fig7"], "preset 'fig7' is unknown"),
        (["toy", *GRID, "--device", "cpu", "--stable", "width=3"], "stable: width is not swept"),
        (["toy", *GRID, "--stable", "decoder_lr"], "stable must be FIELD=VALUE, not"),
        (["toy", *GRID, "--stable", "decoder_lr=few"], "stable must be FIELD=VALUE with a number"),
        (["toy", *GRID, "--nudges", "1"], "nudges must be at least 2"),
        (["published", "--table", "missing.csv"], "table missing.csv cannot be read"),
    ],
)
def test_what_cannot_be_is_one_line(
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from validation.cli import main

    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {message}") and error.count("\n") == 1


@pytest.mark.usefixtures("own_starts")
def test_a_report_is_left_and_disagreement_is_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from validation.cli import main
    from validation.judge.nudged_runs import NudgedRuns

    options = ["toy", *GRID, "--device", "cpu", "--nudges", "2", "--jobs", "1"]
    options += ["--no-trajectories", "--stable", "decoder_lr=1e-3", "--out", str(tmp_path)]
    assert main(options) == 0
    out = capsys.readouterr().out
    assert "1 of 1 cells" in out and "holds: over 2 nudged starts" in out
    files = {"report.html", "report.json", "agreement.png", "runs.sqlite"}
    assert {file.name for file in tmp_path.iterdir()} == files
    everywhere = property(lambda runs: np.ones(runs.phases[0].shape[1:], bool))
    monkeypatch.setattr(NudgedRuns, "disjoint", everywhere)
    assert main(options) == 1
    captured = capsys.readouterr()
    assert "FAILS: over 2 nudged starts" in captured.out
    assert captured.err.startswith("error: simulator and PyTorch do not agree; ")
    assert "do not agree" in (tmp_path / "report.html").read_text()


def test_what_is_known_of_a_preset_holds_for_the_preset_alone() -> None:
    from phase_diagrams.commands.options import chosen_options
    from validation.commands.toy import Toy
    from validation.judge.stable_cells import STABLE

    command = chosen_options(["--preset", "released-5b"], Toy)
    assert command.stable_region(command.spec()) == STABLE["released-5b"]
    other = dataclasses.replace(command, seeds="57")
    assert other.stable_region(other.spec()) == {}
    given = dataclasses.replace(command, stable=("decoder_lr=1e-4",))
    assert given.stable_region(given.spec()) == {"decoder_lr": 1e-4}


def test_a_published_table_is_met_or_missed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from phase_diagrams.sweeps import presets
    from validation.cli import main
    from validation.judge import stable_cells

    axes = {"decoder_lr": [1e-2, 3e-2], "decoder_weight_decay": [0.0, 1.0]}
    model = ToyModel(width=20, embedding_lr=1e-2, steps=120)
    spec = SweepSpec(Addition(10), axes, model, seeds=(58,))
    monkeypatch.setitem(presets._PRESETS, "small", presets.Preset("a small one", spec))
    monkeypatch.setitem(stable_cells.STABLE, "small", {"decoder_lr": 1e-2})
    diagram = sweep(spec, engine=numba_engine(1), progress=False)

    def table(path: Path, off: int) -> list[str]:
        lines = ["eta_dec,weight_decay,train_step,test_step"]
        for row in diagram.rows():
            steps = [
                published_index(row[f"{side}_step"], model.steps) for side in ("train", "test")
            ]
            lines.append(
                f"{row['decoder_lr']},{row['decoder_weight_decay']},{steps[0] - off},{steps[1]}"
            )
        path.write_text("\n".join(lines))
        options = ["--table", str(path), "--device", "cpu", "--store", str(tmp_path / "s.sqlite")]
        return ["published", *options, "--jobs", "1"]

    assert main(table(tmp_path / "met.csv", 0)) == 0
    out = capsys.readouterr().out
    assert out.count("2 of 2 labels as published") == 2 and "numba-float32: 4 of 4" in out
    assert main(table(tmp_path / "missed.csv", 30)) == 1
    assert "numba-float32 and torch-cpu-float32 miss" in capsys.readouterr().err
    (tmp_path / "other.csv").write_text("eta_dec,train_step,test_step\n1e-2,3,4\n")
    assert main(["published", "--table", str(tmp_path / "other.csv"), "--device", "cpu"]) == 2
    assert "has the axes of no preset; name one with --preset" in capsys.readouterr().err
