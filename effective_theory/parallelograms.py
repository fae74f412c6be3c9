"""What a training set implies about the line, before any training.

All training pairs with the same label s share the unknown value c_s = E_i + E_j. The parallelograms
P0(D) of a training set are therefore never listed: their Gram matrix follows from sums over labels,
their rank from one equation for each sample, in exact arithmetic (`kernels.elimination`).
"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from effective_theory.checks import InputError, of_type, refuse_masked
from effective_theory.dataset import Dataset, operation_of
from effective_theory.kernels import elimination
from effective_theory.task import BinaryOperation

#: Degrees of freedom of the line E_k = a + k b, which satisfies every parallelogram: a and b.
LINE = 2

#: Which samples a quantity is averaged over, and which parallelograms it rests on.
Samples = Literal["all", "test"]
Parallelograms = Literal["train", "all"]


def choose_parallelograms(dataset: Dataset, parallelograms: Parallelograms) -> Dataset:
    """Return the training set whose P0(D) is meant: its own for "train", all samples for "all"."""
    if parallelograms not in ("train", "all"):
        raise InputError(f'parallelograms must be "train" or "all", not {parallelograms!r}.')
    if parallelograms == "train":
        return dataset
    return Dataset(dataset.task, np.arange(dataset.task.size))


def count_parallelograms(dataset: Dataset) -> int:
    """Return |P0(D)|, the number of unordered pairs of training samples with the same label.

    |P0(D)| = sum_s n_s (n_s - 1) / 2 with n_s training samples of label s (Liu et al. 2022, section
    3.2). It is defined for every task.

    Parameters
    ----------
    dataset
        The task and its training set.

    Returns
    -------
    int
        Number of parallelograms.

    Examples
    --------
    >>> from effective_theory import Addition, Dataset
    >>> count_parallelograms(Dataset(Addition(p=10), range(55)))
    70

    Raises
    ------
    InputError
        If it is no Dataset.
    """
    of_type("dataset", dataset, Dataset, "a Dataset such as Dataset.split() returns")
    counts = _label_counts(dataset)
    return int((counts * (counts - 1)).sum()) // 2


def apart_from_label(
    embeddings: NDArray[np.float64], dataset: Dataset
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return E_i + E_j of each training pair less its mean over the pairs of that label.

    Returns
    -------
    deviations
        Shape (samples, d).
    counts
        How many training pairs have the label of each, shape (samples,).
    """
    task = dataset.operation
    labels = task.labels[dataset.train]
    sums = embeddings[task.pairs[dataset.train]].sum(axis=1)
    counts = np.bincount(labels, minlength=task.classes)[labels]
    means = np.zeros((task.classes, embeddings.shape[1]))
    np.add.at(means, labels, sums / counts[:, None])
    return sums - means[labels], counts


def gram_matrix(dataset: Dataset) -> NDArray[np.float64]:
    """Return the Gram matrix A^T A of the parallelogram equations A E = 0 of a training set.

    With u_a = e_i + e_j for sample a, n_s samples of label s and w_s the sum of their u_a,
    A^T A = sum_s (n_s sum_a u_a u_a^T - w_s w_s^T). It is exact: all entries are integers.

    Parameters
    ----------
    dataset
        The task and its training set.

    Returns
    -------
    numpy.ndarray
        A^T A, shape (p, p).

    Raises
    ------
    InputError
        If the task has no line.
    """
    task = operation_of(dataset)
    task.require_line("gram_matrix")
    left, right, labels = _columns(dataset)
    counts = _label_counts(dataset)[labels].astype(np.float64)
    squares = np.zeros((task.symbols, task.symbols))
    for a, b in ((left, left), (left, right), (right, left), (right, right)):
        np.add.at(squares, (a, b), counts)
    sums = np.zeros((task.classes, task.symbols))
    np.add.at(sums, (labels, left), 1.0)
    np.add.at(sums, (labels, right), 1.0)
    return squares - sums.T @ sums


def degrees_of_freedom(dataset: Dataset) -> int:
    """Return n0, the dimension of the embeddings that satisfy all parallelograms of a training set.

    n0 is the nullity of A(P0(D)), and the same in each dimension of the embeddings. It is at least
    2 (shift and scale of the line); at 2 the line is the only solution (Liu et al. 2022, section
    3.2). The rank is exact, over the integers modulo 2^31 - 1.

    Parameters
    ----------
    dataset
        The task and its training set.

    Returns
    -------
    int
        n0.

    Raises
    ------
    InputError
        If the task has no line.

    Examples
    --------
    >>> from effective_theory import Addition, Dataset
    >>> degrees_of_freedom(Dataset(Addition(p=10), range(55)))
    2
    """
    operation_of(dataset).require_line("degrees_of_freedom")
    return len(_exact_null_space(dataset))


def null_space(dataset: Dataset) -> NDArray[np.float64]:
    """Return an orthonormal basis of the embeddings that satisfy all parallelograms of P0(D).

    Parameters
    ----------
    dataset
        The task and its training set.

    Returns
    -------
    numpy.ndarray
        The basis, shape (p, n0); its columns are the modes that the effective flow leaves alone.

    Raises
    ------
    InputError
        If the task has no line.
    """
    free = degrees_of_freedom(dataset)
    return np.ascontiguousarray(np.linalg.eigh(gram_matrix(dataset)).eigenvectors[:, :free])


