"""What can be run is accepted from a store, and one impossible value in it is damage."""

import dataclasses
import math
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effective_theory import Addition, ModularAddition, Task, ToyModel, permutation_group
from phase_diagrams import Store, StoreError, SweepSpec
from phase_diagrams.runs.possible_runs import ClaimedRun, require_possible
from phase_diagrams.runs.rows import COLUMNS, run_as_row, runs_of_rows
from phase_diagrams.runs.summary import CURVE_COLUMNS, FRACTIONS, RunSummary
from phase_diagrams.sweeps.cell import Cell
from phase_diagrams.sweeps.systems import Budget
from phase_diagrams.toy.engine import run_cell

ENGINE = "numba-float32"
TASKS: tuple[Task, ...] = (Addition(4), ModularAddition(4), permutation_group(2))

rates = st.sampled_from([0.0, 1e-3, 1e-2, 1e39])
thresholds = st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0])
models = st.builds(
    ToyModel,
    width=st.sampled_from([2, 8]),
    target_dim=st.just(3),
    loss=st.sampled_from(["mse", "cross_entropy"]),
    embedding_lr=rates,
    decoder_lr=rates,
    decoder_weight_decay=st.sampled_from([0.0, 250.0]),
    embedding_penalty=st.sampled_from([0.0, 0.1, 1e300]),
    steps=st.sampled_from([1, 2, 40, 130]),
    batch_size=st.sampled_from([None, 2]),
    embedding_scale=st.sampled_from([0.0, 1.0]),
    decoder_scale=st.sampled_from([1.0, 1e3, 5e19]),
    train_threshold=thresholds,
    test_threshold=thresholds,
    rqi_threshold=thresholds,
    stop_when=st.sampled_from(["accuracies", "all", "never"]),
)


def cell_of(task: Task, model: ToyModel, seed: int = 0) -> Cell:
    size = task.size // 2
    return SweepSpec(task, {"width": [model.width]}, model, size, (seed,)).cell((0, 0))


def require_sound(cell: Cell, run: RunSummary) -> None:
    """A run is accepted, comes back from its row, and so does what shorter budgets know of it."""
    row = dict(zip(COLUMNS, run_as_row(cell, run, ENGINE, 1), strict=True))
    (back,) = runs_of_rows([(row, cell)])
    for field in dataclasses.fields(run):
        np.testing.assert_equal(getattr(back, field.name), getattr(run, field.name))
    for steps in range(1, cell.model.steps + 1, 13):
        for stop_when in ("accuracies", "all", "never"):
            if run.answers(steps, stop_when):
                again = run.within(steps, stop_when)
                require_possible([ClaimedRun(again, cell, Budget(steps, stop_when), ENGINE)])


@settings(max_examples=150)
@given(st.sampled_from(TASKS), models, st.integers(0, 3))
def test_whatever_the_simulator_runs_is_accepted(task: Task, model: ToyModel, seed: int) -> None:
    cell = cell_of(task, model, seed)
    require_sound(cell, run_cell(cell))


@cache
def cases() -> list[tuple[Cell, RunSummary]]:
    """Runs that finish, stop and diverge, at once and later, with and without RQI."""
    usual = ToyModel(width=8, target_dim=3, embedding_lr=1e-2, decoder_lr=1e-2, steps=60)
    changes: list[tuple[Task, dict[str, Any]]] = [
        (TASKS[0], {}),
        (
            TASKS[0],
            {
                **{"train_threshold": 0.8, "test_threshold": 0.4, "rqi_threshold": 0.0},
                "stop_when": "all",
            },
        ),
        (TASKS[0], {"decoder_weight_decay": 250.0, "steps": 200}),
        (TASKS[0], {"decoder_scale": 5e19}),
        (TASKS[0], {"train_threshold": 0.0, "test_threshold": 0.0}),
        (TASKS[1], {"stop_when": "never"}),
        (TASKS[2], {"stop_when": "all", "embedding_dim": 4, "rqi_threshold": 0.0}),
    ]
    cells = [cell_of(task, dataclasses.replace(usual, **fields), 1) for task, fields in changes]
    return [(cell, run_cell(cell)) for cell in cells]


def test_the_cases_are_of_every_kind() -> None:
    runs = [run for _, run in cases()]
    assert {run.status for run in runs} == {"finished", "stopped", "diverged"}
    assert {(run.status, run.steps_run) for run in runs} > {("diverged", 0), ("stopped", 0)}
    assert any(run.status == "diverged" and run.steps_run > 1 for run in runs)


#: Values that no run has, whatever else it has.
NEVER: dict[str, st.SearchStrategy[Any]] = {
    "status": st.sampled_from(["won", "", None, 3, b"finished"]),
    **dict.fromkeys(
        ("train_step", "test_step", "rqi_step", "diverged_step", "steps_run", "steps"),
        st.sampled_from([-1, 0.5, "3", b"", 10**12 + 1, 2**62, 1e308]),
    ),
    **dict.fromkeys(
        FRACTIONS,
        st.floats(max_value=-1e-300, allow_nan=False)
        | st.floats(min_value=1.0, exclude_min=True, allow_nan=False)
        | st.sampled_from([1, "1", b""]),
    ),
    "stop_when": st.sampled_from(["won", None, 3]),
    "embeddings": st.binary(max_size=9) | st.none() | st.text(),
    "curve": st.binary(min_size=1, max_size=49) | st.none() | st.text(),
    "configuration": st.text(max_size=5) | st.none(),
    "origin": st.text() | st.integers() | st.binary(),
}


