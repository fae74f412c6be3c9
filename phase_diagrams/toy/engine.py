"""The simulator as an engine of sweeps."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from effective_theory import ToyModel, TrainingRun, train
from effective_theory.checks import jobs
from effective_theory.kernels import KERNEL_VERSION
from effective_theory.training import compile_kernels
from phase_diagrams.runs.dask_workers import Preparation
from phase_diagrams.runs.engines import CellTask, OneByOne, require_settings_of
from phase_diagrams.runs.origin import Origin
from phase_diagrams.runs.summary import CURVE_COLUMNS, RunSummary, curve_updates
from phase_diagrams.sweeps.cell import Cell
from phase_diagrams.sweeps.starts import Recipe
from phase_diagrams.toy.cost import in_chunks
from phase_diagrams.toy.origin import numba_origin

#: A message to a worker and back costs driver and worker some 10 ms of computing together.
_CHUNK_SECONDS = 1.0


def run_cell(cell: Cell, recipe: Recipe | None = None) -> RunSummary:
    """Train one cell with the simulator and return what a sweep keeps of it.

    ``recipe`` is that of the cell's start, for processes that do not know it by name.
    """
    dataset, state = cell.draw(recipe)
    run = train(cell.model, dataset, state, record_at=curve_updates(cell.model.steps))
    return summarised(run, numba_origin())


def summarised(run: TrainingRun, origin: Origin | None = None) -> RunSummary:
    """Return what a sweep keeps of a run that recorded a history."""
    assert run.history is not None
    columns = [getattr(run.history, name) for name in CURVE_COLUMNS]
    return RunSummary(
        status=run.status,
        train_step=run.train_step,
        test_step=run.test_step,
        rqi_step=run.rqi_step,
        diverged_step=run.diverged_step,
        steps_run=run.steps_run,
        train_accuracy=run.train_accuracy,
        test_accuracy=run.test_accuracy,
        best_train_accuracy=run.best_train_accuracy,
        best_test_accuracy=run.best_test_accuracy,
        rqi=run.rqi,
        state=run.embeddings,
        curve=np.column_stack(columns).astype(np.float64),
        origin=origin,
    )


@dataclass(frozen=True)
class NumbaEngine(OneByOne):
    """The simulator on the CPU, parallel over cells with joblib.

    The caller's ``joblib.parallel_config`` decides on processes, threads or Dask. Results do not
    depend on it, nor on ``n_jobs`` or the order of cells.
    """

    identity: str = "numba-float32"
    version: int = KERNEL_VERSION

    def task(self) -> CellTask:
        """Return what trains a cell."""
        return run_cell

    def prepare(self) -> Preparation:
        """Compile the kernels, and let workers do so."""
        return Preparation(__name__, kernels_ready.__name__, kernels_ready())

    def chunks(self, cells: Iterable[Cell]) -> Iterator[list[Cell]]:
        """Yield runs that together take much longer than a message to a worker."""
        return in_chunks(cells, _CHUNK_SECONDS)

    def run(self, cells: Iterable[Cell]) -> Iterator[tuple[Cell, RunSummary]]:
        """Yield each cell with its result as it comes; see `OneByOne.run`."""
        return super().run(_of_toy(cell, self.identity) for cell in cells)


def _of_toy(cell: Cell, engine: str) -> Cell:
    require_settings_of(cell, ToyModel, engine)
    return cell


def kernels_ready() -> int:
    """Compile the kernels, or load them from disk, and return their version."""
    compile_kernels()
    return KERNEL_VERSION


def numba_engine(n_jobs: int | None = None) -> NumbaEngine:
    """Return the simulator of the toy model as an engine, on the CPU.

    Parameters
    ----------
    n_jobs
        Runs at a time, negative as in joblib; None for what ``joblib.parallel_config`` says, and
        without it for one on each core that this process may use.

    Returns
    -------
    Engine
        The engine. Results do not depend on ``n_jobs``.

    Raises
    ------
    InputError
        If ``n_jobs`` is 0 or no integer.
    """
    return NumbaEngine(jobs("n_jobs", n_jobs))
