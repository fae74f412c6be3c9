"""What may befall a store and its sweep: damage is named, and nothing committed is lost."""

import random
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from effective_theory import Addition, ToyModel
from effective_theory.checks import RunError
from phase_diagrams import PhaseDiagram, Source, StoreError, SweepSpec, load, numba_engine, sweep
from phase_diagrams import engines as engines_module
from phase_diagrams import store as store_module
from phase_diagrams.spec import Cell
from phase_diagrams.starts import Recipe

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
        found = load(path)[1]
    except StoreError as error:
        assert str(path) in str(error) and "\n" not in str(error)
        return
    assert found.spec == expected.spec
    assert found.rows() == expected.rows()


def test_a_truncated_store_is_named(reference: tuple[PhaseDiagram, bytes], tmp_path: Path) -> None:
    diagram, content = reference
    path = tmp_path / "runs.sqlite"
    for length in range(0, len(content), 1371):
        path.write_bytes(content[:length])
        with pytest.raises(StoreError):
            load(path)


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


def test_a_worker_that_dies_is_named_and_loses_nothing(
    reference: tuple[PhaseDiagram, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "runs.sqlite"
    monkeypatch.setattr(store_module, "_SECONDS_BETWEEN_RUNS", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(engines_module, "_run_with_cell", dying_run())
        with pytest.raises(RunError, match="a worker died"):
            sweep(SPEC, store=path, engine=numba_engine(2), progress=False)
    kept = load(path)[1]
    assert 0 < (kept.source == Source.MEASURED).sum() < SPEC.size
    again = sweep(SPEC, store=path, engine=numba_engine(1), progress=False)
    assert again.rows() == reference[0].rows()


def dying_run() -> Callable[[Cell, Recipe], object]:
    """Return a run whose process exits at the tenth learning rate."""

    def run(cell: Cell, recipe: Recipe) -> object:
        import os

        from phase_diagrams.engines import run_cell

        if cell.model.decoder_lr > 1e-3:
            os._exit(9)
        return cell, run_cell(cell, recipe)

    return run


def test_a_full_disk_is_named_and_loses_nothing(
    reference: tuple[PhaseDiagram, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "runs.sqlite"
    monkeypatch.setattr(store_module, "_SECONDS_BETWEEN_RUNS", 0.0)
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, unlimited[1]))
        with pytest.raises(StoreError, match="cannot be used"):
            sweep(SPEC, store=path, engine=numba_engine(1), progress=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
        signal.signal(signal.SIGXFSZ, ignored)
    assert 0 < (load(path)[1].source == Source.MEASURED).sum() < SPEC.size
    again = sweep(SPEC, store=path, engine=numba_engine(1), progress=False)
    assert again.rows() == reference[0].rows()


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
        assert load(path, name)[1].rows() == reference[0].rows()
