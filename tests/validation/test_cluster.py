"""Submitted sweeps: the same bits as a sweep here, whatever befalls an element."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from effective_theory import Addition, InputError, ToyModel
from phase_diagrams import Cell, Engine, RunSummary, Store, SweepSpec, numba_engine, sweep
from phase_diagrams.toy.engine import NumbaEngine, run_cell
from tests.checkouts import git
from tests.stores import stored_rows
from validation import provenance
from validation.cli import main
from validation.cluster.collecting import collect
from validation.cluster.jobs import live_elements
from validation.cluster.submissions import (
    EngineChoice,
    Submission,
    element_store,
    jobs_folder,
    new_folder,
)
from validation.engine.engine import torch_engine

cluster = pytest.importorskip("validation.cluster.submitting", reason="submitit is not installed")
element = pytest.importorskip("validation.cluster.element", reason="submitit is not installed")

SPEC = SweepSpec(
    Addition(10),
    {"decoder_lr": [1e-4, 1e-3, 1e-2], "decoder_weight_decay": [0.0, 1.0, 250.0]},
    ToyModel(width=20, target_dim=8, embedding_lr=1e-2, steps=300),
    seeds=(5,),
)
OPTIONS = (
    *("--axis", "decoder_lr=1e-4,1e-3,1e-2", "--axis", "decoder_weight_decay=0,1,250"),
    *("--width", "20", "--target-dim", "8", "--embedding-lr", "1e-2", "--steps", "300"),
    *("--seeds", "5", "--name", "small"),
)

pytestmark = pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[object, ...]]:
    path = tmp_path_factory.mktemp("reference") / "runs.sqlite"
    sweep(SPEC, store=path, engine=numba_engine(1), progress=False)
    return stored_rows(path)


@dataclass(frozen=True)
class Ending(NumbaEngine):
    """The simulator, calling something after some runs."""

    after: int = 1
    end: object = None

    def run(self, cells: Iterable[Cell]) -> Iterator[tuple[Cell, RunSummary]]:
        for count, finished in enumerate(super().run(cells)):
            if count == self.after:
                self.end()  # type: ignore[operator]
            yield finished


@pytest.mark.parametrize("where", ["debug", "local"])
def test_the_shell_submits_and_collects(
    where: str,
    reference: list[tuple[object, ...]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = tmp_path / "runs.sqlite"
    jobs = []

    def submit_and_keep(*arguments: Any, **options: Any) -> tuple[Path | None, list[Any]]:
        folder, submitted = submit(*arguments, **options)
        jobs.extend(submitted)
        return folder, submitted

    submit = cluster.submit
    monkeypatch.setattr(cluster, "submit", submit_and_keep)
    command = ("submit", *OPTIONS, "--store", str(store), "--cluster", where, "--allow-dirty")
    assert main([*command, "--elements", "2"]) == 0
    assert "2 elements submitted" in capsys.readouterr().out
    assert sorted(job.result() for job in jobs) == [4, 5]
    assert main(["status", str(store)]) == 0
    out = capsys.readouterr().out
    assert "9 of 9 runs done, 0 of them stored; 0 of 2 elements wait or run" in out
    assert out.endswith(f"next: python -m validation collect {store}\n")
    assert stored_rows(store) == []
    assert main(["collect", str(store)]) == 0
    all_stored = f"small, numba-float32: 9 of 9 runs are stored in {store}\n"
    assert capsys.readouterr().out == all_stored
    assert stored_rows(store) == reference
    assert main(["status", str(store)]) == 0
    out = capsys.readouterr().out
    assert "9 of 9 runs done, 9 of them stored; 0 of 2 elements" in out and all_stored in out
    assert out.endswith(f"next: python -m phase_diagrams show {store} --name small\n")
    assert main([*command]) == 0
    assert "nothing to submit" in capsys.readouterr().out
    assert main(["collect", str(store)]) == 0
    assert stored_rows(store) == reference


def test_status_tells_of_runs_that_were_collected_and_removed_or_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "runs.sqlite"
    folder, _ = cluster.submit(SPEC, store, "small", cluster="debug", elements=3, allow_dirty=True)

    def status() -> list[str]:
        assert main(["status", str(store)]) == 0
        return capsys.readouterr().out.splitlines()

    collect(store)
    for number in range(3):
        element_store(folder, number).unlink()
    assert "9 of 9 runs done, 9 of them stored" in status()[0]
    # Without the store the runs are gone, and nothing claims otherwise.
    store.unlink()
    line, sweep_line, advice = status()
    assert "0 of 9 runs done, 0 of them stored" in line
    assert sweep_line == f"small, numba-float32: 0 of 9 runs are stored in {store}"
    assert advice == (
        "next: the same submit again, for the 9 runs that are missing; why jobs ended says "
        f"{folder / 'logs'}"
    )


def test_status_tells_of_an_engine_beside_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "runs.sqlite"
    for kind in ("own", "torch"):
        cluster.submit(SPEC, store, "small", cluster="debug", engine=kind, allow_dirty=True)
    assert main(["status", str(store)]) == 0
    out = capsys.readouterr().out
    # A submission collects what those before it have finished, its own engine's or not.
    assert f"small, numba-float32: 9 of 9 runs are stored in {store}\n" in out
    assert f"small, torch-cpu-float32: 0 of 9 runs are stored in {store}\n" in out
    assert f"next: python -m validation collect {store}\n" in out


@dataclass(frozen=True)
class Interrupted(element.Element):  # type: ignore[misc,name-defined]
    """An element that is told of the end of its walltime in its first job, after three runs."""

    def engine(self) -> Engine:
        begun = element_store(self.folder, self.number).is_file()
        end = (lambda: None) if begun else lambda: os.kill(os.getpid(), signal.SIGUSR2)
        return Ending(n_jobs=1, after=3, end=end)


def test_an_element_goes_on_after_its_walltime(
    reference: list[tuple[object, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "runs.sqlite"
    monkeypatch.setattr(cluster, "Element", Interrupted)
    # submitit takes the last ten minutes before the walltime for its end.
    send = dict(cluster="local", elements=1, allow_dirty=True)
    five_minutes = cluster.Resources(time=5)
    folder, (job,) = cluster.submit(SPEC, store, "small", resources=five_minutes, **send)
    assert job.result() == 9 - 3
    log = job.stderr() + job.stdout()
    assert "this job is timed-out" in log and "Requeued job" in log
    collect(store)
    assert stored_rows(store) == reference


def test_what_a_failed_element_left_undone_is_submitted_again(
    reference: list[tuple[object, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "runs.sqlite"

    def fail() -> None:
        raise MemoryError

    def send() -> tuple[Path | None, list[object]]:
        found: tuple[Path | None, list[object]] = cluster.submit(
            SPEC, store, "small", cluster="debug", elements=2, allow_dirty=True
        )
        return found

    with monkeypatch.context() as patch:
        patch.setattr(
            element, "engine_of", lambda choice, system: Ending(n_jobs=1, after=2, end=fail)
        )
        with pytest.raises(MemoryError):
            send()
    folder, jobs = send()
    assert len(stored_rows(store)) == 2
    assert folder is not None and folder.name == "2"
    assert sum(len(batch) for batch in Submission.read(folder).batches) == 9 - 2
    collect(store)
    assert stored_rows(store) == reference
    assert send() == (None, [])


def test_a_run_that_is_known_through_a_longer_one_is_not_collected_as_its_own(
    tmp_path: Path,
) -> None:
    """Its last state is not known; a row would say that it was run without a result."""
    store, engine = tmp_path / "runs.sqlite", numba_engine(1)
    model = ToyModel(width=4, stop_when="never")
    spec = SweepSpec(Addition(5), {"steps": [5, 50]}, model, train_size=10)
    short, long = spec.cells()
    submission = Submission(
        "small", spec.to_json(), [[[1, 0], [0, 0]]], EngineChoice(),
        engine.identity, engine.version, "debug", None, True, ["0"],
    )  # fmt: skip
    folder = new_folder(store)
    submission.write(folder)
    with Store(element_store(folder, 0)) as kept:
        kept.add(long, run_cell(long), engine.identity, engine.version)
    assert len(submission.finished(folder, 0)) == 2
    assert collect(store) == []
    assert [row[3] for row in stored_rows(store)] == [50]
    with Store(store) as kept:
        found = dict(kept.find([short], engine.identity, engine.version, exact=True))
    assert found == {short: None}


def test_batched_pytorch_is_submitted_too(tmp_path: Path) -> None:
    store, here = tmp_path / "runs.sqlite", tmp_path / "here.sqlite"
    send = dict(cluster="debug", engine="torch", elements=2, allow_dirty=True)
    cluster.submit(SPEC, store, "small", **send)
    collect(store)
    sweep(SPEC, store=here, engine=torch_engine("cpu"), progress=False)
    assert len(stored_rows(store)) == 9
    assert stored_rows(store) == stored_rows(here)


def test_a_batch_of_pytorch_has_all_cores_and_other_runs_one_each() -> None:
    assert "OMP_NUM_THREADS=4 " in cluster.threads_command(EngineChoice("torch", "cpu", 4))
    assert "OMP_NUM_THREADS=1 " in cluster.threads_command(EngineChoice("own", "cpu", 4))


def test_what_is_under_way_is_not_submitted_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "runs.sqlite"
    send = dict(store=store, name="small", cluster="debug", allow_dirty=True)
    cluster.submit(SPEC, elements=3, **send)
    folder = jobs_folder(store) / "1"
    for element in range(3):
        element_store(folder, element).unlink()
    monkeypatch.setattr(cluster, "live_elements", lambda folder, one: [0] if one else [])
    folder, _ = cluster.submit(SPEC, elements=1, **send)
    assert folder is not None and len(Submission.read(folder).batches[0]) == 9 - 3


def test_a_damaged_element_is_named_and_costs_its_own_runs_only(
    reference: list[tuple[object, ...]], tmp_path: Path
) -> None:
    store = tmp_path / "runs.sqlite"
    send = dict(store=store, name="small", cluster="debug", allow_dirty=True)
    folder, _ = cluster.submit(SPEC, elements=3, **send)
    damaged = element_store(folder, 1)
    damaged.write_bytes(damaged.read_bytes()[:5000])
    (sentence,) = collect(store)
    assert str(damaged) in sentence and "count as missing" in sentence
    assert len(stored_rows(store)) == 6
    with pytest.warns(UserWarning, match="element-1.sqlite is damaged"):
        cluster.submit(SPEC, elements=1, **send)
    collect(store)
    assert stored_rows(store) == reference


def test_jobs_of_slurm_are_read_from_squeue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = "12_0 RUNNING\n12_2 PENDING\n12_3 COMPLETING\n13 RUNNING\n"
    program = tmp_path / "squeue"
    program.write_text(f"#!/bin/sh\nprintf '{answer}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    submission = Submission(
        "", "", [], EngineChoice(), "", 1, "slurm", None, True,
        [f"12_{k}" for k in range(5)],
    )  # fmt: skip
    assert live_elements(tmp_path, submission) == [0, 2]


def test_a_process_is_an_elements_however_the_store_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = tmp_path / "runs-jobs" / "1" / "logs"
    logs.mkdir(parents=True)
    code = "import sys; print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(logs)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as job:
        # While a process begins, its arguments cannot be read yet.
        assert job.stdout is not None and job.stdout.readline()
        submission = Submission(
            "", "", [], EngineChoice(), "", 1, "local", None, True, ["1", str(job.pid)]
        )
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        assert live_elements(Path("../runs-jobs/1"), submission) == [1]
        assert live_elements(Path("../runs-jobs/2"), submission) == []
    assert live_elements(logs.parent, submission) == []


def test_the_code_is_recorded_and_a_dirty_tree_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "validation" / "provenance.py"))
    version = provenance.code_version
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(InputError, match="no git checkout"):
        version(allow_dirty=False)
    assert version(allow_dirty=True) == (None, False)
    git(tmp_path, "init")
    git(tmp_path, "commit", "--allow-empty", "-m", "first")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert version(allow_dirty=False) == (commit, False)
    (tmp_path / "run.png").write_text("no code")
    assert version(allow_dirty=False) == (commit, False)
    (tmp_path / "validation").mkdir()
    (tmp_path / "validation" / "new.py").write_text("")
    with pytest.raises(InputError, match=r"1 files, such as validation/"):
        version(allow_dirty=False)
    assert version(allow_dirty=True) == (commit, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["submit"], "axis is missing"),
        (
            ["submit", *OPTIONS, "--cluster", "debug", "--allow-dirty", "--elements", "0"],
            "elements",
        ),
        (["submit", *OPTIONS, "--cluster", "debug", "--allow-dirty", "--cpus", "0"], "cpus"),
        (
            ["submit", *OPTIONS, "--cluster", "debug", "--allow-dirty", "--gpus", "1"],
            "engine torch",
        ),
        (
            ["submit", *OPTIONS, "--allow-dirty", "--engine", "torch", "--device", "cuda"],
            "device cuda needs a GPU for each element; give gpus, such as 1, or an option of",
        ),
        (
            ["submit", *OPTIONS, "--cluster", "local", "--allow-dirty", "--account", "physics"],
            "account is for cluster slurm; leave it out on local.",
        ),
        (
            ["submit", *OPTIONS, "--allow-dirty", "--sbatch", "exclusive"],
            "sbatch must be KEY=VALUE",
        ),
        (["status", "missing.sqlite"], "has no submissions"),
        (["collect", "missing.sqlite"], "has no submissions"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    printed = capsys.readouterr().err
    assert message in printed and printed.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
