"""Progress in logs, where nothing can be redrawn; bars are shown in tests/notebooks."""

import sys

import pytest

from effective_theory import Dataset, InputError, ToyModel, progress, train
from effective_theory.progress import progress_bar

Said = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def no_time_between_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_LINES", 0.0)


def test_a_log_gets_lines_with_rate_and_remaining_time(capsys: Said) -> None:
    with progress_bar(3, unit="run", initial=1) as done:
        done(1)
        done(1)
    said = capsys.readouterr().err
    lines = said.splitlines()
    assert [line.split(",")[0] for line in lines] == ["1 of 3 runs", "2 of 3 runs", "3 of 3 runs"]
    assert all(" run/s, " in line and line.endswith(" left") for line in lines)
    assert "\r" not in said


def test_short_work_leaves_no_line(capsys: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_LINES", 3600.0)
    with progress_bar(2, unit="run") as done:
        done(2)
    assert capsys.readouterr().err == ""


def test_without_progress_or_stderr_nothing_is_shown(
    capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    with progress_bar(2, unit="run", progress=False) as done:
        done(2)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys, "stderr", None)
    with progress_bar(2, unit="run") as done:
        done(2)


def test_training_counts_its_updates(capsys: Said, small_model: ToyModel, dataset: Dataset) -> None:
    train(small_model, dataset, rng=0)
    assert capsys.readouterr().err == ""
    train(small_model, dataset, rng=0, progress=True)
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"{small_model.steps} of ")
    with pytest.raises(InputError, match="progress must be True or False"):
        train(small_model, dataset, rng=0, progress="yes")  # type: ignore[arg-type]
