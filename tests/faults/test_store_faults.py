"""What may befall a store and its sweep: damage is named, and nothing committed is lost."""

import contextlib
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from effective_theory import Addition, ToyModel
from effective_theory.checks import RunError
from phase_diagrams import (
    PhaseDiagram,
    Source,
    Store,
    StoreError,
    SweepSpec,
    load,
    numba_engine,
    sweep,
)
from phase_diagrams.runs import store as store_module
from phase_diagrams.sweeps.cell import Cell
from phase_diagrams.sweeps.starts import Recipe
from phase_diagrams.toy import engine as engine_module

SPEC = SweepSpec(
    Addition(5),
    {"decoder_lr": [1e-4 * k for k in range(1, 21)]},
    ToyModel(width=6, steps=20),
    train_size=10,
)
pytestmark = pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> tuple[PhaseDiagram, bytes]:
    path = tmp_path_factory.mktemp("reference") / "runs.sqlite"
    diagram = sweep(SPEC, store=path, engine=numba_engine(1), progress=False)
    return diagram, path.read_bytes()


def require_same_or_named(path: Path, expected: PhaseDiagram) -> None:
    """Every damaged store gives the undamaged results or is refused by name."""
    try:
        found = load(path)
    except StoreError as error:
        assert str(path) in str(error) and "\n" not in str(error)
        return
    assert found.spec == expected.spec
    assert found.rows() == expected.rows()


def test_a_truncated_store_is_named(reference: tuple[PhaseDiagram, bytes], tmp_path: Path) -> None:
    content = reference[1]
    path = tmp_path / "runs.sqlite"
    lengths = {*range(0, len(content), 1371), *range(100), len(content) - 1}
    lengths |= {page + end for page in range(4096, len(content), 4096) for end in (-1, 0, 1)}
    for length in sorted(lengths):
        path.write_bytes(content[:length])
        with pytest.raises(StoreError):
            load(path)
        assert path.read_bytes() == content[:length]


def test_a_flipped_bit_changes_nothing_unnamed(
    reference: tuple[PhaseDiagram, bytes], tmp_path: Path
) -> None:
    diagram, content = reference
    path = tmp_path / "runs.sqlite"
    draw = random.Random(0)
    for _ in range(300):
        damaged = bytearray(content)
        damaged[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged)
        require_same_or_named(path, diagram)


