"""How the embeddings move: effective loss and its gradient flow.

The loss is l_eff = l0 / Z0 with l0 = c sum over parallelograms |E_i + E_j - E_m - E_n|^2 and
Z0 = sum_k |E_k|^2 (Liu et al. 2022, section 3). Two conventions are in use; each function takes
both. The paper averages over the parallelograms of the training set: ``parallelograms="train"``,
``average=True``, c = 1 / |P0(D)|. The authors' released code sums over those of all samples:
``parallelograms="all"``, ``average=False``, c = 1.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from effective_theory.checks import (
    InputError,
    above_rounding,
    finite_array,
    non_negative,
    squared_norm,
)
from effective_theory.dataset import Dataset, operation_of
from effective_theory.parallelograms import (
    Parallelograms,
    apart_from_label,
    choose_parallelograms,
    count_parallelograms,
    degrees_of_freedom,
    gram_matrix,
)

Array = NDArray[np.float64]

_MOST_EULER_STEPS = 1e9


@dataclass(frozen=True, eq=False)
class ConservedQuantities:
    """The quantities that the effective flow conserves.

    Attributes
    ----------
    norm
        Z0 = sum_k |E_k|^2; always conserved.
    centre
        C = sum_k E_k, shape (d,). It obeys dC/dt = (2 l0 / Z0^2) C: conserved where it is 0, as for
        standardised embeddings, and growing otherwise.
    """

    norm: float
    centre: Array


def conserved_quantities(embeddings: ArrayLike) -> ConservedQuantities:
    """Return the norm Z0 and the centre C of embeddings (Liu et al. 2022, section 3).

    Parameters
    ----------
    embeddings
        Embeddings, shape (p, d).

    Returns
    -------
    ConservedQuantities
        Z0 = sum_k |E_k|^2 and C = sum_k E_k.

    Raises
    ------
    InputError
        If the embeddings are not a (p, d) array of finite numbers, or the largest of them, where
        it is not 0, is not between 1e-100 and 1e100 in size.
    """
    array = finite_array("embeddings", embeddings, (None, None), np.float64)
    return ConservedQuantities(norm=squared_norm("embeddings", array), centre=array.sum(axis=0))


def effective_loss(
    embeddings: ArrayLike,
    dataset: Dataset,
    *,
    parallelograms: Parallelograms = "train",
    average: bool = True,
) -> float:
    """Return the effective loss l_eff = l0 / Z0 of embeddings (Liu et al. 2022, section 3).

    The embeddings are taken as given: standardise them first to compare starts.

    Parameters
    ----------
    embeddings
        Embeddings, shape (p, d).
    dataset
        The task and its training set.
    parallelograms
        Those of the training set ("train") or of all samples ("all").
    average
        Whether l0 is the mean over the parallelograms, or their sum.

    Returns
    -------
    float
        Zero where all parallelograms are closed. NaN, that is undefined, where all embeddings are
        zero, or where the mean is over no parallelogram.

    Raises
    ------
    InputError
        If the task has no line, ``parallelograms`` is neither "train" nor "all", or
        `conserved_quantities` refuses the embeddings.
    """
    array = _array_of(embeddings, dataset)
    dataset.operation.require_line("effective_loss")
    samples = choose_parallelograms(dataset, parallelograms)
    count, norm = count_parallelograms(samples), squared_norm("embeddings", array)
    if norm == 0.0 or (average and count == 0):
        return math.nan
    return _summed_loss(array, samples) / (count if average else 1) / norm


def effective_flow(
    embeddings: ArrayLike,
    dataset: Dataset,
    *,
    parallelograms: Parallelograms = "train",
    average: bool = True,
) -> Array:
    """Return the velocity of the embeddings under the effective loss, dE/dt = -grad l_eff.

    dE/dt = -(2 c / Z0) A^T A E + (2 l0 / Z0^2) E, with the `gram_matrix` A^T A and c = 1 / |P0(D)|,
    or 1 without the average (Liu et al. 2022, section 3).

    Parameters
    ----------
    embeddings
        Embeddings, shape (p, d).
    dataset
        The task and its training set.
    parallelograms, average
        The convention, as for `effective_loss`.

    Returns
    -------
    numpy.ndarray
        dE/dt, shape (p, d).

    Raises
    ------
    InputError
        If `effective_loss` refuses an argument, the embeddings are all zero, or the mean is over no
        parallelogram.
    """
    array = _array_of(embeddings, dataset)
    attraction, norm = _attraction(array, dataset, parallelograms, average, "effective_flow")
    return _velocity(array, attraction, norm)


def effective_trajectory(
    embeddings: ArrayLike,
    dataset: Dataset,
    times: ArrayLike,
    *,
    parallelograms: Parallelograms = "train",
    average: bool = True,
    method: Literal["exact", "euler"] = "exact",
    step: float | None = None,
) -> Array:
    """Return the embeddings at given times under the effective theory.

    "exact" is the closed form of the flow, E(t) = sqrt(Z0) G E(0) / |G E(0)| with
    G = exp(-2 c t A^T A / Z0): no time stepping, any array of times. "euler" makes forward Euler
    steps with Z0 fixed at its start and l0 taken anew at each step, as the released code does.

    Parameters
    ----------
    embeddings
        Embeddings at time 0, shape (p, d), as given; the paper standardises them.
    dataset
        The task and its training set.
    times
        Times, zero or positive, shape (times,). One training step of a network advances time by
        its embedding learning rate.
    parallelograms, average
        The convention, as for `effective_loss`; the released code's is "all", False.
    method
        "exact" or "euler".
    step
        Length of an Euler step, in time. It is required with "euler", and times must be multiples
        of it.

    Returns
    -------
    numpy.ndarray
        The embeddings at each time, shape (times, p, d).

    Raises
    ------
    InputError
        If `effective_flow` refuses an argument, times or ``step`` do not fit the method, or Euler
        steps diverge.
    """
    array = _array_of(embeddings, dataset)
    moments = finite_array("times", times, (None,), np.float64)
    if (moments < 0).any():
        raise InputError("times must be zero or positive.")
    attraction, norm = _attraction(array, dataset, parallelograms, average, "effective_trajectory")
    if method == "exact":
        if step is not None:
            raise InputError('step must be left out with method "exact": nothing is stepped.')
        # The line's two eigenvalues and all other zeros are exactly zero, by the exact rank.
        free = degrees_of_freedom(choose_parallelograms(dataset, parallelograms))
        return _closed_form(array, attraction, free, norm, moments)
    if method == "euler":
        if step is None:
            raise InputError('step is required with method "euler"; the released code has 1e-3.')
        return _euler(array, attraction, norm, _step_numbers(moments, step), float(step))
    raise InputError(f'method must be "exact" or "euler", not {method!r}.')


def _array_of(embeddings: ArrayLike, dataset: Dataset) -> Array:
    """Return the embeddings of all symbols of a dataset as finite float64, shape (p, d)."""
    shape = (operation_of(dataset).symbols, None)
    return finite_array("embeddings", embeddings, shape, np.float64)


def _summed_loss(array: Array, samples: Dataset) -> float:
    """Sum over P0 of |residual|^2 = sum_s n_s sum_a |x_a - mean of label s|^2, x_a = E_i + E_j.

    A sum of squares keeps its relative precision as the loss vanishes; E^T (A^T A E) does not.
    """
    apart, counts = apart_from_label(array, samples)
    return float((counts * (apart**2).sum(axis=1)).sum())


def _attraction(
    array: Array, dataset: Dataset, parallelograms: Parallelograms, average: bool, quantity: str
) -> tuple[Array, float]:
    """Return c A^T A, shape (p, p), and Z0; raise InputError where one of them does not exist."""
    dataset.operation.require_line(quantity)
    samples = choose_parallelograms(dataset, parallelograms)
    norm = squared_norm("embeddings", array)
    if norm == 0.0:
        raise InputError(
            f"{quantity} is not defined for embeddings that are all zero; give others."
        )
    count = count_parallelograms(samples)
    if average and count == 0:
        raise InputError(
            f"{quantity} is not defined as a mean over no parallelogram: the dataset has no two "
            "samples with the same label; add training samples or give average=False."
        )
    return gram_matrix(samples) / (count if average else 1), norm


def _velocity(array: Array, attraction: Array, norm: float) -> Array:
    """-(2 / Z) c A^T A E + (2 l0 / Z^2) E."""
    force = attraction @ array
    loss = float((array * force).sum())
    # In this order no square of the norm leaves float64's range.
    velocity: Array = (2.0 * loss / norm / norm) * array - (2.0 / norm) * force
    return velocity


def _closed_form(array: Array, attraction: Array, free: int, norm: float, times: Array) -> Array:
    eigenvalues, modes = np.linalg.eigh(attraction)
    eigenvalues[:free] = 0.0
    amplitudes = modes.T @ array
    # What rounding leaves of a mode that is absent is none that time should lift to the whole.
    present = above_rounding(amplitudes, math.sqrt(norm))
    amplitudes[~present] = 0.0
    # Only ratios matter: the slowest mode that is present sets the scale, so that none underflows.
    eigenvalues -= eigenvalues[present].min()
    with np.errstate(over="ignore"):  # exp(-inf) is the 0 that is meant
        exponents = 2.0 / norm * (times[:, None] * np.maximum(eigenvalues, 0.0))
    decay = np.exp(-exponents)
    moved = np.einsum("pk,tk,kd->tpd", modes, decay, amplitudes, optimize=True)
    size = np.sqrt((moved**2).sum(axis=(1, 2), keepdims=True))
    trajectory: Array = np.sqrt(norm) * moved / size
    return trajectory


def _step_numbers(times: Array, step: float) -> NDArray[np.int64]:
    length = non_negative("step", step)
    if length == 0.0:
        raise InputError("step must be positive.")
    with np.errstate(over="ignore"):
        numbers = np.rint(times / length)
    if numbers.max(initial=0.0) > _MOST_EULER_STEPS:
        raise InputError(f"step {length:g} is too short: times take over 1e9 steps; lengthen it.")
    if (np.abs(times / length - numbers) > 1e-6 * np.maximum(numbers, 1.0)).any():
        raise InputError('times must be multiples of step with method "euler".')
    return numbers.astype(np.int64)


def _euler(
    array: Array, attraction: Array, norm: float, numbers: NDArray[np.int64], step: float
) -> Array:
    wanted, of_time = np.unique(numbers, return_inverse=True)
    states, done = np.empty((len(wanted), *array.shape)), 0
    with np.errstate(over="ignore", invalid="ignore"):
        for state, number in zip(states, wanted.tolist(), strict=True):
            for _ in range(number - done):
                array = array + step * _velocity(array, attraction, norm)
            state[:], done = array, number
    if not np.isfinite(states).all():
        raise InputError(f"step {step:g} is too long: the Euler steps diverge; give a shorter one.")
    return states[of_time]
