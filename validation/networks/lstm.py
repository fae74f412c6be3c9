"""The LSTM of Hu, Zhou and Yu."""

from torch import Tensor, nn

from effective_theory.checks import integer
from validation.networks.pair_network import PairNetwork


class LSTM(PairNetwork):
    """An LSTM that reads x and then y; its last hidden state is read by a linear layer.

    It is that of Hu, Zhou and Yu. The papers do not say how symbols enter: here as embeddings of as
    many numbers as there are hidden units. Weights begin as torch's modules do.

    Parameters
    ----------
    symbols, classes
        As for every network on pairs.
    hidden
        Units of the hidden state.
    """

    def __init__(self, symbols: int, classes: int, *, hidden: int = 20) -> None:
        super().__init__(symbols, classes)
        self.embedding = nn.Embedding(symbols, integer("hidden", hidden, 1))
        self.recurrent = nn.LSTM(hidden, hidden, batch_first=True)
        self.output = nn.Linear(hidden, classes)

    @property
    def embeddings(self) -> Tensor:
        """The symbols' embeddings."""
        return self.embedding.weight

    def forward(self, pairs: Tensor) -> Tensor:
        """Return logits (n, classes) of pairs (n, 2)."""
        states, _ = self.recurrent(self.embedding(pairs))
        logits: Tensor = self.output(states[:, -1])
        return logits
