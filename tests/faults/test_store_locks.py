"""A store that another process locks, or that is moved while it is open: who and what is said."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from effective_theory import Addition, ToyModel
from phase_diagrams import Store, StoreError, SweepSpec, load, numba_engine, sweep
from phase_diagrams.cli import main
from phase_diagrams.runs import store as store_module
from phase_diagrams.runs import store_file
from phase_diagrams.runs.store_errors import failure, lock_holder
from phase_diagrams.toy.engine import run_cell

SPEC = SweepSpec(
    Addition(5), {"decoder_lr": [1e-3, 1e-2]}, ToyModel(width=6, steps=20), train_size=10
)
KEY = numba_engine(1).identity, numba_engine(1).version
pytestmark = pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")

#: Locks a store as a writer does, says so, and lets it go after a line of input.
HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN " + sys.argv[2])
print("locked", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    store = tmp_path / "runs.sqlite"
    sweep(SPEC, store=store, engine=numba_engine(1), progress=False)
    return store


@pytest.fixture
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_file, "_SECONDS_OF_SILENCE", 0.001)
    monkeypatch.setattr(store_file, "_SECONDS_OF_PATIENCE", 0.01)


@pytest.fixture
def kernel() -> None:
    if not Path("/proc/locks").is_file():
        pytest.skip("this system does not say who locks a file: there is no /proc/locks")


def hold(path: Path, how: str) -> subprocess.Popen[str]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None and holder.stdout.readline() == "locked\n"
    return holder


@pytest.fixture(params=["IMMEDIATE", "EXCLUSIVE"])
def holder(path: Path, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    held = hold(path, request.param)
    yield held
    held.communicate("go\n")


def test_a_locked_store_is_said_to_be_while_it_waits_and_at_the_end(
    path: Path,
    holder: subprocess.Popen[str],
    impatience: None,
    kernel: None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["sweep", *_OPTIONS, "--store", str(path), "--out", str(path.parent)]) == 2
    waiting, error = capsys.readouterr().err.splitlines()
    who = f"locked by process {holder.pid} ({sys.executable} -c import sqlite3, sys"
    assert waiting.startswith(f"store {path} is {who}") and waiting.endswith("; waiting ..")
    assert error.startswith(f"error: store {path} is {who}")
    assert error.endswith("or end it, and run the same again: finished runs are kept.")


_OPTIONS = ["--axis", "decoder_lr=1e-3,1e-2", "--p", "5", "--train-size", "10", "--jobs", "1"]


@pytest.mark.parametrize("when", ["opened", "read", "written", "closed"])
def test_each_use_of_a_locked_store_is_named_and_nothing_is_lost(
    when: str,
    path: Path,
    tmp_path: Path,
    impatience: None,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(store_module, "_SECONDS_BETWEEN_COMMITS", 3600.0)
    new = tmp_path / "new.sqlite"
    cells = list(SPEC.cells())
    store = Store(new)
    if when == "written":
        store._last_add = store._last_commit = float("inf")
    if when != "closed":
        store.add(cells[0], run_cell(cells[0]), *KEY)
    held = hold(new, "EXCLUSIVE")
    uses: dict[str, Callable[[], object]] = {
        "opened": lambda: Store(new),
        "read": lambda: list(store.find(cells, *KEY)),
        "written": store.commit,
        "closed": lambda: store.add(cells[0], run_cell(cells[0]), *KEY),
    }
    with pytest.raises(StoreError, match="is locked by (process|another)"):
        uses[when]()
    assert capsys.readouterr().err.count("waiting ..") == 1
    held.communicate("go\n")
    store.close()
    with Store(new) as again:
        found = [run for _, run in again.find(cells, *KEY)]
    assert [run is not None for run in found] == [True, False]


def test_a_lock_that_is_let_go_meanwhile_ends_the_waiting(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(store_file, "_SECONDS_OF_SILENCE", 0.001)
    held = hold(path, "EXCLUSIVE")

    def let_go(path: Path) -> str:
        held.communicate("go\n")
        return "somebody"

    monkeypatch.setattr(store_file, "lock_holder", let_go)
    assert load(path).spec == SPEC
    assert capsys.readouterr().err == f"store {path} is locked by somebody; waiting ..\n"


def test_a_wait_in_vain_is_not_repeated_by_closing(
    path: Path, monkeypatch: pytest.MonkeyPatch, impatience: None
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(store_file, "lock_holder", lambda path: asked.append("asked") or "somebody")
    cell = next(iter(SPEC.cells()))
    held = hold(path, "IMMEDIATE")
    with pytest.raises(StoreError, match="is locked by"), Store(path) as store:
        store.add(cell, run_cell(cell), *KEY)
    assert asked == ["asked"]
    held.communicate("go\n")


def test_who_locks_a_store_is_known_only_where_the_kernel_says(path: Path) -> None:
    unknown = "another process, perhaps on another machine"
    assert lock_holder(path) == lock_holder(path.with_name("absent")) == unknown
    own = sqlite3.connect(path, isolation_level=None)
    own.execute("BEGIN IMMEDIATE")
    assert lock_holder(path) == unknown
    own.close()


def moved(path: Path) -> None:
    path.rename(path.with_name("elsewhere.sqlite"))


def replaced(path: Path) -> None:
    copy = path.with_name("copy.sqlite")
    shutil.copy(path, copy)
    os.replace(copy, path)


def with_its_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("renamed"))


@pytest.mark.parametrize(
    "lose", [Path.unlink, moved, replaced, with_its_folder, lambda path: shutil.rmtree(path.parent)]
)
def test_a_store_that_goes_while_it_is_open_is_named_and_not_written_on(
    lose: Callable[[Path], object], path: Path
) -> None:
    cell = SPEC.with_more_seeds([9]).cell((0, 1))
    with pytest.raises(StoreError) as lost, Store(path) as store:
        lose(path)
        store.add(cell, run_cell(cell), *KEY)
        store.commit()
    message = f"store {path} was moved, replaced or deleted while it was open; bring it back"
    assert message in str(lost.value)


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (sqlite3.SQLITE_READONLY, "make the file and its folder writable"),
        (sqlite3.SQLITE_FULL, "make room on its disk"),
        (sqlite3.SQLITE_IOERR_WRITE, "see to its disk"),
        (sqlite3.SQLITE_CANTOPEN, "make its folder writable"),
        (sqlite3.SQLITE_NOTADB, "name a run store"),
        (sqlite3.SQLITE_CORRUPT, "is damaged"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "is locked by another process"),
        (sqlite3.SQLITE_READONLY_DBMOVED, "was moved, replaced or deleted"),
    ],
)
def test_each_failure_has_its_remedy(code: int, remedy: str, path: Path) -> None:
    error = sqlite3.OperationalError("what SQLite\nsays")
    error.sqlite_errorcode = code
    sentence = str(failure(path, error))
    assert str(path) in sentence and remedy in sentence and "\n" not in sentence
    others = ("writable", "make room", "see to its disk", "name a run", "is damaged", "is locked")
    assert sum(other in sentence for other in others) <= 1
