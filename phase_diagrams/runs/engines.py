"""What runs cells: the engine interface and the Numba engine."""

import itertools
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from effective_theory import InputError, train
from effective_theory.checks import jobs, shown
from effective_theory.kernels import KERNEL_VERSION
from effective_theory.training import compile_kernels
from effective_theory.workers import as_finished, cores
from phase_diagrams.runs.cost import in_chunks
from phase_diagrams.runs.dask_workers import (
    CHUNK_SECONDS,
    dask_client,
    named_failures,
    prepare_workers,
)
from phase_diagrams.runs.origin import numba_origin
from phase_diagrams.runs.summary import RunSummary, curve_updates
from phase_diagrams.sweeps.spec import Cell
from phase_diagrams.sweeps.starts import Recipe, start

if TYPE_CHECKING:
    from distributed import Client

T = TypeVar("T")

#: Cells with the recipes of their starts: those that the user has registered are known to the
#: driver only. A tuple, for joblib would leave a copy of other large arguments on one Dask worker,
#: with which it would be lost.
Chunk = tuple[tuple[Cell, Recipe], ...]


class Engine(Protocol):
    """Runs cells; owns its parallelism and chunking.

    Attributes
    ----------
    identity
        Name under which results are stored: two engines never share a result.
    version
        Raised whenever the bits of a result change.
    """

    @property
    def identity(self) -> str:
        """Name under which results are stored."""

    @property
    def version(self) -> int:
        """Raised whenever the bits of a result change."""

    def run(self, cells: Iterable[Cell]) -> Iterator[tuple[Cell, RunSummary]]:
        """Yield each cell with its result, in any order."""


def run_cell(cell: Cell, recipe: Recipe | None = None) -> RunSummary:
    """Train one cell with the simulator and return what a sweep keeps of it.

    ``recipe`` is that of the cell's start, for processes that do not know it by name.
    """
    dataset, state = cell.draw(recipe)
    run = train(cell.model, dataset, state, record_at=curve_updates(cell.model.steps))
    return RunSummary.of(run, numba_origin())


@dataclass(frozen=True)
class NumbaEngine:
    """The simulator on the CPU, parallel over cells with joblib.

    The caller's ``joblib.parallel_config`` decides on processes, threads or Dask. Results do not
    depend on it, nor on ``n_jobs`` or the order of cells.
    """

    n_jobs: int | None = None
    identity: str = "numba-float32"
    version: int = KERNEL_VERSION

    def run(self, cells: Iterable[Cell]) -> Iterator[tuple[Cell, RunSummary]]:
        """Yield each cell with its result as it comes.

        Raises
        ------
        InputError
            If ``joblib.parallel_config`` names a backend that returns nothing before all is done.
        RunError
            If a worker cannot be started or dies, or memory runs out.
        """
        from joblib import delayed

        waiting = iter(cells)
        first = next(waiting, None)
        if first is None:
            return
        # Compiled here once, the kernels lie on disk before the workers look for them.
        compile_kernels()
        client = dask_client()
        chunks, batch_size = self._chunks(itertools.chain([first], waiting), client)
        tasks = (delayed(_in_worker)(os.getpid(), _each, _run_with_cell, chunk) for chunk in chunks)
        with named_failures(client):
            for chunk in as_finished(tasks, self.workers, batch_size):
                yield from chunk

    def _chunks(
        self, cells: Iterable[Cell], client: "Client | None"
    ) -> tuple[Iterator[Chunk], int | str]:
        """Return what goes to a worker at a time, and how many of these joblib sends at once.

        To Dask it is runs that together take much longer than the message; otherwise single runs,
        of which joblib sends several where they turn out to be short.
        """
        if client is None:
            return (((cell, start(cell.start).recipe),) for cell in cells), "auto"
        prepare_workers(client)
        chunks = in_chunks(cells, CHUNK_SECONDS)
        return (tuple((cell, start(cell.start).recipe) for cell in chunk) for chunk in chunks), 1

    @property
    def workers(self) -> int:
        """Runs at a time: n_jobs, or what joblib.parallel_config says, or one for each core."""
        from joblib.parallel import get_active_backend

        if self.n_jobs is not None:
            return self.n_jobs
        configured: int | None = get_active_backend()[1]
        return cores() if configured is None else configured


def _in_worker(driver: int, task: Callable[..., T], *arguments: object) -> T:
    """Do a task; in a process other than the driver's leave Ctrl-C to the driver.

    A terminal sends it to workers too, which would print tracebacks before the driver ends them.
    """
    if os.getpid() != driver and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return task(*arguments)


def _each(task: Callable[[Cell, Recipe], T], chunk: Chunk) -> list[T]:
    return [task(cell, recipe) for cell, recipe in chunk]


def _run_with_cell(cell: Cell, recipe: Recipe) -> tuple[Cell, RunSummary]:
    return cell, run_cell(cell, recipe)


def numba_engine(n_jobs: int | None = None) -> NumbaEngine:
    """Return the simulator as an engine.

    Parameters
    ----------
    n_jobs
        Runs at a time, negative as in joblib; None for what ``joblib.parallel_config`` says, and
        without it for one on each core that this process may use.

    Raises
    ------
    InputError
        If ``n_jobs`` is 0 or no integer.
    """
    return NumbaEngine(jobs("n_jobs", n_jobs))


def require_engine(engine: Engine) -> Engine:
    """Return what runs cells, or raise InputError if it cannot, such as an engine's name."""
    members = ("identity", "version", "run")
    if isinstance(engine, type) or not all(hasattr(engine, member) for member in members):
        raise InputError(
            "engine must be an Engine such as numba_engine() or validation.torch_engine(), "
            f"not {shown(engine)}."
        )
    return engine


def chosen_engine(engine: Engine | None, n_jobs: int | None) -> Engine:
    """Return an engine, by default the simulator with ``n_jobs`` runs at a time.

    Raises
    ------
    InputError
        If both are given, or one of them is wrong.
    """
    if engine is None:
        return numba_engine(n_jobs)
    if n_jobs is not None:
        raise InputError("n_jobs is for the simulator; an engine has its own: leave one out.")
    return require_engine(engine)
