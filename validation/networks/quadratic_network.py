"""The quadratic network of Mohamadi, Li, Wu and Sutherland."""

import torch
from torch import Tensor, nn

from effective_theory.checks import integer
from validation.networks.pair_network import PairNetwork


class QuadraticNetwork(PairNetwork):
    """The quadratic network f(a, b) = V (W [e_a; e_b])^2, without biases (Mohamadi et al. 2024).

    The square is elementwise. W (width, 2 symbols) reads two one-hot vectors, V (classes, width)
    writes the logits. Weights begin as torch.nn.Linear does, uniform within 1 / sqrt(fan-in).

    Parameters
    ----------
    symbols, classes
        As for every network on pairs.
    width
        Number of hidden units h.
    """

    has_fold = True

    def __init__(self, symbols: int, classes: int, *, width: int) -> None:
        super().__init__(symbols, classes)
        self.first = nn.Linear(2 * symbols, integer("width", width, 1), bias=False)
        self.second = nn.Linear(width, classes, bias=False)

    @property
    def embeddings(self) -> Tensor:
        """The first layer's weights of the first symbol, shape (symbols, width)."""
        return self.first.weight[:, : self.symbols].T

    def forward(self, pairs: Tensor) -> Tensor:
        """Return logits (n, classes) of pairs (n, 2)."""
        one_hot = nn.functional.one_hot(pairs, self.symbols).to(self.first.weight.dtype)
        logits: Tensor = self.second(self.first(one_hot.flatten(1)).square())
        return logits

    def folded(self, pairs: Tensor) -> Tensor:
        """Return the same logits; of a one-hot vector's product a row is looked up."""
        logits: Tensor = self.second(self.units(pairs).square())
        return logits

    def units(self, pairs: Tensor) -> Tensor:
        """Return z(a, b) = W [e_a; e_b], shape (n, width)."""
        rows = self.first.weight.T
        return rows[pairs[:, 0]] + rows[self.symbols + pairs[:, 1]]

    @torch.no_grad()
    def set_weights(self, first: Tensor, second: Tensor) -> "QuadraticNetwork":
        """Give it weights W (width, 2 symbols) and V (classes, width), and return it."""
        self.first.weight.copy_(first)
        self.second.weight.copy_(second)
        return self
