"""Dask: the same bits as without it, and no run lost with a worker or its scheduler."""

import contextlib
import dataclasses
import gc
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import joblib
import numpy as np
import pytest

from effective_theory import Addition, InputError, ToyModel
from effective_theory.checks import RunError
from phase_diagrams import SweepSpec, numba_engine, sweep
from phase_diagrams.cli import main
from phase_diagrams.runs.dask_workers import dask_workers, named_failures, prepare_workers
from phase_diagrams.sweeping import results
from phase_diagrams.toy import engine as toy_engine
from tests.stores import stored_rows

distributed = pytest.importorskip("distributed", reason="Dask is not installed")

SPEC = SweepSpec(
    Addition(10),
    {"decoder_lr": np.geomspace(1e-4, 1e-2, 10), "decoder_weight_decay": [0.0, 1.0, 250.0]},
    ToyModel(width=30, target_dim=8, embedding_lr=1e-2, steps=600),
    seeds=(5,),
)

pytestmark = [
    pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning"),
    # Dask leaves sockets of a killed worker to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[object, ...]]:
    path = tmp_path_factory.mktemp("reference") / "runs.sqlite"
    sweep(SPEC, store=path, engine=numba_engine(1), progress=False)
    return stored_rows(path)


@pytest.fixture(scope="module")
def client() -> "Iterator[distributed.Client]":
    """Two worker processes."""
    cluster = distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        dashboard_address=None,
        scheduler_kwargs={"dashboard_address": ":0"},
    )
    with cluster, distributed.Client(cluster) as client:
        yield client
    gc.collect()


def test_bits_do_not_depend_on_dask_and_chunks(
    client: "distributed.Client",
    reference: list[tuple[object, ...]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for seconds in (0.0, 0.1, 1000.0):
        monkeypatch.setattr(toy_engine, "_CHUNK_SECONDS", seconds)
        path = tmp_path / f"{seconds}.sqlite"
        with joblib.parallel_config(backend="dask"):
            sweep(SPEC, store=path, progress=False)
        assert stored_rows(path) == reference


def test_a_killed_worker_loses_nothing(
    client: "distributed.Client",
    reference: list[tuple[object, ...]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(toy_engine, "_CHUNK_SECONDS", 0.0)
    path = tmp_path / "runs.sqlite"
    processes = client.run(os.getpid)
    with joblib.parallel_config(backend="dask"):
        for count, _ in enumerate(results(SPEC, store=path, progress=False)):
            if count == 2:
                os.kill(next(iter(processes.values())), signal.SIGKILL)
    assert stored_rows(path) == reference
    client.wait_for_workers(2)
    assert client.run(os.getpid).values() != processes.values()


def test_no_run_lies_on_a_single_worker_before_it_is_sent(
    client: "distributed.Client", monkeypatch: pytest.MonkeyPatch
) -> None:
    """There joblib puts large arguments of most types: with that worker they would be lost."""
    scatter, scattered = distributed.Client.scatter, []

    def noted(self: "distributed.Client", data: object, **options: object) -> object:
        scattered.append(data)
        return scatter(self, data, **options)

    monkeypatch.setattr(distributed.Client, "scatter", noted)
    monkeypatch.setattr(toy_engine, "_CHUNK_SECONDS", 1000.0)
    with joblib.parallel_config(backend="dask"):
        sweep(SPEC, progress=False)
    assert scattered == []


def test_the_shell_sweeps_on_dask(tmp_path: Path) -> None:
    command = ["sweep", "--axis", "decoder_lr=1e-4,1e-2", "--width", "10", "--steps", "50"]
    for where in (["--jobs", "1"], ["--dask", "local", "--jobs", "2"]):
        assert main([*command, *where, "--out", str(tmp_path / where[0])]) == 0
    tables = [(tmp_path / name / "runs.csv").read_bytes() for name in ("--jobs", "--dask")]
    assert tables[0] == tables[1]
    assert stored_rows(tmp_path / "--jobs" / "runs.sqlite") == stored_rows(
        tmp_path / "--dask" / "runs.sqlite"
    )


def test_local_workers_start_beside_others_without_a_word() -> None:
    """Dask warns where its usual port for HTTP is taken; the tests make that an error."""
    with socket.socket() as taken:
        with contextlib.suppress(OSError):  # another program has it already
            taken.bind(("127.0.0.1", 8787))
            taken.listen()
        with dask_workers("local", 2):
            pass


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="no scheduler at nonsense"), dask_workers("nonsense"):
        pass
    with pytest.raises(InputError, match="jobs is for local"), dask_workers("tcp://a:1", 2):
        pass
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"extra \[dask\]"), dask_workers("local"):
        pass


def test_workers_of_another_version_are_refused(client: "distributed.Client") -> None:
    preparation = numba_engine(1).prepare()
    other = dataclasses.replace(preparation, result=999)
    with pytest.raises(RunError, match="its code has version .*, the driver's has 999"):
        prepare_workers(client, other)


def test_workers_leave_ctrl_c_to_the_driver(client: "distributed.Client") -> None:
    """Those that the driver started; a terminal sends it to them too."""

    def set_handler() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)

    client.run(set_handler)
    prepare_workers(client, numba_engine(1).prepare())
    handlers = client.run(signal.getsignal, signal.SIGINT)
    assert set(handlers.values()) == {signal.SIG_IGN}


def test_one_worker_thread_is_refused() -> None:
    """With it joblib would run everything in the driver, without a word."""

    class OneThread:
        def ncores(self) -> dict[str, int]:
            return {"tcp://127.0.0.1:1": 1}

    with pytest.raises(InputError, match="start at least two"):
        prepare_workers(OneThread(), None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (distributed.KilledWorker("run", None, 3), "died one after another"),
        (distributed.CancelledError("scheduler-connection-lost"), "scheduler has gone"),
    ],
)
def test_what_ends_a_sweep_is_named(
    client: "distributed.Client", error: Exception, message: str
) -> None:
    with pytest.raises(RunError, match=message), named_failures(client):
        raise error
