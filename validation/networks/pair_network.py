"""What all networks on pairs of symbols share: pairs go in, logits come out."""

from collections.abc import Iterator
from typing import Literal, cast

from torch import Tensor, nn

from effective_theory.checks import integer

#: "fan_in": normal weights of variance 1/fan-in, biases 0; "torch": as torch's modules begin.
Initialisation = Literal["fan_in", "torch"]


class PairNetwork(nn.Module):
    """A network on pairs of symbols.

    Parameters
    ----------
    symbols
        Number of symbols p.
    classes
        Number of labels.
    """

    #: Whether `folded` is more than the plain forward pass.
    has_fold = False

    def __init__(self, symbols: int, classes: int) -> None:
        super().__init__()
        self.symbols = integer("symbols", symbols, 1)
        self.classes = integer("classes", classes, 1)

    def forward(self, pairs: Tensor) -> Tensor:
        """Return logits (n, classes) of pairs (n, 2) of symbols, int64."""
        raise NotImplementedError

    def folded(self, pairs: Tensor) -> Tensor:
        """Return the same logits with less arithmetic, where there is such a way.

        It computes what does not depend on a whole pair once for each symbol; the function is the
        same exactly, its rounding another. Not with dropout, which draws for each pair.
        """
        return self.forward(pairs)

    @property
    def embeddings(self) -> Tensor:
        """What stands for each symbol first, shape (symbols, d)."""
        raise NotImplementedError

    @property
    def uses_dropout(self) -> bool:
        """Whether forward draws random numbers in training."""
        return any(isinstance(m, nn.Dropout) and m.p > 0 for m in self.modules())

    def embedding_parameters(self) -> Iterator[nn.Parameter]:
        """Yield the symbols' embeddings, which may have rates of their own."""
        for module in self.modules():
            if isinstance(module, nn.Embedding):
                yield cast(nn.Parameter, module.weight)

    def decoder_parameters(self) -> Iterator[nn.Parameter]:
        """Yield all other parameters."""
        apart = {id(parameter) for parameter in self.embedding_parameters()}
        yield from (p for p in self.parameters() if id(p) not in apart)
