"""Figures 3 and 4b: trained networks beside what the theory predicts, and beside the tables."""

import csv
import dataclasses
import math
from pathlib import Path

import pytest

from effective_theory import ToyModel
from phase_diagrams import numba_engine
from phase_diagrams.cli import main
from phase_diagrams.comparison.published_tables import completed_updates
from phase_diagrams.toy.paper_figures import (
    FIGURES,
    SPECS,
    TrainedRun,
    mean_difference,
    rank_correlation,
    trained_runs,
)
from tests.conftest import published_table

Rows = dict[tuple[int, int], dict[str, str]]

#: Those of the published tables; above 45 the released code trains with minibatches.
SIZES = (*range(5, 55, 5), 54)

pytestmark = pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")


def table(name: str) -> Rows:
    with published_table(name).open(newline="") as lines:
        return {(int(row["train_size"]), int(row["seed"])): row for row in csv.DictReader(lines)}


def runs_of(name: str, size: int, monkeypatch: pytest.MonkeyPatch) -> list[TrainedRun]:
    """The figure's runs with one training size, seeds 0, 1 and 2."""
    spec = dataclasses.replace(SPECS[name], axes={"train_size": [size]})
    monkeypatch.setitem(SPECS, name, spec)
    return trained_runs(name, engine=numba_engine(1))


@pytest.mark.parametrize("size", SIZES)
def test_accuracies_of_figure_3_are_met_to_the_sample(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = table("fig3_accuracy.csv")
    runs = runs_of("3", size, monkeypatch)
    assert [run.seed for run in runs] == [(0, 0), (1, 1), (2, 2)]
    for run in runs:
        row = published[size, run.seed[0]]
        assert run.accuracy == pytest.approx(float(row["accuracy"]), abs=1e-9)
        assert run.predicted == pytest.approx(float(row["predicted_accuracy"]), abs=1e-9)


@pytest.mark.parametrize("size", SIZES)
def test_steps_of_figure_4b_are_met_to_the_update(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = table("fig4_rqi_step.csv")
    for run in runs_of("4b", size, monkeypatch):
        expected = completed_updates(int(published[size, run.seed[0]]["rqi_step"]), 10_000)
        assert run.rqi_step == (math.inf if expected is None else expected)


@pytest.mark.slow
def test_the_prediction_holds_over_all_runs() -> None:
    assert mean_difference(trained_runs("3", engine=numba_engine())) <= 0.03
    assert rank_correlation(trained_runs("4b", engine=numba_engine())).value > 0.7


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
