"""What all networks on pairs of symbols share."""

from collections.abc import Iterator
from typing import Literal, cast

import torch
from torch import Tensor, nn

from effective_theory import BinaryOperation, InputError, Task
from effective_theory.checks import integer, of_type
from validation.networks.network import Network

#: "fan_in": normal weights of variance 1/fan-in, biases 0; "torch": as torch's modules begin.
Initialisation = Literal["fan_in", "torch"]


class PairNetwork(Network):
    """A network on pairs of symbols; inputs are pairs (n, 2), int64.

    Parameters
    ----------
    symbols
        Number of symbols p.
    classes
        Number of labels.
    """

    def __init__(self, symbols: int, classes: int) -> None:
        super().__init__(classes)
        self.symbols = integer("symbols", symbols, 1)

    def inputs_of(self, task: Task) -> Tensor:
        """Return the pairs of all samples, shape (N, 2).

        Raises
        ------
        InputError
            If the task is no operation on symbols, or has other numbers of symbols and labels.
        """
        example = 'an operation such as ModularOperation("x+y", 31)'
        operation = of_type("task", task, BinaryOperation, example)  # type: ignore[type-abstract]
        if (self.symbols, self.classes) != (operation.symbols, operation.classes):
            raise InputError(
                f"network has {self.symbols} symbols and {self.classes} classes, the task "
                f"{operation.symbols} and {operation.classes}."
            )
        return torch.tensor(operation.pairs)

    @property
    def embeddings(self) -> Tensor:
        """What stands for each symbol first, shape (symbols, d)."""
        raise NotImplementedError

    @property
    def state(self) -> Tensor:
        """The embeddings."""
        return self.embeddings

    def representation_parameters(self) -> Iterator[nn.Parameter]:
        """Yield the symbols' embeddings."""
        for module in self.modules():
            if isinstance(module, nn.Embedding):
                yield cast(nn.Parameter, module.weight)
