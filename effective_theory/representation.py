"""The quality of a representation: how many of its parallelograms are closed."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from effective_theory.checks import InputError, finite_array, non_negative
from effective_theory.kernels import parallelograms as kernels
from effective_theory.parallelograms import Samples, share_of
from effective_theory.tasks import Dataset, Task

#: A parallelogram counts when its mean square residual is below this (the released code's value).
RESIDUAL_THRESHOLD = 0.01


def samples_by_label(
    task: Task,
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

    Raises
    ------
    InputError
        If a dimension is constant, so that it has no standard form, or a number is not finite.
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


def rqi(embeddings: ArrayLike, task: Task, threshold: float = RESIDUAL_THRESHOLD) -> float:
    """Return the representation quality index, from 0 (no structure) to 1 (a line).

    RQI(E) = |{q in P0 : r_q small}| / |P0|, where P0 are the unordered pairs of distinct samples
    {(i, j), (m, n)} with one label and r_q = E_i + E_j - E_m - E_n on standardised embeddings; r_q
    is small when the mean over dimensions of r_q^2 is below ``threshold`` (Liu et al. 2022, eq. 5;
    the released code's 0.01; for the appendix's |r| <= 0.01 in one dimension give 1e-4).

    Parameters
    ----------
    embeddings
        Embeddings, shape (p, d).
    task
        The task; the line must solve it.
    threshold
        Bound on the mean square residual.

    Returns
    -------
    float
        NaN, that is undefined, where a dimension of the embeddings is constant or not finite, or
        the task has no parallelogram (p = 2).

    Raises
    ------
    InputError
        If the task has no line or the shape does not fit.
    """
    task.require_line("RQI")
    threshold = non_negative("threshold", threshold)
    array = _embeddings_of(task, embeddings)
    return kernels.quality_index(array, *samples_by_label(task), threshold)


def predicted_accuracy(
    embeddings: ArrayLike,
    dataset: Dataset,
    *,
    on: Samples = "all",
    threshold: float = RESIDUAL_THRESHOLD,
) -> float:
    """Return the accuracy that a representation allows a decoder that fits the training set.

    A decoder that is right on (m, n) is right on (i, j) if E_i + E_j = E_m + E_n. P(E) holds P0(D)
    and the parallelograms of one label that are small under E, as RQI counts them; a sample is
    predictable if it is a training sample or forms one with a training sample:
    Acc-hat = |Dbar(D, P(E))| / N (Liu et al. 2022, section 3.2).

    Parameters
    ----------
    embeddings
        Embeddings, shape (p, d); they are standardised first.
    dataset
        The task and its training set.
    on
        "all" samples, or the "test" samples only.
    threshold
        Bound on the mean over dimensions of the square residual.

    Returns
    -------
    float
        A fraction; NaN, that is undefined, where a dimension of the embeddings is constant or not
        finite, or the test set is empty.

    Raises
    ------
    InputError
        If the task has no line, or the shape or ``on`` is wrong.
    """
    task = dataset.task
    task.require_line("predicted_accuracy")
    threshold = non_negative("threshold", threshold)
    standard, exists = kernels.standardise(_embeddings_of(task, embeddings))
    predictable = np.zeros(task.size, np.bool_)
    predictable[dataset.train] = True
    if exists:
        order = np.argsort(task.labels, kind="stable")
        predictable[order] = kernels.predictable(
            standard, *samples_by_label(task), predictable[order], threshold
        )
    accuracy = share_of(predictable, dataset, on)
    return accuracy if exists else float("nan")


def _embeddings_of(task: Task, embeddings: ArrayLike) -> NDArray[np.float64]:
    """Return a copy of the embeddings, checked in shape; NaN may stay."""
    try:
        array = np.array(embeddings, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        raise InputError("embeddings must be an array of numbers.") from None
    if array.ndim != 2 or len(array) != task.symbols or array.shape[1] == 0:
        raise InputError(f"embeddings must have shape ({task.symbols}, d), not {array.shape}.")
    return array
