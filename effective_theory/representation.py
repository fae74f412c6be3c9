"""The quality of a representation: how many of its parallelograms are closed."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from effective_theory.checks import InputError, finite_array, non_negative, number_array
from effective_theory.dataset import Dataset, operation_of
from effective_theory.kernels import parallelograms as kernels
from effective_theory.parallelograms import Samples, share_of
from effective_theory.task import BinaryOperation, require_operation


def samples_by_label(
    task: BinaryOperation,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return left and right symbols of all samples sorted by label, and where each label starts.

    Pairs of samples within one label are the possible parallelograms P0; they are never listed.
    """
    order = np.argsort(task.labels, kind="stable")
    left, right = task.pairs[order].T
    starts = np.searchsorted(task.labels[order], np.arange(task.classes + 1))
    return np.ascontiguousarray(left), np.ascontiguousarray(right), starts.astype(np.int64)


def standardise(embeddings: ArrayLike) -> NDArray[np.float64]:
    """Return embeddings with zero mean and unit unbiased standard deviation in each dimension.

    Parameters
    ----------
    embeddings
        Embeddings, shape (p, d), p at least 2.

    Returns
    -------
    numpy.ndarray
        Standardised embeddings, shape (p, d), in units of their standard deviation (ddof = 1).
        Their norm is Z0 = d (p - 1).

    Raises
    ------
    InputError
        If a dimension is constant, so that it has no standard form, numbers are too large or too
        close together for float64, or one is not finite.
    """
    array = finite_array("embeddings", embeddings, (None, None), np.float64)
    if array.size == 0 or (array.max(axis=0) == array.min(axis=0)).any():
        raise InputError(
            "embeddings cannot be standardised where a dimension is constant or empty; "
            "give at least two symbols that differ in each dimension."
        )
    standard, exists = kernels.standardise(array)
    if not exists:
        raise InputError(
            "embeddings are too large or too close together for float64; rescale them."
        )
    return standard


def rqi(embeddings: ArrayLike, task: BinaryOperation, threshold: float | None = None) -> float:
    """Return the representation quality index, from 0 (no structure) to 1.

    RQI(E) = |{q in P0 : r_q small}| / |P0|, where P0 are the unordered pairs of distinct samples
    {(i, j), (m, n)} with the same label. For addition r_q = E_i + E_j - E_m - E_n on standardised
    embeddings (Liu et al. 2022, section 3); for a group r_q = E_i E_j - E_m E_n on matrices over
    their common root mean square (appendix H). r_q is small when the mean over dimensions of r_q^2
    is below ``threshold``.

    Parameters
    ----------
    embeddings
        Embeddings, shape (p, d); matrices are written row by row.
    task
        Addition or a finite group.
    threshold
        Bound on the mean square residual, zero or positive; by default the released code's, 0.01
        for addition and 0.5 for a group. For the paper's |r| <= 0.01 in one dimension give 1e-4.

    Returns
    -------
    float
        A fraction, from 0 to 1. NaN, that is undefined, where embeddings are constant (for addition
        in any dimension) or not finite, or the task has no parallelogram (addition with p = 2).

    Raises
    ------
    InputError
        If RQI is not defined for the task, as for modular addition, the shape does not fit, entries
        are masked, or ``threshold`` is negative or not finite.
    """
    array, side, threshold = _checked("RQI", embeddings, task, threshold)
    return kernels.quality_index(array, *samples_by_label(task), side, threshold)


def predicted_accuracy(
    embeddings: ArrayLike,
    dataset: Dataset,
    *,
    on: Samples = "all",
    threshold: float | None = None,
) -> float:
    """Return the accuracy that a representation gives to a decoder that fits the training set.

    A decoder that is right on (m, n) is right on (i, j) if both look the same to it: E_i + E_j =
    E_m + E_n, or E_i E_j = E_m E_n in a group. P(E) holds P0(D) and the parallelograms of one label
    that are small under E, as RQI counts them; a sample is predictable if it is a training sample
    or forms one with a training sample: Acc-hat = |Dbar(D, P(E))| / N (Liu et al. 2022,
    section 3).

    Parameters
    ----------
    embeddings
        Embeddings, shape (p, d); they are normalised first, as in `rqi`.
    dataset
        The task and its training set.
    on
        "all" samples, or the "test" samples only.
    threshold
        Bound on the mean over dimensions of the square residual; by default as in `rqi`.

    Returns
    -------
    float
        A fraction, from 0 to 1. NaN, that is undefined, where embeddings are constant or not finite
        (see `rqi`), or the test set is empty.

    Raises
    ------
    InputError
        If `rqi` refuses an argument, or ``on`` is neither "all" nor "test".
    """
    task = operation_of(dataset)
    array, side, threshold = _checked("predicted_accuracy", embeddings, task, threshold)
    normal, exists = kernels.normalise(array, side)
    predictable = np.zeros(task.size, np.bool_)
    predictable[dataset.train] = True
    if exists:
        order = np.argsort(task.labels, kind="stable")
        predictable[order] = kernels.predictable(
            normal, *samples_by_label(task), predictable[order], side, threshold
        )
    accuracy = share_of(predictable, dataset, on)
    return accuracy if exists else float("nan")


def _checked(
    quantity: str, embeddings: ArrayLike, task: BinaryOperation, threshold: float | None
) -> tuple[NDArray[np.float64], int, float]:
    """Return a copy of the embeddings, checked in shape (NaN may stay), their side, the bound."""
    require_operation(task)
    default = task.require_residual_threshold(quantity)
    array = number_array("embeddings", embeddings, (task.symbols, None), np.float64)
    if array.shape[1] == 0:
        raise InputError("embeddings must have at least one column.")
    bound = default if threshold is None else non_negative("threshold", threshold)
    return array, task.matrix_side(array.shape[1]), bound
