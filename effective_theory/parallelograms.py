"""What a training set implies about the line, before any training.

All training pairs with one label s share the unknown value c_s = E_i + E_j. The parallelograms
P0(D) of a training set are therefore never listed: their Gram matrix follows from sums over labels.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from effective_theory.checks import InputError
from effective_theory.tasks import Dataset

#: Eigenvalues of the integer Gram matrix below this share of the largest are zero.
_ZERO = 1e-10


def _incidence(dataset: Dataset) -> NDArray[np.float64]:
    """Rows u_a = e_i + e_j of the training samples, shape (|D|, p)."""
    pairs = dataset.task.pairs[dataset.train]
    rows = np.zeros((len(pairs), dataset.task.symbols))
    np.add.at(rows, (np.arange(len(pairs))[:, None], pairs), 1.0)
    return rows


def gram_matrix(dataset: Dataset) -> NDArray[np.float64]:
    """Return A^T A, shape (p, p), of the parallelogram equations A E = 0 of a training set.

    With u_a = e_i + e_j for sample a, n_s samples of label s and w_s the sum of their u_a,
    A^T A = sum_s (n_s sum_a u_a u_a^T - w_s w_s^T). It is exact: all entries are integers.

    Raises
    ------
    InputError
        If the task has no line.
    """
    dataset.task.require_line("gram_matrix")
    rows = _incidence(dataset)
    labels = dataset.task.labels[dataset.train]
    counts = np.bincount(labels, minlength=dataset.task.classes)
    sums = np.zeros((dataset.task.classes, dataset.task.symbols))
    np.add.at(sums, labels, rows)
    return rows.T @ (rows * counts[labels][:, None]) - sums.T @ sums


def null_space(dataset: Dataset) -> NDArray[np.float64]:
    """Return an orthonormal basis, shape (p, n0), of the embeddings that satisfy all of P0(D)."""
    eigenvalues, eigenvectors = np.linalg.eigh(gram_matrix(dataset))
    free = eigenvalues <= _ZERO * max(eigenvalues[-1], 1.0)
    return np.ascontiguousarray(eigenvectors[:, free])


def ideal_accuracy(dataset: Dataset, *, on: Literal["all", "test"] = "all") -> float:
    """Return the accuracy that parallelograms alone allow, known before training.

    A sample is predictable if it is a training sample, or if its parallelogram with some training
    sample of the same label follows from P0(D): Acc-bar = |Dbar(D, P(D))| / N (Liu et al. 2022,
    section 3.2). A parallelogram follows if it vanishes on the null space of A(P0(D)).

    Parameters
    ----------
    dataset
        The task and its training set.
    on
        "all" samples, or the "test" samples only.

    Returns
    -------
    float
        A fraction; NaN on an empty test set.

    Raises
    ------
    InputError
        If the task has no line, or ``on`` is neither "all" nor "test".
    """
    dataset.task.require_line("ideal_accuracy")
    if on not in ("all", "test"):
        raise InputError(f'on must be "all" or "test", not {on!r}.')
    task = dataset.task
    basis = null_space(dataset)
    # The value of each sample's sum for every free direction; equal values share a parallelogram.
    values = basis[task.pairs].sum(axis=1)
    known = np.full((task.classes, basis.shape[1]), np.nan)
    known[task.labels[dataset.train]] = values[dataset.train]
    predictable = (np.abs(values - known[task.labels]) < 1e-6).all(axis=1)
    predictable[dataset.train] = True
    chosen = predictable if on == "all" else predictable[dataset.test]
    return float(chosen.mean()) if len(chosen) else float("nan")
