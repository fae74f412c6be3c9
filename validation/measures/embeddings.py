"""Order in embeddings of the residues modulo p: frequencies, dimension, circles.

Each is a number between that of random embeddings and that of perfect order, so it means little
without the former: `beside_random` gives both.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from effective_theory.checks import (
    InputError,
    RandomSource,
    finite_array,
    integer,
    random_generator,
)

Array = NDArray[np.floating[Any]]


def frequency_shares(embeddings: Array) -> NDArray[np.float64]:
    """Return the share of each frequency in the power of embeddings, shape (p // 2,).

    With e_k = sum_a E_a exp(-2 pi i k a / p) the power of frequency k is |e_k|^2, summed over the
    columns, and that of -k; k = 0, the mean, is left out. Nanda et al. (2023), section 4.1.

    Parameters
    ----------
    embeddings
        Shape (p, d), p at least 3.

    Raises
    ------
    InputError
        If embeddings are no finite matrix, or do not differ.
    """
    values = _checked(embeddings)
    power = (np.abs(np.fft.fft(_centred(values), axis=0)) ** 2).sum(axis=1)
    p = len(values)
    frequencies = np.arange(1, p // 2 + 1)
    # Of an even p the last frequency is its own opposite.
    both = np.where(2 * frequencies == p, 0.5, 1.0) * (power[frequencies] + power[p - frequencies])
    return _shares(both)


def top_frequency_power(embeddings: Array, count: int) -> float:
    """Return the share of the ``count`` strongest frequencies; see `frequency_shares`."""
    shares = np.sort(frequency_shares(embeddings))[::-1]
    return float(shares[: integer("count", count, 1)].sum())


def effective_dimension(embeddings: Array) -> float:
    """Return exp(S), S the entropy of the principal components' shares of the variance.

    From 1, where all lie on a line, to min(d, p - 1). Liu et al. (2022), section 4.2.

    Parameters
    ----------
    embeddings
        Shape (p, d), p at least 3.

    Raises
    ------
    InputError
        If embeddings are no finite matrix, or do not differ.
    """
    values = _checked(embeddings)
    singular = np.linalg.svd(_centred(values), compute_uv=False)
    shares = _shares(singular**2)
    shares = shares[shares > 0]
    return float(np.exp(-(shares * np.log(shares)).sum()))


@dataclass(frozen=True)
class Circle:
    """How well the first two principal components of embeddings form a circle.

    Attributes
    ----------
    frequency
        The k of the best circle: symbol a stands at the angle 2 pi k a / p.
    r_squared
        Share of the variance in the plane that x_a = c + u cos(2 pi k a / p) + v sin(..) explains.
    radius_spread
        Standard deviation of the distances from the centre, divided by their mean.
    """

    frequency: int
    r_squared: float
    radius_spread: float


def circle(embeddings: Array) -> Circle:
    """Return the circle that the first two principal components of embeddings are nearest to.

    Parameters
    ----------
    embeddings
        Shape (p, d), p at least 3.

    Raises
    ------
    InputError
        If embeddings are no finite matrix of two columns or more, or do not differ.
    """
    values = _checked(embeddings)
    if values.shape[1] < 2:
        raise InputError("embeddings must have at least two columns for a circle.")
    left, singular, _ = np.linalg.svd(_centred(values), full_matrices=False)
    plane = left[:, :2] * singular[:2]
    # Cosine and sine are orthogonal: what they explain is what the transform has at k.
    shares = frequency_shares(plane)
    best = int(shares.argmax())
    radii = np.linalg.norm(plane, axis=1)
    return Circle(best + 1, float(shares[best]), float(radii.std() / radii.mean()))


def differ(embeddings: Array) -> bool:
    """Return whether any two embeddings differ: those that are all the same have no order."""
    return bool((embeddings != embeddings[:1]).any())


def beside_random(
    measure: Callable[[NDArray[np.float64]], float],
    embeddings: Array,
    *,
    rng: RandomSource,
    draws: int = 20,
) -> tuple[float, float]:
    """Return a measure of embeddings, and its mean over normal ones of that shape.

    Parameters
    ----------
    measure
        Such as `effective_dimension`.
    embeddings
        Shape (p, d).
    rng
        Draws the normal ones.
    draws
        How many.

    Returns
    -------
    measured, random
        The measure of the embeddings, and the mean over the draws.

    Examples
    --------
    >>> ordered, random = beside_random(effective_dimension, np.ones((5, 3)).cumsum(axis=0), rng=0)
    >>> round(ordered, 6), round(random)
    (1.0, 2)
    """
    values, generator = _checked(embeddings), random_generator(rng)
    drawn = [
        measure(generator.normal(size=values.shape)) for _ in range(integer("draws", draws, 1))
    ]
    return measure(values), math.fsum(drawn) / len(drawn)


def _checked(embeddings: Array) -> NDArray[np.float64]:
    values: NDArray[np.float64] = finite_array("embeddings", embeddings, (None, None), np.float64)
    if len(values) < 3:
        raise InputError("embeddings must be those of at least three symbols.")
    if not differ(values):
        raise InputError("embeddings must differ; all are the same.")
    return values


def _centred(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return embeddings less their mean, of a size whose square is a number, by a power of two."""
    centred = values - values.mean(axis=0)
    _, exponent = np.frexp(np.abs(centred).max())
    return np.asarray(np.ldexp(centred, -int(exponent)))


def _shares(power: Array) -> NDArray[np.float64]:
    return np.asarray(power / power.sum())