@settings(max_examples=400)
@given(st.data())
def test_a_value_that_no_run_has_is_refused(data: st.DataObject) -> None:
    cell, run = data.draw(st.sampled_from(cases()))
    row = dict(zip(COLUMNS, run_as_row(cell, run, ENGINE, 1), strict=True))
    column = data.draw(st.sampled_from(sorted(NEVER)))
    with pytest.raises(ValueError):
        runs_of_rows([({**row, column: data.draw(NEVER[column])}, cell)])


def others(run: RunSummary, field: str) -> list[Any]:
    """Values of a field that some runs have, but not one with this run's other fields."""
    value = getattr(run, field)
    if field == "status":
        return [status for status in ("finished", "stopped", "diverged") if status != value]
    if field == "steps_run":
        return [value - 1, value + 1, 10_000]
    if field == "diverged_step":
        return [step for step in (0, run.steps_run, run.steps_run + 1, None) if step != value]
    if field in ("train_step", "test_step"):
        return [run.steps_run + 1, *([None] if value is not None else [0, run.steps_run])]
    if field.endswith("accuracy"):
        beside = [] if math.isnan(value) else [math.nan, math.nextafter(value, 2) + 0.01]
        return [*beside, *([1.0, 0.0] if math.isnan(value) else [])]
    if field == "rqi":
        return [0.25] if math.isnan(value) else [math.nan, 0.123]
    if field == "embeddings":
        return [] if run.status == "diverged" else [value * np.nan, value * np.inf]
    return []


@pytest.mark.parametrize("number", range(7))
def test_a_value_that_contradicts_the_others_is_refused(number: int) -> None:
    cell, run = cases()[number]
    tried = 0
    for field in dataclasses.fields(run):
        for value in others(run, field.name):
            changed = dataclasses.replace(run, **{field.name: value})
            with pytest.raises(ValueError):
                run_as_row(cell, changed, ENGINE, 1)
            tried += 1
    assert tried > 10


def curves(run: RunSummary) -> list[np.ndarray[Any, Any]]:
    """Learning curves that this run cannot have."""
    curve = run.curve
    if not len(curve):
        return [np.zeros((1, 6))]
    found = [curve[:0], curve[1:], curve[::-1] * 1.0, np.repeat(curve, 2, axis=0)]
    if run.status != "diverged":
        found.append(curve[:-1])
    for column, name in enumerate(CURVE_COLUMNS):
        values = {
            "update": (-1.0, 0.5, 1e6, np.nan),
            "train_loss": (-1.0, np.nan, np.inf),
            "test_loss": (-1.0,),
            "rqi": (-0.1, 1.1, np.inf),
        }.get(name, (-0.1, 1.1, np.nan, 0.01, 1e308))
        for value in values:
            changed = curve.copy()
            changed[len(curve) // 2, column] = value
            found.append(changed)
    return [other for other in found if not np.array_equal(other, curve, equal_nan=True)]


@pytest.mark.parametrize("number", range(7))
def test_a_learning_curve_that_is_none_is_refused(number: int) -> None:
    cell, run = cases()[number]
    for curve in curves(run):
        with pytest.raises(ValueError):
            run_as_row(cell, dataclasses.replace(run, curve=curve), ENGINE, 1)


def test_a_crossing_must_be_where_the_curve_says() -> None:
    cell, run = cases()[1]
    for side in ("train", "test", "rqi"):
        step = getattr(run, f"{side}_step")
        assert step is not None and run.curve[0, 0] == 0 < step, side
        with pytest.raises(ValueError):
            run_as_row(cell, dataclasses.replace(run, **{f"{side}_step": 0}), ENGINE, 1)


def test_an_engine_that_returns_what_cannot_be_is_told_so() -> None:
    cell, run = cases()[0]
    with TemporaryDirectory() as folder, Store(Path(folder) / "runs.sqlite") as store:
        with pytest.raises(StoreError, match="takes no run of the engine 'mine' with .*accuracy"):
            store.add(cell, dataclasses.replace(run, train_accuracy=1e308), "mine", 1)


def test_embeddings_beyond_float32_are_those_of_an_engine_in_float64() -> None:
    cell, run = cases()[0]
    huge = dataclasses.replace(run, state=np.full_like(run.state, np.inf))
    require_possible([ClaimedRun(huge, cell, Budget(60, "accuracies"), "torch-cpu-float64")])
    with pytest.raises(ValueError, match="embeddings that are not finite"):
        require_possible([ClaimedRun(huge, cell, Budget(60, "accuracies"), "torch-cpu-float32")])


@pytest.mark.parametrize("number", range(7))
def test_a_damaged_curve_is_refused_among_sound_ones(number: int) -> None:
    def claimed(cell: Cell, run: RunSummary) -> ClaimedRun:
        return ClaimedRun(run, cell, cell.budget, ENGINE)

    runs = [claimed(cell, run) for cell, run in cases()]
    require_possible(runs)
    cell, run = cases()[number]
    for curve in curves(run):
        damaged = claimed(cell, dataclasses.replace(run, curve=curve))
        with pytest.raises(ValueError):
            require_possible([*runs[:number], damaged, *runs[number + 1 :]])
