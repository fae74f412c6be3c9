"""How representations of classes move: the effective loss for classification.

Representations of samples with the same label attract each other, as sums of embeddings do for
addition (Liu et al. 2022, appendix I): l_eff = l0 / Z0 with l0 = c sum over unordered pairs of
samples with the same label |f(x) - f(y)|^2, c = 1 over the number of those pairs, Z0 = sum |f|^2.
Under its gradient flow each class becomes one point, its mean times a factor that keeps Z0.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from effective_theory.checks import (
    InputError,
    above_rounding,
    finite_array,
    number_array,
    refuse_masked,
    squared_norm,
)

Array = NDArray[np.float64]


def class_effective_loss(representations: ArrayLike, labels: ArrayLike) -> float:
    """Return the effective loss l_eff = l0 / Z0 of the representations of labelled samples.

    l0 is the mean of |f(x) - f(y)|^2 over the unordered pairs of samples with the same label, and
    Z0 = sum |f|^2 (Liu et al. 2022, appendix I).

    Parameters
    ----------
    representations
        Representations f of the samples, shape (n, d).
    labels
        Their labels, shape (n,), whole numbers.

    Returns
    -------
    float
        0 where each class is one point; NaN, that is undefined, where all representations are zero
        or no two samples have the same label.

    Raises
    ------
    InputError
        If shapes do not fit, a number is not finite, labels are not whole numbers, or the largest
        representation, where it is not 0, is not between 1e-100 and 1e100 in size.
    """
    classes = _Classes.of(representations, labels)
    return classes.loss / classes.norm if classes.has_loss else math.nan


def class_effective_flow(representations: ArrayLike, labels: ArrayLike) -> Array:
    """Return the velocity df/dt = -grad l_eff of each representation under the effective loss.

    df/dt = -(2 c / Z0) n_s (f - mean of its class) + (2 l0 / Z0^2) f, with n_s samples in the class
    and c = 1 over the number of pairs with the same label (Liu et al. 2022, appendix I). Z0 is
    conserved. The centre C = sum f obeys dC/dt = (2 l0 / Z0^2) C, so that it is conserved where it
    is 0.

    Parameters
    ----------
    representations
        Representations f of the samples, shape (n, d).
    labels
        Their labels, shape (n,), whole numbers.

    Returns
    -------
    numpy.ndarray
        df/dt, shape (n, d).

    Raises
    ------
    InputError
        If an argument is refused by `class_effective_loss`, all representations are zero, or no two
        samples have the same label.
    """
    classes = _Classes.of(representations, labels).required()
    # In this order no square of the norm leaves float64's range.
    outwards = 2 * classes.loss / classes.norm / classes.norm * classes.array
    return np.asarray(outwards - classes.rates[:, None] * (classes.array - classes.means))


def class_effective_trajectory(
    representations: ArrayLike, labels: ArrayLike, times: ArrayLike
) -> Array:
    """Return the representations at given times under the flow of the effective loss.

    In closed form: the deviation of a sample from the mean of its class decays as
    exp(-2 c n_s t / Z0), and everything is scaled by one factor to keep Z0.

    Parameters
    ----------
    representations
        Representations f at time 0, shape (n, d).
    labels
        Labels of the samples, shape (n,), whole numbers.
    times
        Times, zero or positive, shape (times,); infinity gives the final state.

    Returns
    -------
    numpy.ndarray
        The representations at each time, shape (times, n, d).

    Raises
    ------
    InputError
        If an argument is refused by `class_effective_flow`, or times are not a sequence of numbers
        that are zero or positive.
    """
    classes = _Classes.of(representations, labels).required()
    at = number_array("times", times, (None,), np.float64)
    if not (at >= 0).all():
        raise InputError("times must be zero or positive.")
    # Only ratios matter: where all means are zero, the slowest deviation that is present sets the
    # scale. Each sample has its class's rate, which is not 0. What rounding leaves of a zero is
    # none that time should lift to the size of the whole.
    size = float(np.abs(classes.array).max())
    has_means = bool(above_rounding(classes.means, size).any())
    means = classes.means if has_means else np.zeros_like(classes.means)
    own = classes.array - means
    slowest = 0.0 if has_means else classes.rates[above_rounding(own, size)].min()
    rates = classes.rates - slowest
    with np.errstate(invalid="ignore"):  # 0 times infinity is the 0 of what does not decay
        exponents = np.nan_to_num(np.outer(at, np.maximum(rates, 0.0)), nan=0.0, posinf=np.inf)
    moved = means + np.exp(-exponents)[:, :, None] * own  # (times, n, d)
    return np.asarray(moved * np.sqrt(classes.norm / (moved**2).sum(axis=(1, 2), keepdims=True)))


@dataclass(frozen=True, eq=False)
class _Classes:
    """Representations with what the effective loss needs to know of their classes."""

    array: Array
    means: Array
    counts: Array
    pairs: int

    @classmethod
    def of(cls, representations: ArrayLike, labels: ArrayLike) -> Self:
        """Check f (n, d) and labels (n,), and take the mean and size of each sample's class."""
        array = finite_array("representations", representations, (None, None), np.float64)
        refuse_masked("labels", labels)
        numbers = np.asarray(labels)
        if numbers.shape != (len(array),) or not np.issubdtype(numbers.dtype, np.integer):
            raise InputError(
                f"labels must be {len(array)} whole numbers, one for each row of representations."
            )
        _, of_sample, sizes = np.unique(numbers, return_inverse=True, return_counts=True)
        sums = np.zeros((len(sizes), array.shape[1]))
        np.add.at(sums, of_sample, array)
        means = (sums / sizes[:, None])[of_sample]
        counts = sizes[of_sample].astype(np.float64)
        return cls(array, means, counts, int((sizes * (sizes - 1)).sum()) // 2)

    @cached_property
    def norm(self) -> float:
        """Z0."""
        return squared_norm("representations", self.array)

    @property
    def has_loss(self) -> bool:
        """Whether the effective loss is defined."""
        return self.norm > 0 and self.pairs > 0

    def required(self) -> Self:
        """Return itself, or raise InputError where the effective loss is not defined."""
        if not self.has_loss:
            raise InputError(
                "representations are all zero, or no two samples have the same label: the "
                "effective loss is not defined."
            )
        return self

    @property
    def loss(self) -> float:
        """l0: over the pairs of a class |f - g|^2 sums to n sum |f - mean|^2."""
        return float((self.counts[:, None] * (self.array - self.means) ** 2).sum()) / self.pairs

    @property
    def rates(self) -> Array:
        """2 c n / Z0 of each sample, with which it nears its class's mean; shape (n,)."""
        return np.asarray(2 * self.counts / (self.pairs * self.norm))
