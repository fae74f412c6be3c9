"""``python -m effective_theory train``."""

from pathlib import Path

import pytest

from effective_theory import Dataset, InputError, ToyModel, train
from effective_theory.cli import main

SMALL = ("train", "--width", "20", "--steps", "60", "--decoder-lr", "1e-3")


def test_a_run_is_reported_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "run.png"
    assert main((*SMALL, "--plot", str(picture))) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("finished after 60 updates\n")
    assert "RQI > 0.95: not within 60 updates" in printed and "ideal test accuracy" in printed
    assert picture.stat().st_size > 1000


def test_a_diverged_run_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main((*SMALL, "--decoder-lr", "1e-2", "--decoder-weight-decay", "1e6")) == 0
    assert "lower a learning rate or weight decay" in capsys.readouterr().out


def test_a_task_without_line_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert main((*SMALL, "--task", "modular_addition", "--embedding-dim", "2")) == 0
    printed = capsys.readouterr().out
    assert "not defined" in printed and "RQI" not in printed


def test_bad_input_is_one_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main((*SMALL, "--decoder-lr", "-1")) == 2
    assert capsys.readouterr().err == "error: decoder_lr must be zero or positive, not -1.0.\n"
    assert main((*SMALL, "--seed", "-1")) == 2
    assert main((*SMALL, "--plot", str(tmp_path / "missing" / "run.png"))) == 2


def test_a_run_without_history_has_no_picture(dataset: Dataset) -> None:
    run = train(ToyModel(width=4, steps=2), dataset, rng=0)
    with pytest.raises(InputError, match="record_every"):
        run.plot()
    assert "finished after 2 updates" in repr(run)
