"""Dask: the same bits as without it, and no run lost with a worker or its scheduler."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import joblib
import numpy as np
import pytest

from effective_theory import Addition, ToyModel
from phase_diagrams import Store, SweepSpec, engines, numba_engine, sweep
from phase_diagrams.sweeping import results

distributed = pytest.importorskip("distributed", reason="Dask is not installed")

SPEC = SweepSpec(
    Addition(10),
    {"decoder_lr": np.geomspace(1e-4, 1e-2, 10), "decoder_weight_decay": [0.0, 1.0, 250.0]},
    ToyModel(width=30, target_dim=8, embedding_lr=1e-2, steps=600),
    seeds=(5,),
)
pytestmark = pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")


def rows(path: Path) -> list[tuple[object, ...]]:
    """Every stored value: scalars, embeddings, learning curves and checksums."""
    with Store(path) as store:
        return sorted(store._connection.execute("SELECT * FROM runs").fetchall())


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[object, ...]]:
    path = tmp_path_factory.mktemp("reference") / "runs.sqlite"
    sweep(SPEC, store=path, engine=numba_engine(1), progress=False)
    return rows(path)


@pytest.fixture(scope="module")
def client() -> "Iterator[distributed.Client]":
    """Two worker processes."""
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def test_bits_do_not_depend_on_dask_and_chunks(
    client: "distributed.Client",
    reference: list[tuple[object, ...]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for seconds in (0.0, 0.1, 1000.0):
        monkeypatch.setattr(engines, "CHUNK_SECONDS", seconds)
        path = tmp_path / f"{seconds}.sqlite"
        with joblib.parallel_config(backend="dask"):
            sweep(SPEC, store=path, progress=False)
        assert rows(path) == reference


def test_a_killed_worker_loses_nothing(
    client: "distributed.Client",
    reference: list[tuple[object, ...]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engines, "CHUNK_SECONDS", 0.0)
    path = tmp_path / "runs.sqlite"
    processes = client.run(os.getpid)
    with joblib.parallel_config(backend="dask"):
        for count, _ in enumerate(results(SPEC, store=path, progress=False)):
            if count == 2:
                os.kill(next(iter(processes.values())), signal.SIGKILL)
    assert rows(path) == reference
    client.wait_for_workers(2)
    assert client.run(os.getpid).values() != processes.values()