@pytest.mark.parametrize(
    ("jobs", "death", "message"),
    [
        (2, "exits", "a worker died"),
        (2, "is killed", "a worker died"),
        (2, "has no memory", "memory ran out"),
        (1, "has no memory", "memory ran out"),
    ],
)
def test_a_worker_that_dies_is_named_and_loses_nothing(
    jobs: int,
    death: str,
    message: str,
    reference: tuple[PhaseDiagram, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "runs.sqlite"
    monkeypatch.setattr(store_module, "_SECONDS_BETWEEN_RUNS", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(engine_module, "run_cell", dying_run(death))
        with pytest.raises(RunError, match=message):
            sweep(SPEC, store=path, engine=numba_engine(jobs), progress=False)
    kept = load(path)
    assert 0 < (kept.source == Source.MEASURED).sum() < SPEC.size
    again = sweep(SPEC, store=path, engine=numba_engine(1), progress=False)
    assert again.rows() == reference[0].rows()


def dying_run(death: str) -> Callable[[Cell, Recipe], object]:
    """Return a run that dies at the tenth learning rate, with or without its process."""

    original = engine_module.run_cell

    def run(cell: Cell, recipe: Recipe) -> object:
        import os
        import signal

        if cell.model.decoder_lr > 1e-3:
            if death == "has no memory":
                raise MemoryError
            if death == "exits":
                os._exit(9)
            os.kill(os.getpid(), signal.SIGKILL)
        return original(cell, recipe)

    return run


@pytest.mark.parametrize("limit", [2_000, 10_000, 30_000, 50_000])
def test_a_file_that_may_not_grow_is_named_and_loses_nothing(
    limit: int,
    reference: tuple[PhaseDiagram, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "runs.sqlite"
    monkeypatch.setattr(store_module, "_SECONDS_BETWEEN_RUNS", 0.0)
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, unlimited[1]))
        with pytest.raises(StoreError, match="cannot be used"):
            sweep(SPEC, store=path, engine=numba_engine(1), progress=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
        signal.signal(signal.SIGXFSZ, ignored)
    if limit >= 30_000:
        assert 0 < (load(path).source == Source.MEASURED).sum() < SPEC.size
    again = sweep(SPEC, store=path, engine=numba_engine(1), progress=False)
    assert again.rows() == reference[0].rows()


#: Fills the disk that the store lies on, sees it named, makes room and goes on.
FULL_DISK = """
import os, sys, warnings
warnings.simplefilter("ignore")
from phase_diagrams import StoreError, numba_engine, sweep
from phase_diagrams.runs import store
from tests.faults.test_store_faults import SPEC
store._SECONDS_BETWEEN_RUNS = 0.0
folder, copy = sys.argv[1:]
with open(f"{folder}/filler", "wb") as filler:
    filler.write(bytes(200_000))
def run():
    return sweep(SPEC, store=f"{folder}/runs.sqlite", engine=numba_engine(1), progress=False)
try:
    run()
except StoreError as error:
    print(error)
os.remove(f"{folder}/filler")
run()
os.system(f"cp {folder}/runs.sqlite {copy}")
"""


def test_a_full_disk_is_named_and_loses_nothing(
    reference: tuple[PhaseDiagram, bytes], tmp_path: Path
) -> None:
    """On a disk of its own, 256 KiB in memory, that only this test's processes see."""
    private = ["unshare", "--map-root-user", "--mount"]
    disk, copy = tmp_path / "disk", tmp_path / "copy.sqlite"
    disk.mkdir()
    mount = f"mount -t tmpfs -o size=256k tmpfs {disk}"
    try:
        subprocess.run([*private, "sh", "-c", mount], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"this machine lets no test mount a disk of its own ({error})")
    command = f'{mount} && exec "$@"'
    python = [sys.executable, "-c", FULL_DISK, str(disk), str(copy)]
    said = subprocess.run(
        [*private, "sh", "-c", command, "sh", *python], capture_output=True, text=True, check=True
    )
    assert "cannot be used" in said.stdout and said.stdout.count("\n") == 1
    assert load(copy).rows() == reference[0].rows()


@contextlib.contextmanager
def unprivileged() -> Iterator[None]:
    """Act as a user whom permission bits bind: root, as whom tests may run, ignores them."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder below which any user may look, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o777)
        yield Path(name)


def test_a_read_only_store_is_read_and_never_written(
    reference: tuple[PhaseDiagram, bytes], open_folder: Path
) -> None:
    path = open_folder / "inner" / "runs.sqlite"
    path.parent.mkdir()
    path.write_bytes(reference[1])
    for file, mode in ((path, 0o444), (path.parent, 0o555)):
        file.chmod(mode)
        with unprivileged():
            assert load(path).rows() == reference[0].rows()
            assert sweep(SPEC, store=path, progress=False).rows() == reference[0].rows()
            with pytest.raises(StoreError, match="cannot be used .*readonly"):
                sweep(SPEC.with_more_seeds([9]), store=path, progress=False)
    path.parent.chmod(0o777)
    assert path.read_bytes() == reference[1]


def test_a_folder_that_may_not_be_written_is_named(open_folder: Path) -> None:
    inner = open_folder / "inner"
    inner.mkdir(mode=0o555)
    with unprivileged(), pytest.raises(StoreError, match="cannot be opened|cannot be used"):
        sweep(SPEC, store=inner / "runs.sqlite", progress=False)
    with unprivileged(), pytest.raises(StoreError, match="cannot be opened"):
        sweep(SPEC, store=inner / "deeper" / "runs.sqlite", progress=False)
    assert list(inner.iterdir()) == []


def test_a_missing_parent_is_made(tmp_path: Path) -> None:
    path = tmp_path / "some" / "where" / "runs.sqlite"
    Store(path).close()
    assert path.is_file()
    with pytest.raises(StoreError, match="does not exist"):
        Store(tmp_path / "else" / "where" / "runs.sqlite", create=False)
    assert not (tmp_path / "else").exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"x", b"SQLite format 3\0", b"eta,step\n1,2\n" * 500, bytes(8192), b"\x1f\x8b" * 900],
    ids=["nothing", "a byte", "a header alone", "a table", "zeros", "noise"],
)
def test_another_file_in_the_stores_place_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    path.write_bytes(content)
    with pytest.raises(StoreError):
        load(path)
    assert path.read_bytes() == content
    if len(content) > 1:  # SQLite takes one byte for an empty file, and that is made a store
        with pytest.raises(StoreError):
            sweep(SPEC, store=path, progress=False)
        assert path.read_bytes() == content


#: Dies within a transaction of which a part is written to the file: the journal has what was there.
HALF_WRITTEN = """
import os, signal, sys
from phase_diagrams import Store
connection = Store(sys.argv[1])._file._connection
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE runs SET status = 'stopped', checksum = '', curve = zeroblob(20000)")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_journal_of_a_killed_writer_is_rolled_back(
    reference: tuple[PhaseDiagram, bytes], tmp_path: Path
) -> None:
    path, journal = tmp_path / "runs.sqlite", tmp_path / "runs.sqlite-journal"
    path.write_bytes(reference[1])
    killed = subprocess.run([sys.executable, "-c", HALF_WRITTEN, str(path)])
    assert killed.returncode == -9 and journal.is_file()
    half = path.read_bytes()
    assert half != reference[1]
    assert load(path).rows() == reference[0].rows()
    assert path.read_bytes() == reference[1] and not journal.exists()
    # Where the journal was lost, as by a copy of the store alone, the damage is named.
    path.write_bytes(half)
    with pytest.raises(StoreError, match="damaged"):
        load(path)


#: Dies while it makes a store: tables are there, but not yet the mark that says whose they are.
HALF_MADE = """
import os, signal, sqlite3, sys
from phase_diagrams import Store

class Killed(sqlite3.Connection):
    def execute(self, *arguments):
        if "application_id =" in arguments[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().execute(*arguments)

connect = sqlite3.connect
sqlite3.connect = lambda *arguments, **options: connect(*arguments, factory=Killed, **options)
Store(sys.argv[1])
"""


def test_a_store_whose_maker_was_killed_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    assert subprocess.run([sys.executable, "-c", HALF_MADE, str(path)]).returncode == -9
    with Store(path) as store:
        assert store.sweeps() == {}


TWO_SWEEPS = """
import sys, warnings
warnings.simplefilter("ignore")
from phase_diagrams import numba_engine, sweep
from tests.faults.test_store_faults import SPEC
sweep(SPEC, store=sys.argv[1], name=sys.argv[2], engine=numba_engine(1), progress=False)
"""


def test_two_processes_share_a_store(reference: tuple[PhaseDiagram, bytes], tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    processes = [
        subprocess.Popen([sys.executable, "-c", TWO_SWEEPS, str(path), name])
        for name in ("one", "other")
    ]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    for name in ("one", "other"):
        assert load(path, name).rows() == reference[0].rows()
