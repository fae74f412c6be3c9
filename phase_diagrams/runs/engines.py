"""What runs cells: the interface of engines, and the common part of those on the CPU."""

import itertools
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self, TypeVar, runtime_checkable

from effective_theory import InputError
from effective_theory.checks import jobs, shown
from effective_theory.workers import as_finished, cores
from phase_diagrams.runs.dask_workers import (
    Preparation,
    dask_client,
    named_failures,
    prepare_workers,
)
from phase_diagrams.runs.summary import RunSummary
from phase_diagrams.sweeps.cell import Cell
from phase_diagrams.sweeps.starts import Recipe, start
from phase_diagrams.sweeps.systems import System

T = TypeVar("T")

#: Cells with the recipes of their starts: those that the user has registered are known to the
#: driver only. A tuple, for joblib would leave a copy of other large arguments on one Dask worker,
#: with which it would be lost.
Chunk = tuple[tuple[Cell, Recipe], ...]
CellTask = Callable[[Cell, Recipe], RunSummary]


#: What to do after a failure.
_AGAIN = (
    "finished runs are kept where there is a store: run the same again, with fewer jobs at a time"
)


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
        """Run the cells.

        Parameters
        ----------
        cells
            Cells of sweeps of a system that the engine can run.

        Yields
        ------
        tuple
            Each cell with its RunSummary, in any order.
        """


@runtime_checkable
class Checkpointing(Protocol):
    """An engine whose runs can leave their states in files, and go on from there."""

    def beside(self, store: Path) -> Self:
        """Return the engine with its files beside a store."""


def beside(engine: Engine, store: Path) -> Engine:
    """Return an engine for the runs of a store, with checkpoints if it makes any."""
    return engine.beside(store) if isinstance(engine, Checkpointing) else engine


@dataclass(frozen=True)
class OneByOne:
    """Runs cells one by one, in parallel with joblib: the common part of engines on the CPU.

    The caller's ``joblib.parallel_config`` decides on processes, threads or Dask.

    Attributes
    ----------
    n_jobs
        Runs at a time; None for what ``joblib.parallel_config`` says, or one on each core.
    """

    n_jobs: int | None = None

    def task(self) -> CellTask:
        """Return ``(cell, recipe) -> RunSummary``, which travels to the workers."""
        raise NotImplementedError

    def prepare(self) -> Preparation | None:
        """Get ready here, and return what makes workers ready."""
        return None

    def chunks(self, cells: Iterable[Cell]) -> Iterator[list[Cell]]:
        """Yield the cells in lists that are worth a message to a worker of Dask."""
        return ([cell] for cell in cells)

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
        # What is compiled here once lies on disk before the workers look for it.
        preparation, client = self.prepare(), dask_client()
        everything = itertools.chain([first], waiting)
        if client is None:
            # Single runs, of which joblib sends several where they turn out to be short.
            lists: Iterator[list[Cell]] = ([cell] for cell in everything)
            batch_size: int | str = "auto"
        else:
            prepare_workers(client, preparation)
            lists, batch_size = self.chunks(everything), 1
        task = self.task()
        tasks = (delayed(_in_worker)(os.getpid(), _each, task, _chunk(some)) for some in lists)
        with named_failures(client):
            for results in as_finished(tasks, self.workers, batch_size, again=_AGAIN):
                yield from results

    @property
    def workers(self) -> int:
        """Runs at a time: n_jobs, or what joblib.parallel_config says, or one for each core."""
        from joblib.parallel import get_active_backend

        if self.n_jobs is not None:
            return self.n_jobs
        configured: int | None = get_active_backend()[1]
        return cores() if configured is None else configured


def _chunk(cells: list[Cell]) -> Chunk:
    return tuple((cell, start(cell.system, cell.start).recipe) for cell in cells)


def _in_worker(driver: int, task: Callable[..., T], *arguments: object) -> T:
    """Do a task; in a process other than the driver's leave Ctrl-C to the driver.

    A terminal sends it to workers too, which would print tracebacks before the driver ends them.
    """
    if os.getpid() != driver and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return task(*arguments)


def _each(task: CellTask, chunk: Chunk) -> list[tuple[Cell, RunSummary]]:
    return [(cell, task(cell, recipe)) for cell, recipe in chunk]


def require_engine(engine: Engine) -> Engine:
    """Return what runs cells, or raise InputError if it cannot, such as an engine's name."""
    members = ("identity", "version", "run")
    if isinstance(engine, type) or not all(hasattr(engine, member) for member in members):
        raise InputError(
            "engine must be an Engine such as numba_engine() or validation.torch_engine(), "
            f"not {shown(engine)}."
        )
    return engine


def chosen_engine(system: System, engine: Engine | None, n_jobs: int | None) -> Engine:
    """Return an engine, by default the system's own with ``n_jobs`` runs at a time.

    Raises
    ------
    InputError
        If both are given, or one of them is wrong.
    """
    if engine is None:
        own: Engine = system.engine(jobs("n_jobs", n_jobs))
        return own
    if n_jobs is not None:
        raise InputError("n_jobs is for the system's own engine; leave n_jobs or engine out.")
    return require_engine(engine)


def require_settings_of(cell: Cell, settings: type, engine: str) -> None:
    """Raise InputError where an engine is given a cell of another system than its own."""
    if not isinstance(cell.model, settings):
        raise InputError(
            f'engine {engine} cannot run system "{cell.system.name}"; leave the engine out for '
            "the system's own."
        )
