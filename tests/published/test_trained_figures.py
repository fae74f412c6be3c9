"""Figures 3 and 4b: trained networks beside what the theory predicts, and beside the tables."""

import csv
import dataclasses
import math
from pathlib import Path

import pytest

from effective_theory import ToyModel
from phase_diagrams import numba_engine
from phase_diagrams.cli import main
from phase_diagrams.figures import (
    FIGURES,
    SPECS,
    TrainedRun,
    mean_difference,
    rank_correlation,
    trained_runs,
)
from phase_diagrams.published import completed_updates
from tests.conftest import published_table

Rows = dict[tuple[int, int], dict[str, str]]

pytestmark = pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")


def table(name: str) -> Rows:
    with published_table(name).open(newline="") as lines:
        return {(int(row["train_size"]), int(row["seed"])): row for row in csv.DictReader(lines)}


def test_accuracy_is_the_predicted_accuracy() -> None:
    published = table("fig3_accuracy.csv")
    runs = trained_runs("3", engine=numba_engine())
    assert [(run.train_size, run.seed[0]) for run in runs] == sorted(published)
    assert mean_difference(runs) <= 0.03
    near = sum(
        abs(run.accuracy - float(published[run.train_size, run.seed[0]]["accuracy"])) <= 1.5 / 55
        for run in runs
    )
    assert near >= 30


def test_a_good_representation_needs_enough_data() -> None:
    published = table("fig4_rqi_step.csv")
    runs = trained_runs("4b", engine=numba_engine())
    assert all(math.isinf(run.rqi_step) for run in runs if run.train_size < 20)
    many = [run for run in runs if run.train_size >= 45]
    assert sum(math.isfinite(run.rqi_step) for run in many) > len(many) / 2
    steps = {key: completed_updates(int(row["rqi_step"]), 10_000) for key, row in published.items()}
    same = sum(
        (steps[run.train_size, run.seed[0]] is None) == math.isinf(run.rqi_step) for run in runs
    )
    assert same == len(runs) == 33
    assert rank_correlation(runs).value > 0.7


def test_never_is_the_longest_time() -> None:
    def run(predicted: float, measured: float) -> TrainedRun:
        return TrainedRun(10, (0, 0), 0.2, 1.0, 0.9, measured, predicted)

    agreeing = [run(1.0, 5.0), run(2.0, 9.0), run(math.inf, math.inf)]
    assert rank_correlation(agreeing).value == pytest.approx(1.0)
    assert rank_correlation([run(1.0, math.inf), run(2.0, 9.0), run(3.0, 5.0)]).value == -1.0
    assert mean_difference(agreeing) == pytest.approx(0.1)


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_figures_are_drawn_by_one_command(
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:

    monkeypatch.chdir(tmp_path)
    short = dataclasses.replace(SPECS[name], model=ToyModel(width=6, steps=5, stop_when="never"))
    monkeypatch.setitem(SPECS, name, short)
    assert main(["figure", name, "--jobs", "1"]) == 0
    assert "not defined (" in capsys.readouterr().out
