"""The store refuses what it cannot use, by name, and never changes it."""

import dataclasses
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from effective_theory import Addition, ToyModel
from phase_diagrams import PhaseDiagram, Store, StoreError, SweepSpec, load, numba_engine, sweep
from phase_diagrams.cli import main
from phase_diagrams.runs.rows import STORE_VERSION
from phase_diagrams.runs.store_file import APPLICATION_ID, StoreFile
from phase_diagrams.toy import engine as engine_module
from phase_diagrams.toy.engine import run_cell

SPEC = SweepSpec(
    Addition(5), {"decoder_lr": [1e-3, 1e-2]}, ToyModel(width=6, steps=20), train_size=10
)
pytestmark = pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    store = tmp_path / "runs.sqlite"
    sweep(SPEC, store=store, engine=numba_engine(1), progress=False)
    return store


def test_a_run_reads_back_exactly(path: Path) -> None:
    engine = numba_engine(1)
    with Store(path) as store:
        for cell, stored in store.find(SPEC.cells(), engine.identity, engine.version):
            assert stored is not None
            fresh = run_cell(cell)
            np.testing.assert_array_equal(stored.state, fresh.state)
            np.testing.assert_array_equal(stored.curve, fresh.curve)
            for name in ("status", "train_step", "steps_run", "best_test_accuracy", "rqi"):
                assert repr(getattr(stored, name)) == repr(getattr(fresh, name))


def test_an_engine_may_count_in_numpys_integers(tmp_path: Path) -> None:
    """SQLite would keep them as bytes, which no number's checksum meets."""
    engine, path = numba_engine(1), tmp_path / "runs.sqlite"
    with Store(path) as store:
        store.add_sweep("sweep", SPEC)
        for cell in SPEC.cells():
            run = run_cell(cell)
            steps = {
                name: step if step is None else np.int64(step)
                for name in ("train_step", "test_step", "steps_run")
                for step in [getattr(run, name)]
            }
            kept = dataclasses.replace(run, **steps, rqi=np.float32(run.rqi))
            store.add(cell, kept, engine.identity, engine.version)
    assert load(path).rows() == sweep(SPEC, engine=engine, progress=False).rows()


def test_the_store_says_what_it_is(path: Path) -> None:
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
    assert connection.execute("PRAGMA user_version").fetchone()[0] == STORE_VERSION
    connection.close()


