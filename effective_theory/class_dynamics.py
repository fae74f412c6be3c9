"""How representations of classes move: the effective loss for classification.

What samples of one label are represented by attracts each other, as parallelograms do for addition
(Liu et al. 2022, appendix I): l_eff = l0 / Z0 with l0 = c sum over unordered pairs of samples of
one label |f(x) - f(y)|^2, c = 1 over the number of those pairs, and Z0 = sum |f|^2. Under its
gradient flow each class becomes one point, its mean times a factor that keeps Z0.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from effective_theory.checks import InputError, finite_array

Array = NDArray[np.float64]


def class_effective_loss(representations: ArrayLike, labels: ArrayLike) -> float:
    """Return l_eff of representations of samples with labels.

    Parameters
    ----------
    representations
        f, shape (n, d).
    labels
        Of the samples, shape (n,), whole numbers.

    Returns
    -------
    float
        0 where each class is one point; NaN, that is undefined, where all are zero or no two
        samples have one label.

    Raises
    ------
    InputError
        If shapes do not fit, or a number is not finite.
    """
    array, members, pairs = _checked(representations, labels)
    norm = float((array**2).sum())
    if norm == 0.0 or pairs == 0:
        return math.nan
    # Over the pairs of a class |f - g|^2 sums to n sum |f|^2 - |sum f|^2.
    centred = array - _means(array, members)
    counts = members.sum(axis=1) @ members
    return float((counts * (centred**2).sum(axis=1)).sum()) / pairs / norm


def class_effective_flow(representations: ArrayLike, labels: ArrayLike) -> Array:
    """Return df/dt = -grad l_eff = -(2 c / Z0) n (f - mean of its class) + (2 l0 / Z0^2) f.

    n is the number of samples of the class. Z0 is conserved; the centre C = sum f obeys
    dC/dt = (2 l0 / Z0^2) C, so that it is conserved where it is 0. Parameters are those of
    `class_effective_loss`.

    Returns
    -------
    numpy.ndarray
        Shape (n, d).

    Raises
    ------
    InputError
        Also if all are zero, or no two samples have one label.
    """
    array, members, pairs = _checked(representations, labels)
    norm = _norm(array, pairs)
    centred = array - _means(array, members)
    counts = (members.sum(axis=1) @ members)[:, None]
    loss = float((counts * centred**2).sum()) / pairs
    return np.asarray(-2 / (pairs * norm) * counts * centred + 2 * loss / norm**2 * array)


def class_effective_trajectory(
    representations: ArrayLike, labels: ArrayLike, times: ArrayLike
) -> Array:
    """Return the representations at given times under the flow, shape (len(times), n, d).

    In closed form: what a sample is apart from its class's mean decays as
    exp(-2 c n t / Z0), and all is scaled to keep Z0. Parameters and errors are those of
    `class_effective_flow`.

    Parameters
    ----------
    times
        Times, zero or positive; infinity is where they end.
    """
    array, members, pairs = _checked(representations, labels)
    norm = _norm(array, pairs)
    at = np.asarray(times, float)
    if at.ndim != 1 or np.isnan(at).any() or (at < 0).any():
        raise InputError("times must be a sequence of numbers, zero or positive.")
    means = _means(array, members)
    rates = 2 * (members.sum(axis=1) @ members) / (pairs * norm)  # (n,)
    with np.errstate(invalid="ignore"):
        decays = np.where(rates == 0, 1.0, np.exp(-np.outer(at, rates)))  # (times, n)
    moved = means + decays[:, :, None] * (array - means)
    return np.asarray(moved * np.sqrt(norm / (moved**2).sum(axis=(1, 2), keepdims=True)))


def _checked(representations: ArrayLike, labels: ArrayLike) -> tuple[Array, Array, int]:
    """Return f, which samples belong to which class (classes, n), and the number of pairs."""
    array = finite_array("representations", representations, (None, None), np.float64)
    numbers = np.asarray(labels)
    if numbers.shape != (len(array),) or not np.issubdtype(numbers.dtype, np.integer):
        raise InputError(
            f"labels must be {len(array)} whole numbers, one for each row of representations."
        )
    members = (np.unique(numbers)[:, None] == numbers).astype(np.float64)
    sizes = members.sum(axis=1)
    return array, members, int((sizes * (sizes - 1) / 2).sum())


def _norm(array: Array, pairs: int) -> float:
    norm = float((array**2).sum())
    if norm == 0.0 or pairs == 0:
        raise InputError(
            "representations are all zero, or no two samples have one label: the effective loss "
            "is not defined."
        )
    return norm


def _means(array: Array, members: Array) -> Array:
    """Return the mean of each sample's class, shape (n, d)."""
    return np.asarray(members.T @ ((members @ array) / members.sum(axis=1, keepdims=True)))
