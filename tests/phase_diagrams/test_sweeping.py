"""Sweeps: the same numbers whatever happens, and nothing done twice."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import joblib
import numpy as np
import pytest

from effective_theory import Addition, InputError, ModularAddition, ToyModel
from phase_diagrams import (
    Phase,
    PhaseDiagram,
    RunSummary,
    SweepSpec,
    load,
    numba_engine,
    random_start,
    register_start,
    sweep,
    sweeping,
)
from phase_diagrams.runs.dask_workers import Preparation
from phase_diagrams.sweeping import long_first, results
from phase_diagrams.sweeps.cell import Cell
from phase_diagrams.text.table import write_csv
from phase_diagrams.toy.engine import NumbaEngine, run_cell
from phase_diagrams.toy.system import TOY
from tests.stores import stored_rows

SPEC = SweepSpec(
    Addition(10),
    {"decoder_lr": [3e-4, 1e-3, 1e-2], "decoder_weight_decay": [0.0, 250.0]},
    ToyModel(width=30, target_dim=8, embedding_lr=1e-2, steps=600),
    seeds=(5, (1, 0)),
)

pytestmark = [
    pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning"),
    # Several budgets follow each other under one name; tests/phase_diagrams/test_wording.py.
    pytest.mark.filterwarnings("ignore::phase_diagrams.sweeps.names.ChangedSweep"),
]


class CountingEngine(NumbaEngine):
    """The simulator on one core, noting what it ran and failing where it is told to."""

    def __init__(self, fail_after: int | None = None, reverse: bool = False) -> None:
        super().__init__(n_jobs=1)
        self.__dict__.update(ran=[], fail_after=fail_after, reverse=reverse)

    def run(self, cells: Iterable[Cell]) -> Iterator[tuple[Cell, RunSummary]]:
        cells = list(cells)[::-1] if self.__dict__["reverse"] else cells
        for cell in cells:
            if len(self.__dict__["ran"]) == self.__dict__["fail_after"]:
                raise KeyboardInterrupt
            self.__dict__["ran"].append(cell.index)
            yield cell, run_cell(cell)


def table(diagram: PhaseDiagram, folder: Path) -> bytes:
    write_csv(diagram, folder / "runs.csv")
    return (folder / "runs.csv").read_bytes()


@pytest.fixture(scope="module")
def reference() -> PhaseDiagram:
    return sweep(SPEC, engine=numba_engine(1), progress=False)


def test_a_sweep_shows_several_phases(reference: PhaseDiagram) -> None:
    counts = reference.counts()
    assert counts[Phase.NOT_RUN] == 0 and counts[Phase.DIVERGED] >= 1
    assert sum(counts.values()) == SPEC.size == 12


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_bits_do_not_depend_on_workers(
    backend: str, reference: PhaseDiagram, tmp_path: Path
) -> None:
    alone, parallel = tmp_path / "1.sqlite", tmp_path / "2.sqlite"
    sweep(SPEC, store=alone, engine=numba_engine(1), progress=False)
    with joblib.parallel_config(backend=backend):
        diagram = sweep(SPEC, store=parallel, engine=numba_engine(2), progress=False)
    assert table(diagram, tmp_path) == table(reference, tmp_path)
    # Rows hold every scalar, the embeddings, the learning curve and a checksum of them all.
    assert stored_rows(alone) == stored_rows(parallel)


def test_bits_do_not_depend_on_order_and_interruptions(
    reference: PhaseDiagram, tmp_path: Path
) -> None:
    store, whole = tmp_path / "runs.sqlite", tmp_path / "whole.sqlite"
    for fail_after in (1, 4, 3):
        with pytest.raises(KeyboardInterrupt):
            sweep(SPEC, store=store, engine=CountingEngine(fail_after), progress=False)
    last = CountingEngine(reverse=True)
    diagram = sweep(SPEC, store=store, engine=last, progress=False)
    assert len(last.__dict__["ran"]) == 12 - 8
    assert table(diagram, tmp_path) == table(reference, tmp_path)
    sweep(SPEC, store=whole, engine=numba_engine(1), progress=False)
    assert stored_rows(store) == stored_rows(whole)


def test_a_finished_run_is_never_done_twice(tmp_path: Path) -> None:
    store = tmp_path / "runs.sqlite"
    sweep(SPEC, store=store, engine=CountingEngine(), progress=False)
    again = CountingEngine()
    sweep(SPEC, store=store, engine=again, progress=False)
    assert again.__dict__["ran"] == []
    more = dataclasses.replace(SPEC, seeds=(*SPEC.seeds, 2))
    sweep(more, store=store, engine=again, progress=False)
    assert {index[-1] for index in again.__dict__["ran"]} == {2}


def test_a_shorter_budget_is_answered_by_a_longer_run(tmp_path: Path) -> None:
    store = tmp_path / "runs.sqlite"
    sweep(SPEC, store=store, engine=CountingEngine(), progress=False)
    short = dataclasses.replace(SPEC, model=dataclasses.replace(SPEC.model, steps=300))
    engine = CountingEngine()
    answered = sweep(short, store=store, engine=engine, progress=False)
    assert engine.__dict__["ran"] == []
    measured = sweep(short, engine=numba_engine(1), progress=False)
    assert table(answered, tmp_path) == table(measured, tmp_path)


def test_a_longer_budget_runs_only_what_is_open(tmp_path: Path) -> None:
    store = tmp_path / "runs.sqlite"
    first = sweep(SPEC, store=store, engine=CountingEngine(), progress=False)
    longer = dataclasses.replace(SPEC, model=dataclasses.replace(SPEC.model, steps=700))
    engine = CountingEngine()
    sweep(longer, store=store, engine=engine, progress=False)
    known = (~first.train_step.mask & ~first.test_step.mask) | ~first.diverged_step.mask
    assert {index for index in engine.__dict__["ran"]} == set(zip(*np.nonzero(~known), strict=True))


def test_what_lies_in_the_store_does_not_change_a_result(tmp_path: Path) -> None:
    """A longer run answers for steps and phases, never for the last state of a shorter one."""
    store = tmp_path / "runs.sqlite"
    fresh = {cell.index: summary for cell, summary in results(SPEC, engine=numba_engine(1))}
    never = dataclasses.replace(SPEC.model, steps=700, stop_when="never")
    list(results(dataclasses.replace(SPEC, model=never), store=store, engine=numba_engine(1)))
    answered = dict(results(SPEC, store=store, engine=CountingEngine(fail_after=0)))
    for cell, summary in answered.items():
        expected = fresh[cell.index]
        for name in ("status", "train_step", "test_step", "rqi_step", "steps_run"):
            assert getattr(summary, name) == getattr(expected, name)
        same_end = summary.status == "diverged"
        assert np.isnan(summary.train_accuracy) and np.isnan(summary.state).all() or same_end
    exact = results(SPEC, store=store, engine=numba_engine(1), exact=True)
    for cell, summary in exact:
        np.testing.assert_array_equal(summary.state, fresh[cell.index].state)
        # A diverged run is the same whatever the budget, but for the updates of its curve.
        if summary.status != "diverged":
            np.testing.assert_array_equal(summary.curve, fresh[cell.index].curve)
        assert repr(summary.rqi) == repr(fresh[cell.index].rqi)
    # Once the exact runs are there they come first.
    for cell, summary in results(SPEC, store=store, engine=CountingEngine(fail_after=0)):
        np.testing.assert_array_equal(summary.state, fresh[cell.index].state)


def test_a_start_of_the_users_own_reaches_the_workers(
    tmp_path: Path, own_starts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    register_start("mine", lambda model, task, size, seed: random_start(model, task, size, seed))
    mine = dataclasses.replace(SPEC, start="mine")
    store = tmp_path / "runs.sqlite"
    found = sweep(mine, store=store, name="mine", engine=numba_engine(2), progress=False)
    random = sweep(SPEC, store=store, name="random", engine=numba_engine(1), progress=False)
    assert found.train_step.filled(-1).tolist() == random.train_step.filled(-1).tolist()
    # A session that does not know the start still reads the other sweep.
    monkeypatch.delitem(TOY.starts, "mine")
    assert load(store, "random").rows() == random.rows()
    with pytest.raises(InputError, match="start 'mine' is unknown"):
        load(store, "mine")


def test_joblib_decides_on_workers_where_the_caller_does_not() -> None:
    assert numba_engine(3).workers == 3
    for jobs in (1, 2):
        with joblib.parallel_config(n_jobs=jobs):
            assert numba_engine().workers == jobs
    with joblib.parallel_config(backend="threading"):
        assert numba_engine().workers == joblib.cpu_count()


def test_engines_never_share_a_result(tmp_path: Path) -> None:
    store = tmp_path / "runs.sqlite"
    sweep(SPEC, store=store, engine=numba_engine(1), progress=False)
    other = CountingEngine()
    other.__dict__["version"] = 99
    sweep(SPEC, store=store, engine=other, progress=False)
    assert len(other.__dict__["ran"]) == 12


def test_a_split_that_cannot_generalise_is_warned_of() -> None:
    spec = SweepSpec(
        Addition(10),
        {"decoder_lr": [1e-3]},
        ToyModel(width=4, steps=2),
        seeds=(0,),
        start="released",
    )
    with pytest.warns(UserWarning, match=r"seed 0 with 45 training samples: 0\.50, below 0\.9"):
        sweep(spec, progress=False)


def test_a_task_off_the_line_sweeps_on() -> None:
    spec = SweepSpec(
        ModularAddition(5), {"decoder_lr": [1e-3]}, ToyModel(width=4, steps=2), train_size=10
    )
    diagram = sweep(spec, progress=False)
    assert diagram.counts()[Phase.CONFUSION] == 1
    assert "not defined" in str(diagram.ideal_test_accuracy)


def test_long_runs_come_first() -> None:
    spec = SweepSpec(
        Addition(10), {"batch_size": [5, 9], "decoder_lr": [1e-4, 1e-3], "steps": [10, 20]}
    )
    places = long_first(spec, [cell.index for cell in spec.cells()])
    steps_and_rates = [(place[2], place[1]) for place in places]
    assert steps_and_rates == [(1, 0)] * 2 + [(1, 1)] * 2 + [(0, 0)] * 2 + [(0, 1)] * 2


def test_train_size_is_an_axis() -> None:
    spec = SweepSpec(
        Addition(5), {"train_size": [3, 9]}, ToyModel(width=4, steps=2), train_size=5, seeds=(0, 1)
    )
    diagram = sweep(spec, progress=False)
    assert set(diagram.ideal_test_accuracy.values) == {
        (size, (s, s)) for size in (3, 9) for s in (0, 1)
    }


def test_what_is_compiled_takes_no_part_in_the_rate_of_the_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []

    class Told(NumbaEngine):
        def prepare(self) -> Preparation:
            told.append("compiled")
            return super().prepare()

    @contextlib.contextmanager
    def bar(total: int, **options: object) -> Iterator[Callable[[int], object]]:
        told.append(f"{total} runs begin")
        yield lambda count: None

    monkeypatch.setattr(sweeping, "progress_bar", bar)
    sweep(SPEC, engine=Told(1))
    assert told[:2] == ["compiled", f"{SPEC.size} runs begin"]
