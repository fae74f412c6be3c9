"""P(n0 = 2) against the training size, and where it crosses 1/2, from known critical sizes."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from effective_theory.checks import InputError, confidence_level, refuse_masked
from effective_theory.critical_size.equations import as_operation
from effective_theory.task import BinaryOperation


@dataclass(frozen=True, eq=False)
class UniqueLineCurve:
    """P(n0 = 2) against the training size, with its confidence band.

    Attributes
    ----------
    sizes
        Training sizes |D|, in samples, shape (n,).
    probability, low, high
        Share of orders in which the line is the only solution, and its Wilson interval, shape (n,)
        each; the band holds at each size, not for all sizes at once.
    orders
        Number of random orders behind it.
    """

    sizes: NDArray[np.int64]
    probability: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    orders: int


@dataclass(frozen=True)
class CriticalFraction:
    """Where P(n0 = 2) crosses 1/2, as a fraction of all samples.

    Attributes
    ----------
    value
        r_c.
    low, high
        Its confidence interval.
    standard_error
        Half the width of the interval of one standard deviation; infinite for one order.
    size
        |D_c| = r_c N, in samples.
    orders
        Number of random orders behind it.
    """

    value: float
    low: float
    high: float
    standard_error: float
    size: float
    orders: int


def unique_line_curve(
    critical_sizes: NDArray[np.int64], sizes: NDArray[np.int64], *, confidence: float = 0.95
) -> UniqueLineCurve:
    """Return P(n0 = 2) at given training sizes, from critical sizes that are known already.

    P at |D| samples is the share of orders whose critical size is at most |D|.

    Parameters
    ----------
    critical_sizes
        What `critical_training_sizes` returned, shape (orders,).
    sizes
        Training sizes |D|, in samples, shape (n,).
    confidence
        Coverage of the Wilson intervals, between 0 and 1.

    Returns
    -------
    UniqueLineCurve
        The curve with its band.

    Raises
    ------
    InputError
        If there is no critical size, a size is no integer from 0 on, or the confidence is out of
        range.
    """
    from scipy.stats import binomtest

    confidence = confidence_level(confidence)
    ordered = np.sort(checked_sizes("critical_sizes", critical_sizes))
    sizes = checked_sizes("sizes", sizes, least=0)
    counts = np.searchsorted(ordered, sizes, side="right")
    bounds = {
        count: binomtest(count, len(ordered)).proportion_ci(confidence, method="wilson")
        for count in np.unique(counts).tolist()
    }
    return UniqueLineCurve(
        sizes=sizes,
        probability=counts / len(ordered),
        low=np.array([bounds[count].low for count in counts.tolist()]),
        high=np.array([bounds[count].high for count in counts.tolist()]),
        orders=len(ordered),
    )


def critical_fraction(
    task: BinaryOperation | int, critical_sizes: NDArray[np.int64], *, confidence: float = 0.95
) -> CriticalFraction:
    """Return the critical training fraction r_c, at which P(n0 = 2) crosses 1/2.

    It is a fraction of the task's N samples; Liu et al. 2022 give 0.4 for addition with p = 10.
    P is interpolated linearly between neighbouring sizes. The interval holds every r at which the
    measured P does not differ from 1/2 by more than chance, that is by z / (2 sqrt(orders)): it is
    where the Wilson band of P crosses 1/2, and needs no assumption on the shape of P. Of so few
    orders that chance alone reaches from 0 to 1, three at 95 %, it holds every r.

    Parameters
    ----------
    task
        Addition or a finite group; an int p means Addition(p).
    critical_sizes
        What `critical_training_sizes` returned, shape (orders,).
    confidence
        Coverage of the interval, between 0 and 1.

    Returns
    -------
    CriticalFraction
        r_c with its interval and standard error, and |D_c| in samples.

    Raises
    ------
    InputError
        If there is no critical size, one is no integer or more than the task has samples, or the
        confidence is out of range.
    """
    from scipy.special import ndtri

    task = as_operation(task)
    ordered = np.sort(checked_sizes("critical_sizes", critical_sizes, samples=task.size))
    deviation = 0.5 / np.sqrt(len(ordered))
    spread = float(ndtri((1.0 + confidence_level(confidence)) / 2.0)) * deviation
    size = _crossing(ordered, 0.5)
    below, above = _interval(ordered, deviation, task.size)
    low, high = _interval(ordered, spread, task.size)
    return CriticalFraction(
        value=size / task.size,
        low=low / task.size,
        high=high / task.size,
        standard_error=(above - below) / 2.0 / task.size if len(ordered) > 1 else math.inf,
        size=size,
        orders=len(ordered),
    )


def _interval(ordered: NDArray[np.int64], spread: float, most: int) -> tuple[float, float]:
    """Sizes at which the share is ``spread`` off 1/2, below and above; all where none is."""
    if spread >= 0.5:
        return 0.0, float(most)
    return _crossing(ordered, 0.5 - spread), _crossing(ordered, 0.5 + spread)


def _crossing(ordered: NDArray[np.int64], level: float) -> float:
    """Size at which the interpolated share of critical sizes is ``level``; mid-way if it stays."""
    if ordered[-1] == 0:  # p = 2: the line is there before the first sample
        return 0.0
    sizes = np.arange(ordered[0] - 1, ordered[-1] + 1)
    counts = np.searchsorted(ordered, sizes, side="right")
    target = level * len(ordered)
    before = int(np.searchsorted(counts, target, side="left"))
    after = int(np.searchsorted(counts, target, side="right"))
    if after > before:  # the curve has this value at some sizes
        return float(sizes[before] + sizes[after - 1]) / 2.0
    rise = counts[before] - counts[before - 1]
    return float(sizes[before - 1] + (target - counts[before - 1]) / rise)


def checked_sizes(
    name: str, sizes: ArrayLike, *, least: int = 1, samples: int | None = None
) -> NDArray[np.int64]:
    """Return sizes as an array, ``least`` of them or more, or raise InputError.

    None is above a task's number of ``samples``, where that is given.
    """
    refuse_masked(name, sizes)
    try:
        array = np.asarray(sizes)
    except ValueError:  # rows of different lengths
        array = np.empty((0, 0))
    if array.ndim != 1 or array.size < least:
        number = "at least one size, in" if least else "sizes in"
        raise InputError(f"{name} must hold {number} one dimension.")
    most = np.iinfo(np.int64).max
    if array.size and not (
        np.issubdtype(array.dtype, np.integer) and 0 <= int(array.min()) <= int(array.max()) <= most
    ):
        raise InputError(f"{name} must be integers from 0 to 2**63 - 1.")
    if samples is not None and array.size and array.max() > samples:
        raise InputError(f"{name} must be at most the task's {samples} samples, not {array.max()}.")
    return array.astype(np.int64)