def test_a_newer_store_is_refused(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {STORE_VERSION + 1}")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="newer"):
        load(path)
    with pytest.raises(StoreError, match="newer"):
        sweep(SPEC, store=path, progress=False)
    assert path.read_bytes() == before


def test_another_programs_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    text, database = tmp_path / "notes.txt", tmp_path / "other.sqlite"
    text.write_text("not a database, but a long enough text to be read as one " * 20)
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    for file, message in ((text, "cannot be used"), (database, "another program's")):
        before = file.read_bytes()
        with pytest.raises(StoreError, match=message):
            sweep(SPEC, store=file, progress=False)
        assert file.read_bytes() == before


def test_another_programs_settings_are_left_alone(tmp_path: Path) -> None:
    database = tmp_path / "other.sqlite"
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    with pytest.raises(StoreError, match="another program's"):
        Store(database)
    connection = sqlite3.connect(database)
    assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    connection.close()


def test_a_format_that_never_was_is_damage(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 0")
    connection.close()
    with pytest.raises(StoreError, match="is damaged .its format is 0"):
        load(path)


def test_a_store_goes_back_to_the_rollback_journal_and_waits_for_the_disk(path: Path) -> None:
    """Another program may have set the write-ahead log, which network file systems do not bear."""
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
    connection.close()
    with Store(path) as store:
        settings = ("journal_mode", "synchronous")
        found = [
            store._file._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in settings
        ]
    assert found == ["delete", 2]


def test_a_store_that_another_process_makes_meanwhile_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, look = tmp_path / "runs.sqlite", StoreFile._is_empty

    def look_and_be_overtaken(file: StoreFile) -> bool:
        monkeypatch.setattr(StoreFile, "_is_empty", look)
        empty = look(file)
        Store(path).close()
        return empty

    monkeypatch.setattr(StoreFile, "_is_empty", look_and_be_overtaken)
    with Store(path) as store:
        assert store.sweeps() == {}


def test_an_interrupt_within_a_commit_loses_no_run(tmp_path: Path) -> None:
    """The transaction is rolled back, its rows wait, and closing the store writes them."""
    path, engine = tmp_path / "runs.sqlite", numba_engine(1)
    cells = list(SPEC.cells())
    with pytest.raises(KeyboardInterrupt), Store(path) as store:
        store._file._connection = InterruptedOnce(store._file._connection)  # type: ignore[assignment]
        store.add(cells[0], run_cell(cells[0]), engine.identity, engine.version)
    with Store(path) as store:
        found = [summary for _, summary in store.find(cells, engine.identity, engine.version)]
    assert [summary is not None for summary in found] == [True, False]


class InterruptedOnce:
    """A connection whose first write is interrupted within its transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection, self.interrupted = connection, False

    def __getattr__(self, name: str) -> object:
        return getattr(self.connection, name)

    def executemany(self, *arguments: object) -> object:
        if not self.interrupted:
            self.interrupted = True
            raise KeyboardInterrupt
        return self.connection.executemany(*arguments)  # type: ignore[arg-type]


def test_runs_that_came_at_once_wait_for_no_further_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What runs next may take hours: a timer commits what was left over."""
    path, engine, cells = tmp_path / "runs.sqlite", numba_engine(1), list(SPEC.cells())
    timers: list[threading.Timer] = []
    monkeypatch.setattr(threading.Timer, "start", lambda timer: timers.append(timer))

    def kept() -> int:
        with Store(path) as other:
            found = other.find(cells, engine.identity, engine.version)
            return sum(run is not None for _, run in found)

    with Store(path) as store:
        store._last_add = store._last_commit = float("inf")
        for cell in cells:
            store.add(cell, run_cell(cell), engine.identity, engine.version)
        assert kept() == 0
        (timer,) = timers
        assert 0 < timer.interval < 1 and timer.daemon
        late = threading.Thread(target=timer.function)
        late.start()
        late.join()
        assert kept() == len(cells)


def test_what_cannot_be_kept_yet_is_tried_again_and_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, engine, cells = tmp_path / "runs.sqlite", numba_engine(1), list(SPEC.cells())
    timers: list[threading.Timer] = []
    monkeypatch.setattr(threading.Timer, "start", lambda timer: timers.append(timer))
    monkeypatch.setattr("phase_diagrams.runs.store_file._SECONDS_OF_SILENCE", 0.001)
    with Store(path) as store:
        patience = store._file._patience
        store._last_add = store._last_commit = float("inf")
        store.add(cells[0], run_cell(cells[0]), engine.identity, engine.version)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        timers[-1].function()
        timers[-1].function()
        assert len(timers) == 3 and store._file._patience == patience
        other.execute("ROLLBACK")
        other.close()
        timers[-1].function()
        assert store._waiting == [] and len(timers) == 3
        store._last_add = store._last_commit = float("inf")
        store.add(cells[1], run_cell(cells[1]), engine.identity, engine.version)
    # A timer that comes too late finds the store closed.
    timers[-1].function()
    assert capsys.readouterr().err.count("1 finished runs wait to be kept: store") == 1
    with Store(path) as store:
        found = [run for _, run in store.find(cells, engine.identity, engine.version)]
    assert None not in found


def test_where_no_thread_can_be_started_runs_are_kept_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(timer: threading.Timer) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Timer, "start", start)
    engine, (cell, *_) = numba_engine(1), SPEC.cells()
    with Store(tmp_path / "runs.sqlite") as store:
        store._last_add = store._last_commit = float("inf")
        store.add(cell, run_cell(cell), engine.identity, engine.version)
        assert store._waiting == []


def test_a_store_that_cannot_be_written_is_found_before_anything_runs(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM runs WHERE rowid = 1")
    connection.commit()
    connection.close()
    ran: list[object] = []
    monkeypatch.setattr(engine_module, "run_cell", lambda *given: ran.append(given))
    monkeypatch.setattr(StoreFile, "_open", read_only(StoreFile._open))
    with pytest.raises(StoreError, match="cannot be used .*readonly"):
        sweep(SPEC, store=path, engine=numba_engine(1), progress=False)
    assert ran == []


def read_only(opening: Callable[[StoreFile, bool], None]) -> Callable[[StoreFile, bool], None]:
    """Return how a file is opened of which SQLite may then write nothing."""

    def opened(file: StoreFile, create: bool) -> None:
        opening(file, create)
        file._connection.execute("PRAGMA query_only = ON")

    return opened


def test_a_complete_sweep_is_read_from_a_store_that_nobody_may_write(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(*_: object, **__: object) -> None:
        raise AssertionError("nothing is to be written")

    before = load(path)
    monkeypatch.setattr(StoreFile, "write", write)
    again = sweep(SPEC, store=path, engine=numba_engine(1), progress=False)
    assert again.rows() == before.rows()


def test_a_missing_store_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="does not exist"):
        load(tmp_path / "nothing.sqlite")
    assert not (tmp_path / "nothing.sqlite").exists()
    with pytest.raises(StoreError, match="is a folder"):
        sweep(SPEC, store=tmp_path, progress=False)


def test_a_path_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be opened"):
        sweep(SPEC, store=tmp_path / "file" / "runs.sqlite", progress=False)


@pytest.mark.parametrize("column", ["test_step", "embeddings", "curve", "status", "configuration"])
def test_a_changed_row_fails_its_checksum(path: Path, column: str) -> None:
    changed = {"test_step": 3, "status": "finished?", "configuration": "{}"}
    connection = sqlite3.connect(path)
    size = connection.execute(f"SELECT length({column}) FROM runs").fetchone()[0]
    value = changed.get(column, bytes(size or 0))
    connection.execute(f"UPDATE runs SET {column} = ?", (value,))
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="damaged"):
        load(path)


def test_a_sweep_is_chosen_by_name(path: Path) -> None:
    assert load(path).name == "sweep"
    assert sweep(SPEC, store=path, name="other", progress=False).name == "other"
    assert sweep(SPEC, progress=False).name is None
    with pytest.raises(StoreError, match="several sweeps; give name, one of: other, sweep"):
        load(path)
    assert load(path, "other").name == "other"
    with pytest.raises(StoreError, match="holds no sweep 'third'"):
        load(path, "third")


def test_a_changed_specification_fails_its_checksum(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("UPDATE sweeps SET spec = replace(spec, '20', '21')")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="damaged"):
        load(path)


@pytest.mark.parametrize(("engine", "version"), [("torch-cuda-float32", 1), (None, 0)])
def test_a_sweep_of_other_engines_alone_is_no_empty_diagram(
    tmp_path: Path, engine: str | None, version: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another engine's runs, or those of an older version, are read where they are asked for."""
    store, engine = tmp_path / "runs.sqlite", engine or numba_engine(1).identity
    with Store(store) as kept:
        kept.add_sweep("sweep", SPEC)
        assert (PhaseDiagram(SPEC).source == load(store).source).all()
        first = next(iter(SPEC.cells()))
        kept.add(first, run_cell(first), engine, version)
    with pytest.raises(StoreError, match=f"no run of 'sweep' by .*give engine, one of: {engine}"):
        load(store)
    assert load(store, engine=engine).measured.sum() == 1
    # Also where the newest version has run another sweep.
    with Store(store) as kept:
        other = next(iter(dataclasses.replace(SPEC, seeds=(9,)).cells()))
        kept.add(other, run_cell(other), engine, 5)
    assert load(store, engine=engine).measured.sum() == 1
    assert main(["export", str(store), str(tmp_path / "runs.csv")]) == 2
    assert "give engine" in capsys.readouterr().err
    assert main(["export", str(store), str(tmp_path / "runs.csv"), "--engine", engine]) == 0


def test_an_unfinished_sweep_shows_what_was_not_run(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM runs WHERE rowid = 1")
    connection.commit()
    connection.close()
    diagram = load(path)
    assert (diagram.source == 0).sum() == 1
    assert sorted(diagram.phases.ravel() == -1) == [False, True]


def test_a_stored_run_is_never_changed(path: Path) -> None:
    engine, cell = numba_engine(1), next(iter(SPEC.cells()))
    before = path.read_bytes()
    other = dataclasses.replace(run_cell(cell), state=np.zeros((5, 1), np.float32))
    with Store(path) as store:
        store.add(cell, other, engine.identity, engine.version)
    (_, kept) = next(iter(Store(path).find([cell], engine.identity, engine.version)))
    assert kept is not None and kept.state.any()
    assert len(path.read_bytes()) == len(before)
