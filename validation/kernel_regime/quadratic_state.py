"""A quadratic network as arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from validation.networks.quadratic_network import QuadraticNetwork

Array = NDArray[np.float64]
Pairs = NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class QuadraticState:
    """The weights of a quadratic network, in float64, and what it computes.

    Attributes
    ----------
    first
        W, shape (h, 2 p).
    second
        V, shape (p, h).
    """

    first: Array
    second: Array

    @classmethod
    def of(cls, network: QuadraticNetwork) -> "QuadraticState":
        """Return a copy of a network's weights."""
        first, second = (
            each.weight.detach().cpu().double().numpy().copy()
            for each in (network.first, network.second)
        )
        return cls(first, second)

    def units(self, pairs: Pairs) -> Array:
        """Return the hidden units z(a, b) = W [e_a; e_b] of pairs (n, 2), shape (n, h)."""
        return np.asarray(self.first.T[pairs[:, 0]] + self.first.T[self._symbols + pairs[:, 1]])

    def logits(self, pairs: Pairs) -> Array:
        """Return the logits f(a, b) of pairs (n, 2), shape (n, p)."""
        return np.asarray(self.units(pairs) ** 2 @ self.second.T)

    @property
    def largest_entry(self) -> float:
        """The l_inf norm of all weights."""
        return float(np.abs(self.parameters).max())

    @property
    def parameters(self) -> Array:
        """All weights in a row, W before V."""
        return np.concatenate([self.first.ravel(), self.second.ravel()])

    @property
    def _symbols(self) -> int:
        return int(self.first.shape[1]) // 2
