"""The MLP of Hu, Zhou and Yu, with the ways in which a pair can enter it."""

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from effective_theory import InputError
from effective_theory.checks import integer, shown
from validation.networks.pair_network import PairNetwork

#: "concatenated": two one-hot vectors one after the other; "summed": their sum, in which (x, y) and
#: (y, x) are one; "embedded": an embedding of each, concatenated.
Inputs = Literal["concatenated", "summed", "embedded"]


class MLP(PairNetwork):
    """Hidden ReLU layers on a pair of symbols (Hu, Zhou and Yu).

    Weights begin as torch.nn.Linear does.

    Parameters
    ----------
    symbols, classes
        As for every network on pairs.
    width
        Units of each hidden layer.
    layers
        Number of hidden layers.
    inputs
        How a pair enters: "concatenated", two one-hot vectors one after the other; "summed", their
        sum, in which (x, y) and (y, x) are one; "embedded", an embedding of each, concatenated.
    dimension
        Dimension of the embeddings, where there are any.
    """

    has_fold = True

    def __init__(
        self,
        symbols: int,
        classes: int,
        *,
        width: int = 512,
        layers: int = 2,
        inputs: Inputs = "concatenated",
        dimension: int = 128,
    ) -> None:
        super().__init__(symbols, classes)
        if not isinstance(inputs, str) or inputs not in get_args(Inputs):
            raise InputError(f"inputs must be one of {get_args(Inputs)}, not {shown(inputs)}.")
        self.inputs = inputs
        self.embedding = nn.Embedding(symbols, dimension) if inputs == "embedded" else None
        columns = {"concatenated": 2 * symbols, "summed": symbols, "embedded": 2 * dimension}
        self.first = nn.Linear(columns[inputs], integer("width", width, 1))
        self.hidden = nn.ModuleList(
            nn.Linear(width, width) for _ in range(integer("layers", layers, 1) - 1)
        )
        self.output = nn.Linear(width, classes)

    @property
    def embeddings(self) -> Tensor:
        """The symbols' embeddings, or the first layer's weights of the first symbol."""
        if self.embedding is not None:
            return self.embedding.weight
        return self.first.weight[:, : self.symbols].T

    def forward(self, pairs: Tensor) -> Tensor:
        """Return logits (n, classes) of pairs (n, 2)."""
        return self._behind(self.first(self._inputs(pairs)))

    def folded(self, pairs: Tensor) -> Tensor:
        """Return the same logits; of a one-hot vector's product a row is looked up."""
        if self.inputs == "embedded":
            return self.forward(pairs)
        rows = self.first.weight.T
        second = rows if self.inputs == "summed" else rows[self.symbols :]
        return self._behind(rows[pairs[:, 0]] + second[pairs[:, 1]] + self.first.bias)

    def _inputs(self, pairs: Tensor) -> Tensor:
        if self.embedding is not None:
            embedded: Tensor = self.embedding(pairs).flatten(1)
            return embedded
        one_hot = nn.functional.one_hot(pairs, self.symbols).to(self.first.weight.dtype)
        return one_hot.sum(dim=1) if self.inputs == "summed" else one_hot.flatten(1)

    def _behind(self, entered: Tensor) -> Tensor:
        """Return the logits behind the first layer."""
        values = torch.relu(entered)
        for layer in self.hidden:
            values = layer(values).relu()
        logits: Tensor = self.output(values)
        return logits
