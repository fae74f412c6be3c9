"""Dask: workers on this machine or on a cluster, for the cells of a sweep.

Everything that knows Dask is here, and nothing of it is imported before it is used.
"""

import contextlib
import importlib
import logging
import os
import signal
import socket
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

from effective_theory import InputError
from effective_theory.checks import RunError
from effective_theory.workers import at_a_time, require_files

if TYPE_CHECKING:
    from distributed import Client, LocalCluster, Worker

_SECONDS_TO_CONNECT = 10
#: Files that the driver opens for local workers at all, some to spare, and for each of them.
_FILES, _FILES_FOR_EACH = 32, 12
#: Dask looks at each worker's stack 100 times a second, at each event loop 50 times and at the
#: machine twice, which took a tenth of two cores.
_UNOBSERVED = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
}


@dataclass(frozen=True)
class Preparation:
    """What a worker of Dask does before its first run, and what this process got from the same.

    Attributes
    ----------
    module, function
        A function without arguments by its place: a worker sets variables before it is imported.
    result
        What it returns here; a worker with another result has another version of this package.
    """

    module: str
    function: str
    result: Any


def dask_client() -> "Client | None":
    """Return the client of the caller's ``joblib.parallel_config(backend="dask")``, if it is that.

    joblib knows the backend's class only once somebody has asked for it.
    """
    from joblib.parallel import BACKENDS, get_active_backend

    backend = get_active_backend()[0]
    kind = BACKENDS.get("dask")
    return backend.client if kind is not None and isinstance(backend, kind) else None


@contextlib.contextmanager
def dask_workers(address: str, workers: int | None = None) -> Iterator[None]:
    """Run the sweeps in a ``with`` block on Dask.

    Parameters
    ----------
    address
        A scheduler, such as ``tcp://host:8786``, or ``local`` for processes on this machine that
        end with the block.
    workers
        Number of local processes; one on each core by default.

    Raises
    ------
    InputError
        If Dask is not installed or no scheduler answers.
    RunError
        If the system lets this process open too few files for local workers.
    """
    try:
        from distributed import Client
    except ImportError:
        raise InputError(
            "dask is not installed; install the package's extra [dask], or sweep without it."
        ) from None
    from joblib import parallel_config

    with contextlib.ExitStack() as stack:
        if address == "local":
            target: Any = stack.enter_context(_local_workers(workers))
        elif workers is None:
            target = address
        else:
            raise InputError("jobs is for local workers; a scheduler's workers are its own.")
        try:
            stack.enter_context(Client(target, timeout=_SECONDS_TO_CONNECT))  # type: ignore[no-untyped-call]
        except (OSError, ValueError) as error:
            raise InputError(
                f"dask finds no scheduler at {address} ({error}); "
                "give tcp://HOST:PORT of a running one, or local."
            ) from None
        stack.enter_context(parallel_config(backend="dask"))
        yield


@contextlib.contextmanager
def _local_workers(count: int | None) -> "Iterator[LocalCluster]":
    """Yield workers of one thread each on this machine; one on each core by default."""
    import dask
    from distributed import LocalCluster

    number = dask.system.CPU_COUNT if count is None else at_a_time(count)
    require_files(number, _FILES + _FILES_FOR_EACH * number)
    with (
        dask.config.set(_UNOBSERVED),
        LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=number,
            threads_per_worker=1,
            dashboard_address=None,
            # Its HTTP server starts all the same, and two on one port are worth a warning to Dask.
            scheduler_kwargs={"dashboard_address": ":0"},
        ) as cluster,
    ):
        try:
            yield cluster
        finally:
            # From here on, a worker that has to be killed is no news.
            logging.getLogger("distributed.nanny").setLevel(logging.ERROR)


def prepare_workers(client: "Client", preparation: Preparation | None) -> None:
    """Let every worker, and those that come later, get ready once and have this version's code.

    Raises
    ------
    InputError
        If there are fewer than two worker threads.
    RunError
        If a worker cannot load the package, or has another version of it.
    """
    from distributed import WorkerPlugin

    # Defined here, it is sent by value: on a worker it acts before our packages are imported.
    class Setup(WorkerPlugin):
        name = "effective-theory-kernels"

        def __init__(self) -> None:
            self.host, self.driver = socket.gethostname(), os.getpid()
            self.preparation = None if preparation is None else astuple(preparation)

        def setup(self, worker: "Worker") -> None:
            # The driver's machine has compiled; others do it where the worker keeps its files.
            if socket.gethostname() != self.host:
                os.environ.setdefault("NUMBA_CACHE_DIR", worker.local_directory)
            elif os.getppid() == self.driver:
                # A terminal sends Ctrl-C to them too: the driver ends them without tracebacks.
                signal.signal(signal.SIGINT, signal.SIG_IGN)
            os.environ.setdefault("NUMBA_NUM_THREADS", "1")
            if self.preparation is not None:
                module, function, expected = self.preparation
                found = getattr(importlib.import_module(module), function)()
                if found != expected:
                    raise RuntimeError(f"its code has version {found}, the driver's has {expected}")

    if sum(client.ncores().values()) == 1:  # type: ignore[no-untyped-call]
        raise InputError(
            "dask has one worker thread, and joblib would run everything in this process instead; "
            "start at least two."
        )
    try:
        client.register_plugin(Setup())
    except Exception as error:  # a worker may fail in any way
        raise RunError(
            f"a Dask worker cannot run this package ({error}); "
            "start workers in an environment with the same version of it."
        ) from None


@contextlib.contextmanager
def named_failures(client: "Client | None") -> Iterator[None]:
    """Say in one sentence what became of Dask where it fails for good."""
    if client is None:
        yield
        return
    from distributed import CancelledError, KilledWorker
    from distributed.comm.core import CommClosedError

    try:
        yield
    except KilledWorker:
        raise RunError(
            "workers died one after another over the same runs, perhaps for want of memory; "
            "finished runs are kept: run the same command again with fewer workers on a machine."
        ) from None
    except (CommClosedError, CancelledError) as error:
        raise RunError(
            f"the Dask scheduler has gone ({type(error).__name__}); finished runs are kept: "
            "start it and run the same command again."
        ) from None
