"""A store of format 1 goes on as it is, and gets format 2 whole or not at all."""

import csv
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from phase_diagrams import Cell, Source, Store, StoreError, SweepSpec, load, numba_engine, sweep
from phase_diagrams.runs.rows import STORE_VERSION, TABLES
from phase_diagrams.toy.engine import NumbaEngine, run_cell
from phase_diagrams.toy.origin import numba_origin
from tests.faults.test_formats import engine_of, store_of
from tests.stores import stored_rows

OLD = Path(__file__).parent / "formats" / "format_1.sql"
pytestmark = pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return store_of(OLD, tmp_path)


def format_of(path: Path) -> tuple[int, dict[str, str]]:
    """The format of a store and its tables."""
    connection = sqlite3.connect(path)
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    tables = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
    connection.close()
    return version, tables


class Idle(NumbaEngine):
    """An engine that must not be asked for anything."""

    def run(self, cells: Iterable[Cell]) -> Iterator[tuple[Cell, object]]:  # type: ignore[override]
        assert list(cells) == []
        return iter(())


def larger(path: Path) -> SweepSpec:
    return load(path, engine=engine_of(path)).spec.with_more_seeds([7])


def test_an_old_store_resumes_without_running_anything(old: Path) -> None:
    engine = engine_of(old)
    before = load(old, engine=engine)
    rows = stored_rows(old)
    found = sweep(before.spec, store=old, name=before.name, engine=Idle(1, version=engine.version))
    with open(OLD.with_suffix(".csv"), newline="") as table:
        expected = [row["phase"] for row in csv.DictReader(table)]
    assert [row["phase"] for row in found.rows()] == expected and len(expected) == 8
    assert found.rows() == before.rows() and (found.source == Source.MEASURED).all()
    assert found.origins == {None: 8}
    assert stored_rows(old) == rows and format_of(old) == (1, TABLES[1])


def test_reading_leaves_an_old_store_as_it_is(old: Path) -> None:
    before, engine = old.read_bytes(), engine_of(old)
    old.chmod(0o444)
    load(old, engine=engine).run(decoder_lr=1e-3, decoder_weight_decay=0, seed=0)
    with Store(old) as store:
        assert store.engines() == [engine.identity]
        assert store.versions(engine.identity) == [engine.version]
    assert old.read_bytes() == before


def test_a_new_run_brings_the_new_format_and_changes_no_old_one(old: Path) -> None:
    rows, engine, spec = stored_rows(old), engine_of(old), larger(old)
    with pytest.warns(UserWarning, match="origin of 8 of 12 runs is not known"):
        found = sweep(spec, store=old, name="four rates", engine=engine, progress=False)
    assert found.origins == {None: 8, numba_origin(): 4}
    assert format_of(old) == (STORE_VERSION, TABLES[STORE_VERSION])
    kept = [row[:-1] for row in stored_rows(old) if row[-1] is None]
    assert kept == rows
    with pytest.warns(UserWarning, match="origin of 8 of 12"):
        assert load(old, engine=engine).rows() == found.rows()


def test_an_upgraded_store_has_the_tables_of_a_new_one(old: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh.sqlite"
    Store(fresh).close()
    add_one(old, larger(old))
    assert format_of(old) == format_of(fresh)


def add_one(path: Path, spec: SweepSpec) -> None:
    cell, engine = spec.cell((0, 0, 2)), engine_of(path)
    with Store(path) as store:
        store.add(cell, run_cell(cell), engine.identity, engine.version)


def test_a_store_that_another_process_upgrades_is_read_and_written_on(old: Path) -> None:
    spec, engine = larger(old), engine_of(old)
    cells, key = list(spec.cells()), (engine.identity, engine.version)
    with Store(old) as first, Store(old) as second:
        runs = [cell for cell, run in first.find(cells, *key) if run is not None]
        for store, place in ((second, (0, 0, 2)), (first, (0, 1, 2))):
            cell = spec.cell(place)
            store.add(cell, run_cell(cell), *key)
            store.commit()
        for store in (first, second):
            found = [run for _, run in store.find(cells, *key) if run is not None]
            assert len(found) == len(runs) + 2
            assert sum(run.origin is None for run in found) == len(runs) == 8


@pytest.mark.parametrize("column", ["train_step", "curve", "status", "checksum"])
def test_damage_in_an_old_row_is_named_after_the_upgrade_too(old: Path, column: str) -> None:
    spec, engine = larger(old), engine_of(old)
    connection = sqlite3.connect(old)
    connection.execute(f"UPDATE runs SET {column} = '12' WHERE rowid = 3")
    connection.commit()
    connection.close()
    add_one(old, spec)
    with pytest.raises(StoreError, match="fails its checksum"):
        load(old, engine=engine)


#: Adds a run to a store of format 1 and dies before the so-manyth statement that writes.
KILLED = """
import os, signal, sys
from phase_diagrams import Store, load
from phase_diagrams.toy.engine import run_cell
from tests.faults.test_formats import engine_of
from tests.faults.test_upgrades import larger

path, number = sys.argv[1], int(sys.argv[2])
spec, engine = larger(path), engine_of(path)
cell = spec.cell((0, 0, 2))
run = run_cell(cell)
store = Store(path)
connection, done = store._file._connection, []

class Killed:
    def __getattr__(self, name):
        return getattr(connection, name)
    def _count(self):
        if len(done) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        done.append(None)
    def execute(self, *arguments):
        self._count()
        return connection.execute(*arguments)
    def executemany(self, *arguments):
        self._count()
        return connection.executemany(*arguments)

store._file._connection = Killed()
store.add(cell, run, engine.identity, engine.version)
store.close()
print(len(done))
"""


def test_killed_at_any_statement_a_store_is_whole_and_of_one_format(old: Path) -> None:
    content, engine, spec = old.read_bytes(), engine_of(old), larger(old)
    expected = load(old, engine=engine).rows()
    # BEGIN, format, ALTER, new format, rows, COMMIT, and the end.
    for number in range(7):
        old.write_bytes(content)
        killed = subprocess.run(
            [sys.executable, "-c", KILLED, str(old), str(number)], capture_output=True, text=True
        )
        assert killed.returncode == (-9 if number < 6 else 0), killed.stderr
        assert load(old, engine=engine).rows() == expected
        version, tables = format_of(old)
        assert version == (1 if number < 6 else 2) and tables == TABLES[version]
    add_one(old, spec)
    assert format_of(old) == (STORE_VERSION, TABLES[STORE_VERSION])


def test_two_processes_upgrade_at_once(old: Path) -> None:
    code = (
        "import sys, warnings; warnings.simplefilter('ignore')\n"
        "from phase_diagrams import sweep\n"
        "from tests.faults.test_formats import engine_of\n"
        "from tests.faults.test_upgrades import larger\n"
        "spec, engine = larger(sys.argv[1]), engine_of(sys.argv[1])\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "sweep(spec, store=sys.argv[1], name=sys.argv[2], engine=engine, progress=False)"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(old), name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for name in ("one", "other")
    ]  # fmt: skip
    for process in processes:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=120)
        assert process.returncode == 0
    assert format_of(old) == (STORE_VERSION, TABLES[STORE_VERSION])
    assert len(stored_rows(old)) == 12 and numba_engine().version >= 1
