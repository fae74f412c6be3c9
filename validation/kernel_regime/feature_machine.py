"""A recursive feature machine: a kernel machine that groks without gradient descent."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve

from effective_theory import Dataset
from effective_theory.checks import non_negative

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FeatureMachine:
    """A recursive feature machine after some iterations.

    Attributes
    ----------
    iteration
        Number of updates of M so far.
    features
        The feature matrix M, shape (2 p, 2 p).
    prediction
        Outputs for all samples, shape (N, p).
    """

    iteration: int
    features: Array
    prediction: Array


def feature_machines(dataset: Dataset, *, ridge: float = 0.0) -> Iterator[FeatureMachine]:
    """Yield the machines of a recursion, without end (Mallinar et al. 2024).

    Each is the regression on one-hot labels with the quadratic kernel k(x, x') = (x^T M x')^2 of
    two concatenated one-hot vectors, M = 1 at first. Then M becomes the square root of the average
    gradient outer product of what it predicts,

        G = mean over training samples of sum_c grad f_c grad f_c^T,

    divided by its largest entry, which changes nothing but the size of numbers.

    Parameters
    ----------
    dataset
        Modular addition with its training set.
    ridge
        Added to the kernel's diagonal, as a share of its mean.

    Yields
    ------
    FeatureMachine
        The machine after 0, 1, 2, .. updates of M.

    Raises
    ------
    InputError
        If ``ridge`` is negative or not finite.
    """
    ridge = non_negative("ridge", ridge)
    task, train = dataset.operation, dataset.train
    p, pairs = task.symbols, np.asarray(task.pairs)
    inputs = np.concatenate([np.eye(p)[pairs[:, place]] for place in (0, 1)], axis=1)
    labels, known = np.eye(task.classes)[task.labels[train]], inputs[train]
    features, iteration = np.eye(2 * p), 0
    while True:
        mapped = known @ features  # (n, 2 p)
        products = inputs @ mapped.T  # x^T M x', (N, n)
        kernel = products[train] ** 2
        kernel[np.diag_indices(len(kernel))] += ridge * np.trace(kernel) / len(kernel)
        weights = solve(kernel, labels, assume_a="sym")
        yield FeatureMachine(iteration, features, products**2 @ weights)
        features, iteration = (
            _square_root(_outer_product(mapped, products[train], weights)),
            (iteration + 1),
        )


def _outer_product(mapped: Array, products: Array, weights: Array) -> Array:
    """Return the average gradient outer product up to a factor, shape (2 p, 2 p).

    The gradient of f_c at x is 2 sum_i (x^T M x_i) M x_i w_ic: with u = M x_i its matrix over i and
    S = x^T M x_i, sum over x and c of grad grad^T is u^T (S^T S o w w^T) u, o elementwise.
    """
    inner = (products.T @ products) * (weights @ weights.T)
    return np.asarray(mapped.T @ inner @ mapped)


def _square_root(matrix: Array) -> Array:
    values, vectors = np.linalg.eigh(matrix)
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    return np.asarray(root / np.abs(root).max())
