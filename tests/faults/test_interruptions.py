"""Sweeps that are killed or interrupted: nothing stored is lost, and the same command goes on."""

import os
import signal
from pathlib import Path

import pytest
from joblib import Parallel, delayed

from phase_diagrams.runs import engines
from tests.faults.processes import ended, run, start
from tests.stores import stored_rows

CELLS = 16
OPTIONS = ("--width", "20", "--steps", "400", "--seeds", "5", "--stop-when", "never")
RATES = ("sweep", "--axis", "decoder_lr=1e-5:1e-2:8:log")
SWEEP = (*RATES, "--axis", "decoder_weight_decay=0,2", *OPTIONS)
OVERLAPPING = (*RATES, "--axis", "decoder_weight_decay=0,4", *OPTIONS)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of an undisturbed sweep."""
    out = tmp_path_factory.mktemp("whole")
    assert run(*SWEEP, "--jobs", "1", "--out", str(out)) == 0
    return out


def require_whole(out: Path, whole: Path) -> None:
    """The table is the undisturbed one byte for byte, and every run is there once."""
    assert (out / "runs.csv").read_bytes() == (whole / "runs.csv").read_bytes()
    rows = stored_rows(out / "runs.sqlite")
    assert len(rows) == CELLS and rows == stored_rows(whole / "runs.sqlite")


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("number", [1, 4, 11])
def test_a_killed_sweep_goes_on_where_it_was(
    number: int, jobs: str, whole: Path, tmp_path: Path
) -> None:
    command = (*SWEEP, "--jobs", jobs, "--out", str(tmp_path))
    assert ended("after", number, signal.SIGKILL, *command)[0] == -9
    kept = stored_rows(tmp_path / "runs.sqlite")
    assert number <= len(kept) < CELLS
    assert run(*command) == 0
    assert set(kept) <= set(stored_rows(tmp_path / "runs.sqlite"))
    require_whole(tmp_path, whole)


@pytest.mark.parametrize("point", ["rows", "commit"])
def test_a_kill_within_a_commit_leaves_it_done_or_undone(
    point: str, whole: Path, tmp_path: Path
) -> None:
    command = (*SWEEP, "--jobs", "1", "--out", str(tmp_path))
    assert ended(point, 5, signal.SIGKILL, *command)[0] == -9
    assert len(stored_rows(tmp_path / "runs.sqlite")) == 4
    assert run(*command) == 0
    require_whole(tmp_path, whole)


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize(
    ("kind", "code", "message"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
    ids=["Ctrl-C", "terminate"],
)
def test_an_interrupted_sweep_says_so_in_one_line(
    kind: signal.Signals, code: int, message: str, jobs: str, whole: Path, tmp_path: Path
) -> None:
    command = (*SWEEP, "--jobs", jobs, "--out", str(tmp_path))
    found, said = ended("after", 3, kind, *command)
    advice = "finished runs are kept, run the same command to continue."
    assert (found, said) == (code, f"{message}; {advice}\n")
    assert 3 <= len(stored_rows(tmp_path / "runs.sqlite")) < CELLS
    assert run(*command) == 0
    require_whole(tmp_path, whole)


def test_two_sweeps_of_one_store_of_which_one_is_killed(whole: Path, tmp_path: Path) -> None:
    """The one dies within a commit while the other, begun before, has the store open."""
    store = ("--store", str(tmp_path / "runs.sqlite"), "--jobs", "1")
    out = ("--out", str(tmp_path / "other"))
    other = start("after", 2, "wait", *OVERLAPPING, *store, *out)
    assert other.stdout is not None and other.stdout.readline() == "ready\n"
    assert ended("commit", 9, signal.SIGKILL, *SWEEP, *store, "--out", str(tmp_path))[0] == -9
    said = other.communicate("go on\n", timeout=300)[1]
    assert other.returncode == 0, said
    assert run(*SWEEP, *store, "--out", str(tmp_path)) == 0
    assert (tmp_path / "runs.csv").read_bytes() == (whole / "runs.csv").read_bytes()
    # 8 rates with decays 0 and 2, and with decays 0 and 4: each run once, as undisturbed.
    rows = stored_rows(tmp_path / "runs.sqlite")
    assert len(rows) == 24 and set(stored_rows(whole / "runs.sqlite")) <= set(rows)


def test_workers_leave_ctrl_c_to_the_driver() -> None:
    """A terminal sends it to them too: between two runs they would print tracebacks."""
    driver = os.getpid()

    def handler_in_a_task() -> object:
        # A shell that starts the tests in the background has it ignored from the first.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        return engines._in_worker(driver, signal.getsignal, signal.SIGINT)

    found = Parallel(n_jobs=2)(delayed(handler_in_a_task)() for _ in range(4))
    assert set(found) == {signal.SIG_IGN}
    before = signal.getsignal(signal.SIGINT)
    try:
        assert handler_in_a_task() is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
