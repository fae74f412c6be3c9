"""Mirrors: for a commutative operation the sample (b, a) gives (a, b) away.

With ordered pairs and a random split, as large a share of the test samples as the training fraction
has its mirror in the training set. A network that learns x y = y x while it memorises shows that
share as its test accuracy at once; what it has generalised is told by the other test samples.
"""

import numpy as np
from numpy.typing import NDArray

from effective_theory.dataset import Dataset, operation_of
from effective_theory.task import BinaryOperation, require_operation

#: With fewer strict test samples a share of them says little.
FEW_STRICT = 50


def mirrors(task: BinaryOperation) -> NDArray[np.int64]:
    """Return the index of each sample's mirror, shape (N,): its own for (a, a), -1 for none.

    Raises
    ------
    InputError
        If the task is no operation on symbols.
    """
    require_operation(task)
    index = np.full((task.symbols, task.symbols), -1, np.int64)
    left, right = task.pairs.T
    index[left, right] = np.arange(task.size)
    return np.asarray(index[right, left])


def is_commutative(task: BinaryOperation) -> bool:
    """Return whether (a, b) and (b, a) have the same label wherever both are samples.

    Parameters
    ----------
    task
        An operation on symbols.

    Returns
    -------
    bool
        True also where no sample has a mirror other than itself, as with unordered pairs.

    Raises
    ------
    InputError
        If it is no operation on symbols.
    """
    mirrored = mirrors(task)
    there = mirrored >= 0
    return bool((task.labels[there] == task.labels[mirrored[there]]).all())


def strict_test(dataset: Dataset) -> NDArray[np.int64] | None:
    """Return the test samples whose mirror is not in the training set.

    (a, a) counts as one whose mirror was not seen. Where samples have no mirrors, as unordered
    pairs, these are all test samples.

    Parameters
    ----------
    dataset
        The task and its training set.

    Returns
    -------
    numpy.ndarray or None
        Indices of samples, sorted, shape (n,). None where the operation is not commutative: mirrors
        tell nothing there.

    Raises
    ------
    InputError
        If the task is no operation on symbols.
    """
    task = operation_of(dataset)
    if not is_commutative(task):
        return None
    mirrored = mirrors(task)[dataset.test]
    seen = (mirrored != dataset.test) & np.isin(mirrored, dataset.train)
    return np.asarray(dataset.test[~seen])