def is_implied(dataset: Dataset, samples: ArrayLike, others: ArrayLike) -> NDArray[np.bool_]:
    """Return which parallelograms {samples[k], others[k]} follow from a training set.

    A parallelogram is in P(D) if its equation lies in the row space of A(P0(D)), that is if it
    holds for every embedding that satisfies P0(D) (Liu et al. 2022, section 3). Exact.

    Parameters
    ----------
    dataset
        The task and its training set.
    samples, others
        Indices into ``task.pairs``, shape (n,) each; samples[k] and others[k] share a label.

    Returns
    -------
    numpy.ndarray
        Booleans, shape (n,).

    Raises
    ------
    InputError
        If the task has no line, an index is no integer or out of range, the lengths differ, or two
        samples that are paired have different labels.
    """
    task = operation_of(dataset)
    task.require_line("is_implied")
    first, second = _sample_indices(task, samples), _sample_indices(task, others)
    if first.shape != second.shape:
        raise InputError("samples and others must have the same length.")
    if (task.labels[first] != task.labels[second]).any():
        raise InputError("samples[k] and others[k] must have the same label to be a parallelogram.")
    return _close(_exact_null_space(dataset), task, first, second)


def ideal_accuracy(dataset: Dataset, *, on: Samples = "all") -> float:
    """Return the accuracy that parallelograms alone allow, known before training.

    A sample is predictable if it is a training sample, or if its parallelogram with some training
    sample of the same label follows from P0(D): Acc-bar = |Dbar(D, P(D))| / N (Liu et al. 2022,
    section 3). Exact.

    Parameters
    ----------
    dataset
        The task and its training set.
    on
        "all" samples, or the "test" samples only.

    Returns
    -------
    float
        A fraction, from 0 to 1; NaN on an empty test set.

    Raises
    ------
    InputError
        If the task has no line, or ``on`` is neither "all" nor "test".
    """
    task = operation_of(dataset)
    task.require_line("ideal_accuracy")
    # All training samples of a label have the same sum under P0(D): any of them will do.
    example = np.full(task.classes, -1)
    example[task.labels[dataset.train]] = dataset.train
    test = dataset.test[example[task.labels[dataset.test]] >= 0]
    predictable = np.zeros(task.size, np.bool_)
    predictable[dataset.train] = True
    basis = _exact_null_space(dataset)
    predictable[test] = _close(basis, task, test, example[task.labels[test]])
    return share_of(predictable, dataset, on)


def share_of(predictable: NDArray[np.bool_], dataset: Dataset, on: Samples) -> float:
    """Return the share of predictable samples among all or among the test samples; NaN for none."""
    if on not in ("all", "test"):
        raise InputError(f'on must be "all" or "test", not {on!r}.')
    chosen = predictable if on == "all" else predictable[dataset.test]
    return float(chosen.mean()) if len(chosen) else float("nan")


def _label_counts(dataset: Dataset) -> NDArray[np.int64]:
    """Return the number of training samples of each label, shape (classes,)."""
    labels = dataset.task.labels[dataset.train]
    return np.bincount(labels, minlength=dataset.task.classes).astype(np.int64)


def _columns(
    dataset: Dataset,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Left symbol, right symbol and label of each training sample."""
    left, right = dataset.operation.pairs[dataset.train].T
    return left, right, dataset.task.labels[dataset.train]


def _exact_null_space(dataset: Dataset) -> NDArray[np.int32]:
    """Basis (n0, p) of the null space of A(P0(D)), modulo the prime of `kernels.elimination`."""
    task = dataset.operation
    left, right = np.ascontiguousarray(task.pairs.T)
    # Writable copies: Numba would compile the kernel once more for read-only arrays.
    return elimination.null_space(
        dataset.train.copy(),
        left,
        right,
        task.labels.copy(),
        task.symbols,
        task.classes,
        LINE,
    )[0]


def _close(
    basis: NDArray[np.int32],
    task: BinaryOperation,
    first: NDArray[np.int64],
    second: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Whether all vectors of the basis close each parallelogram {first[k], second[k]}."""
    pairs, others = task.pairs[first].T, task.pairs[second].T
    return elimination.are_implied(
        basis, *np.ascontiguousarray(pairs), *np.ascontiguousarray(others)
    )


def _sample_indices(task: BinaryOperation, samples: ArrayLike) -> NDArray[np.int64]:
    refuse_masked("samples and others", samples)
    indices = np.atleast_1d(np.asarray(samples))
    is_index = indices.size == 0 or np.issubdtype(indices.dtype, np.integer)
    if not is_index or indices.ndim != 1:
        raise InputError("samples and others must be one-dimensional sequences of indices.")
    if indices.size and (indices.min() < 0 or indices.max() >= task.size):
        raise InputError(f"samples and others must hold indices from 0 to {task.size - 1}.")
    return indices.astype(np.int64)
