"""How many training samples make the line the only solution, exactly at any scale.

A training set is grown in one random order. Its degrees of freedom n0 never increase, and the size
at which they first reach 2 is that order's critical size. The share of orders whose critical size
is at most n is P(n0 = 2) for random training sets of n samples: all sizes from the same orders.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from effective_theory.checks import (
    RandomSource,
    integer,
    is_sequence,
    jobs,
    random_generator,
)
from effective_theory.critical_size.curve import (
    UniqueLineCurve,
    checked_sizes,
    unique_line_curve,
)
from effective_theory.critical_size.equations import (
    as_operation,
    critical_equations,
    require_critical_size,
)
from effective_theory.kernels import elimination
from effective_theory.progress import progress_bar
from effective_theory.task import BinaryOperation
from effective_theory.tasks import Addition
from effective_theory.workers import as_finished

#: Orders are drawn in chunks of about this many numbers (16 MB), from one random stream each.
_NUMBERS_IN_CHUNK = 2_000_000
_MOST_ORDERS_IN_CHUNK = 1000
#: Sizes of more would take gigabytes, and their orders days.
MOST_ORDERS = 10**8


def critical_training_sizes(
    task: BinaryOperation | int,
    *,
    orders: int,
    rng: RandomSource,
    n_jobs: int | None = None,
    progress: bool = False,
) -> NDArray[np.int64]:
    """Return the critical training size of each of many random orders of the samples.

    Each is exact: the number of samples after which n0 first is 2 (`degrees_of_freedom`). For a
    finite group, which has no line, it is the number after which the exact representation is first
    locally unique, up to what all samples leave free (`equations.critical_equations`).

    Parameters
    ----------
    task
        Addition or a finite group; an int p means Addition(p).
    orders
        Number of random orders, from 1 to 10^8. More orders from the same ``rng`` begin with the
        same sizes.
    rng
        Int, SeedSequence or Generator.
    n_jobs
        Processes, as joblib counts them; a surrounding ``joblib.parallel_config`` is the default.
        The result does not depend on it.
    progress
        Show progress on stderr: a bar, or in logs a line now and then.

    Returns
    -------
    numpy.ndarray
        Critical sizes |D|, in samples, shape (orders,).

    Raises
    ------
    InputError
        If the task has no line and is no finite group of at most 120 elements, or an argument is
        out of range.
    RunError
        If a worker cannot be started or dies, or memory runs out.

    Examples
    --------
    >>> from effective_theory import critical_training_sizes
    >>> critical_training_sizes(2, orders=3, rng=0)  # two embeddings are always on a line
    array([0, 0, 0])
    """
    task = as_operation(task)
    orders, n_jobs = integer("orders", orders, 1, MOST_ORDERS), jobs("n_jobs", n_jobs)
    equations = critical_equations(task)
    numbers, least = len(equations.left), equations.least
    in_chunk = max(1, min(_NUMBERS_IN_CHUNK // numbers, _MOST_ORDERS_IN_CHUNK))
    counts = [min(in_chunk, orders - start) for start in range(0, orders, in_chunk)]
    streams = random_generator(rng).spawn(len(counts))
    sizes = np.empty(orders, np.int64)
    for chunk, critical in _chunks(task, least, counts, streams, n_jobs, progress):
        sizes[chunk * in_chunk : chunk * in_chunk + len(critical)] = critical
    return sizes


def unique_line_probability(
    task: BinaryOperation | int,
    sizes: ArrayLike,
    *,
    orders: int,
    rng: RandomSource,
    confidence: float = 0.95,
    n_jobs: int | None = None,
    progress: bool = False,
) -> UniqueLineCurve:
    """Return P(n0 = 2) for random training sets of given sizes, with Wilson intervals.

    Parameters
    ----------
    task, orders, rng, n_jobs, progress
        As for `critical_training_sizes`. Every order counts for every size, so that the curve
        never falls; values at different sizes are not independent.
    sizes
        Training sizes |D|, from 0 to N, shape (n,).
    confidence
        Coverage of the intervals, between 0 and 1.

    Returns
    -------
    UniqueLineCurve
        The curve with its band.

    Raises
    ------
    InputError
        If a size or the confidence is out of range, or `critical_training_sizes` refuses an
        argument.
    RunError
        As for `critical_training_sizes`.
    """
    task = as_operation(task)
    require_critical_size(task)  # before its sizes are looked at
    several: Any = sizes if is_sequence(sizes) else [sizes]
    wanted = checked_sizes("sizes", several, least=0, samples=task.size)
    critical = critical_training_sizes(
        task, orders=orders, rng=rng, n_jobs=n_jobs, progress=progress
    )
    return unique_line_curve(critical, wanted, confidence=confidence)


def _chunks(
    task: BinaryOperation,
    least: int,
    counts: list[int],
    streams: list[np.random.Generator],
    n_jobs: int | None,
    progress: bool,
) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Yield the number of each chunk and its critical sizes, as they are found."""
    from joblib import delayed

    # Compiled here once, the kernel lies on disk before the workers look for it.
    _critical_sizes(Addition(2), None, 0, 1, np.random.default_rng(0))
    work = (
        delayed(_critical_sizes)(task, least, chunk, counts[chunk], streams[chunk])
        for chunk in range(len(counts))
    )
    with progress_bar(sum(counts), unit="order", progress=progress) as done:
        for chunk, critical in as_finished(work, n_jobs, again="run it again, with fewer jobs"):
            done(len(critical))
            yield chunk, critical


def _critical_sizes(
    task: BinaryOperation, least: int | None, chunk: int, count: int, stream: np.random.Generator
) -> tuple[int, NDArray[np.int64]]:
    equations = critical_equations(task, least)
    orders = stream.permuted(np.tile(np.arange(task.size), (count, 1)), axis=1)
    read = elimination.critical_sizes(
        equations.in_order(orders),
        equations.left,
        equations.right,
        equations.labels,
        equations.symbols,
        equations.classes,
        equations.least,
    )
    return chunk, -(-read // equations.for_each_sample)
