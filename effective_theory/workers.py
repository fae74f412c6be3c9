"""Tasks in several processes or threads: joblib, with its failures in one sentence."""

import contextlib
import copyreg
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from functools import cached_property
from typing import Any

from effective_theory.checks import InputError, RunError

#: Files that this process opens for joblib's workers, besides one for each; some to spare.
_FILES = 16


def _cached_property(function: Callable[[Any], Any], name: str) -> "cached_property[Any]":
    """Return a cached property of that name, as its class's body makes it."""
    made = cached_property(function)
    made.__set_name__(object, name)
    return made


def _as_it_was_made(
    given: "cached_property[Any]",
) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    return _cached_property, (given.func, given.attrname)


# Before Python 3.12 it holds a lock, without which a class of a script or a notebook, such as a
# user's own task, could not travel to workers.
copyreg.pickle(cached_property, _as_it_was_made)


def cores() -> int:
    """Return how many cores this process may use.

    Raises
    ------
    InputError
        If LOKY_MAX_CPU_COUNT, which may limit them, is no integer.
    """
    from joblib import cpu_count

    try:
        found: int = cpu_count()
    except ValueError as error:
        raise InputError(
            f"LOKY_MAX_CPU_COUNT must be an integer ({error}); correct it or leave it unset."
        ) from None
    return found


def at_a_time(n_jobs: int | None) -> int:
    """Return how many tasks run at a time: n_jobs, or what ``joblib.parallel_config`` says.

    Negative numbers and the limits of a backend are joblib's.

    Raises
    ------
    InputError
        As `cores` does.
    """
    from joblib import effective_n_jobs

    cores()
    found: int = effective_n_jobs(n_jobs)
    return found


def as_finished(
    tasks: Iterable[Any], n_jobs: int | None, batch_size: int | str = "auto", *, again: str
) -> Iterator[Any]:
    """Yield what delayed tasks return, in the order in which they end.

    Parameters
    ----------
    tasks
        Calls that ``joblib.delayed`` has made.
    n_jobs
        Tasks at a time, as joblib counts them; None for what ``joblib.parallel_config`` says, and
        without it for one.
    batch_size
        Number of tasks that joblib sends together.
    again
        What to do where a task or a worker fails, as errors end with it.

    Raises
    ------
    InputError
        If ``joblib.parallel_config`` names a backend that returns nothing before all is done.
    RunError
        If a worker cannot be started or dies, memory runs out, or the system refuses a task
        something.
    """
    from joblib import Parallel
    from joblib.parallel import BACKENDS, get_active_backend

    workers = at_a_time(n_jobs)
    if workers > 1 and isinstance(get_active_backend()[0], BACKENDS["loky"]):
        require_files(workers, _FILES + workers)
    try:
        parallel = Parallel(n_jobs=n_jobs, return_as="generator_unordered", batch_size=batch_size)
    except ValueError as error:
        raise InputError(
            f"joblib is configured with what does not suit ({error}); use the backend loky, "
            "threading or dask."
        ) from None
    try:
        with contextlib.closing(parallel(tasks)) as finished:
            yield from finished
    except BrokenProcessPool:
        raise RunError(f"a worker died, perhaps for want of memory; {again}.") from None
    except MemoryError:
        raise RunError(f"memory ran out; {again}.") from None
    except OSError as error:
        raise RunError(f"a worker could not start or continue ({error}); {again}.") from None


def require_files(workers: int, files: int) -> None:
    """Raise RunError where this process may not open as many more files as its workers need.

    Otherwise some of them start, and those print tracebacks when the others do not.
    """
    left = _files_left()
    if left is not None and left < files:
        raise RunError(
            f"{workers} workers need more open files than the system allows this process; raise "
            "the limit (ulimit -n), or run with fewer jobs."
        )


def _files_left() -> int | None:
    """Return how many more files this process may open, None for any number or if unknown."""
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return None if limit == resource.RLIM_INFINITY else limit - len(os.listdir("/dev/fd"))
    except (ImportError, OSError):  # no such thing on Windows
        return None
