"""What kernel machines predict for modular addition: with K_0, and with its expectation."""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from effective_theory import Dataset, InputError
from effective_theory.checks import integer, non_negative
from validation.kernel_regime.quadratic_state import QuadraticState
from validation.kernel_regime.tangent_kernel import (
    equal_symbols,
    quadratic_kernel,
)

Array = NDArray[np.float64]

#: Fourth moment of a uniform draw over the square of its second.
_KURTOSIS = 9 / 5


def expected_kernel(p: int, width: int, init_scale: float = 1.0) -> Array:
    """Return the expected kernel of a quadratic network's start, for 0, 1 and 2 equal symbols.

    With s and v the variances of W and V and k the kurtosis of their entries, width h times

        kappa(0) = 4 s^2,  kappa(1) = (k + 3) s^2 + 4 v s,  kappa(2) = (2 k + 6) s^2 + 16 v s,

    times 1[c = c']; equal symbols are [a = a'] + [b = b'], a = b' does not count.

    Parameters
    ----------
    p
        Number of symbols.
    width
        h.
    init_scale
        Factor on weights that are uniform within 1 / sqrt(fan-in).

    Returns
    -------
    numpy.ndarray
        Shape (3,), by the number of equal symbols.

    Raises
    ------
    InputError
        If an argument is out of its range.
    """
    p, width = integer("p", p, 1), integer("width", width, 1)
    scale = non_negative("init_scale", init_scale) ** 2
    s, v, k = scale / (3 * 2 * p), scale / (3 * width), _KURTOSIS
    return width * np.array([4 * s**2, (k + 3) * s**2 + 4 * v * s, (2 * k + 6) * s**2 + 16 * v * s])


def expected_prediction(dataset: Dataset, width: int, init_scale: float = 1.0) -> Array:
    """Return what regression with the expected kernel predicts for all samples, shape (N, p).

    On unseen pairs it is additive, g_c(a) + h_c(b) plus a constant: the kernel there knows a pair
    by whether its a and its b occur, each by itself. As each c occurs once in each row and column,
    at the very pair that is unseen, neither speaks for c = a + b, and it is never the highest: the
    accuracy is 0, below chance.

    Parameters
    ----------
    dataset
        Modular addition with its training set.
    width, init_scale
        As for `expected_kernel`.

    Raises
    ------
    InputError
        If the task is no operation on symbols, the kernel is singular, as with an init_scale of 0,
        or another argument is out of its range.
    """
    task, train = dataset.operation, dataset.train
    kernel = expected_kernel(task.symbols, width, init_scale)
    across = kernel[equal_symbols(task.pairs, task.pairs[train])]  # (N, n)
    try:
        weights = np.linalg.solve(across[train], _one_hot(dataset)[train])
    except np.linalg.LinAlgError:
        raise InputError(f"init_scale {init_scale:g} makes the expected kernel singular.") from None
    return np.asarray(across @ weights)


def kernel_prediction(
    state: QuadraticState, dataset: Dataset, *, ridge: float = 0.0, at_a_time: int = 64
) -> Array:
    """Return what regression on labels with a network's own kernel predicts, shape (N, p).

    Parameters
    ----------
    state
        The network, as at its start.
    dataset
        Modular addition with its training set.
    ridge
        Added to the kernel's diagonal, as a share of its mean.
    at_a_time
        Pairs that are predicted together; memory is (n p)^2 numbers, and n p^2 for each of them.

    Raises
    ------
    InputError
        If the task is no operation on symbols, the ridge is negative, ``at_a_time`` is below 1, or
        the kernel is singular: more samples times classes than weights. Give a ridge.
    """
    task, train = dataset.operation, dataset.train
    at_a_time = integer("at_a_time", at_a_time, 1)
    pairs = np.asarray(task.pairs)
    kernel = quadratic_kernel(state, pairs[train])
    kernel[np.diag_indices(len(kernel))] += (
        non_negative("ridge", ridge) * np.trace(kernel) / len(kernel)
    )
    try:
        factor = cho_factor(kernel, overwrite_a=True)
    except np.linalg.LinAlgError:
        raise InputError(
            f"ridge {ridge:g} leaves the kernel of {len(train)} samples x {task.classes} classes "
            "singular; give a larger one, or a wider network."
        ) from None
    weights = cho_solve(factor, _one_hot(dataset)[train].ravel())
    found = [
        quadratic_kernel(state, some, pairs[train]) @ weights
        for some in np.array_split(pairs, -(-len(pairs) // at_a_time))
    ]
    return np.concatenate(found).reshape(len(pairs), -1)


def _one_hot(dataset: Dataset) -> Array:
    return np.eye(dataset.operation.classes)[dataset.operation.labels]


def accuracy(prediction: Array, dataset: Dataset) -> float:
    """Return the share of test samples whose label is the highest of predictions (N, p)."""
    test = dataset.test
    return float((prediction[test].argmax(axis=1) == dataset.operation.labels[test]).mean())


def unseen_loss(prediction: Array, dataset: Dataset) -> float:
    """Return the square loss of predictions (N, p) on test samples over that of predicting 0."""
    test = dataset.test
    return float(((prediction[test] - _one_hot(dataset)[test]) ** 2).sum(axis=1).mean())
