"""The small cross-check: two embeddings, concatenated, and one hidden layer."""

import torch
from torch import Tensor, nn

from effective_theory.checks import integer
from validation.networks.pair_network import PairNetwork


class ConcatNetwork(PairNetwork):
    """The embeddings of x and y, concatenated, through one hidden ReLU layer ("simple").

    Weights begin as torch's modules do.

    Parameters
    ----------
    symbols, classes
        As for every network on pairs.
    dimension
        Dimension of each embedding.
    width
        Units of the hidden layer.
    """

    has_fold = True

    def __init__(
        self, symbols: int, classes: int, *, dimension: int = 128, width: int = 128
    ) -> None:
        super().__init__(symbols, classes)
        self.embedding = nn.Embedding(symbols, integer("dimension", dimension, 1))
        self.inner = nn.Linear(2 * dimension, integer("width", width, 1))
        self.output = nn.Linear(width, classes)

    @property
    def embeddings(self) -> Tensor:
        """The symbols' embeddings."""
        return self.embedding.weight

    def forward(self, pairs: Tensor) -> Tensor:
        """Return logits (n, classes) of pairs (n, 2)."""
        logits: Tensor = self.output(self.inner(self.embedding(pairs).flatten(1)).relu())
        return logits

    def folded(self, pairs: Tensor) -> Tensor:
        """Return the same logits; each symbol meets each half of the hidden layer once."""
        left, right = self.inner.weight.chunk(2, dim=1)
        first, second = self.embedding.weight @ left.T, self.embedding.weight @ right.T
        entered = first[pairs[:, 0]] + second[pairs[:, 1]] + self.inner.bias
        logits: Tensor = self.output(torch.relu(entered))
        return logits
