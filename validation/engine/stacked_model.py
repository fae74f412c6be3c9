"""The toy models of many cells, stacked: each layer is one batched product for all of them.

Derivatives are autograd's: nothing here knows the simulator's formulas.
"""

import itertools
import math
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from effective_theory import BinaryOperation, Dataset, InitialState, ToyModel
from effective_theory.toy_model import Loss
from validation.engine.predictions import nearest
from validation.engine.stacked_rqi import combined

#: Each part of a decoder begins at a whole cache line, in every cell alike.
_ALIGNMENT = 32


@dataclass(frozen=True)
class Shape:
    """What cells must have in common to be stacked.

    Attributes
    ----------
    task
        The task.
    train_size, batch_size
        Training samples, and those of each update; None for all of them.
    sizes
        Units of the decoder's input, two hidden layers and output.
    loss
        The loss.
    is_penalised
        Whether mean |E| is a part of the loss.
    """

    task: BinaryOperation
    train_size: int
    batch_size: int | None
    sizes: tuple[int, int, int, int]
    loss: Loss
    is_penalised: bool

    @classmethod
    def of(cls, model: ToyModel, task: BinaryOperation, train_size: int) -> Self:
        """Return the shape of a model on a task."""
        return cls(
            task=task,
            train_size=train_size,
            batch_size=model.batch_size,
            sizes=model.layer_sizes(task),
            loss=model.loss,
            is_penalised=model.embedding_penalty > 0.0,
        )

    @property
    def side(self) -> int:
        """Side of the matrices that embeddings are; 0 where they add."""
        return self.task.matrix_side(self.sizes[0])

    @property
    def layers(self) -> list[tuple[int, int]]:
        """Outputs and inputs of each layer."""
        return list(zip(self.sizes[1:], self.sizes[:-1], strict=True))

    @property
    def decoder_parts(self) -> list[tuple[int, tuple[int, ...]]]:
        """Where each weight (inputs, outputs), then each bias (outputs,), lies in a cell's row."""
        # An array (inputs, outputs) is what a product's derivative comes as.
        weights = [(inputs, outputs) for outputs, inputs in self.layers]
        sizes: list[tuple[int, ...]] = [*weights, *((outputs,) for outputs, _ in self.layers)]
        ends = itertools.accumulate(_aligned(math.prod(size)) for size in sizes)
        return list(zip([0, *ends], sizes, strict=False))

    @property
    def decoder_size(self) -> int:
        """Numbers of one cell's decoder, padded."""
        begin, size = self.decoder_parts[-1]
        return begin + _aligned(math.prod(size))


class StackedModel:
    """(i, j) -> decoder(E_i + E_j) or decoder(E_i E_j) for each cell.

    Samples are in the order train, then test.

    Parameters
    ----------
    shape
        What the cells have in common.
    cells
        Number of cells.
    device, dtype
        Where the numbers lie, and their type.

    Attributes
    ----------
    embeddings
        Shape (cells, p, d).
    decoder
        All weights and biases, (cells, numbers), padded.
    weights, biases
        Views of it: weights (cells, inputs, outputs), biases (cells, outputs) of each layer.
    """

    def __init__(self, shape: Shape, cells: int, device: torch.device, dtype: torch.dtype) -> None:
        def zeros(*sizes: int, dtype: torch.dtype = dtype) -> Tensor:
            return torch.zeros(cells, *sizes, device=device, dtype=dtype)

        task, outputs = shape.task, shape.sizes[-1]
        self.shape = shape
        self.embeddings = zeros(task.symbols, shape.sizes[0]).requires_grad_()
        self.decoder = zeros(shape.decoder_size)
        parts = [
            self.decoder[:, begin : begin + math.prod(size)].view(cells, *size).requires_grad_()
            for begin, size in shape.decoder_parts
        ]
        self.weights, self.biases = parts[: len(shape.layers)], parts[len(shape.layers) :]
        #: The left symbol of each sample as a row with a one at its place, then the right ones'.
        self._symbols = zeros(2 * task.size, task.symbols)
        self._labels = zeros(task.size, dtype=torch.int64)
        self._targets = zeros(task.classes if shape.loss == "mse" else 0, outputs)
        self._expected = zeros(task.size if shape.loss == "mse" else 0, outputs)

    @property
    def parameters(self) -> list[Tensor]:
        """What is trained: the embeddings, then the decoder's parts as they lie in `decoder`."""
        return [self.embeddings, *self.weights, *self.biases]

    @property
    def state(self) -> list[Tensor]:
        """All that a cell brings along, each with the cells as its first dimension."""
        own = [self._symbols, self._labels, self._targets, self._expected]
        return [self.embeddings.detach(), self.decoder, *own]

    def load(self, cell: int, dataset: Dataset, start: InitialState) -> None:
        """Put a split and a start in a cell's place."""
        task, order = dataset.operation, np.concatenate([dataset.train, dataset.test])
        symbols = np.eye(task.symbols)[task.pairs[order].T.ravel()]
        labels = task.labels[order]
        weights = [weight.T for weight in start.weights]
        given = [start.embeddings, *weights, *start.biases, symbols, labels]
        places = [*self.parameters, self._symbols, self._labels]
        if self.shape.loss == "mse":
            assert start.targets is not None
            given += [start.targets, start.targets[labels]]
            places += [self._targets, self._expected]
        self.decoder[cell] = 0.0
        with torch.no_grad():
            for place, values in zip(places, given, strict=True):
                place[cell].copy_(torch.from_numpy(np.array(values)))

    def outputs(self) -> Tensor:
        """Return the decoder's outputs, (cells, samples, outputs)."""
        # A product, whose derivative is one too: gathering has one that sums in any order.
        left, right = torch.bmm(self._symbols, self.embeddings).chunk(2, dim=1)
        h = combined(left, right, self.shape.side)
        (w1, w2, w3), (b1, b2, b3) = self.weights, self.biases
        h = torch.baddbmm(b1[:, None], h, w1).tanh()
        h = torch.baddbmm(b2[:, None], h, w2).tanh()
        return torch.baddbmm(b3[:, None], h, w3)

    def sample_losses(self, outputs: Tensor) -> Tensor:
        """Return the loss of each sample, (cells, samples)."""
        if self.shape.loss == "mse":
            return (outputs - self._expected).square().mean(dim=2)
        flat = cross_entropy(outputs.flatten(0, 1), self._labels.flatten(), reduction="none")
        return flat.view_as(self._labels)

    def is_right(self, outputs: Tensor) -> Tensor:
        """Return which samples are predicted right, (cells, samples)."""
        is_mse = self.shape.loss == "mse"
        predicted = nearest(outputs, self._targets) if is_mse else outputs.argmax(dim=2)
        return predicted == self._labels

    def gradients(self, loss: Tensor) -> list[Tensor]:
        """Return the derivatives of the cells' summed loss with respect to `parameters`.

        No cell's loss depends on another's numbers: the derivative of the sum is each one's own.
        """
        return list(torch.autograd.grad(loss.sum(), self.parameters))

    def is_finite(self) -> Tensor:
        """Return for each cell whether all its parameters are finite."""
        kinds = (self.embeddings.detach().flatten(1), self.decoder)
        extremes = torch.stack([extreme for numbers in kinds for extreme in _extremes(numbers)])
        return (extremes.abs() < math.inf).all(dim=0)


def _extremes(numbers: Tensor) -> tuple[Tensor, Tensor]:
    """Return the least and the largest number of each cell, NaN if one of them is."""
    if numbers.is_cuda:
        # One pass over the memory, but on a CPU the slower one.
        least, largest = numbers.aminmax(dim=1)
        return least, largest
    return numbers.amin(dim=1), numbers.amax(dim=1)


def _aligned(numbers: int) -> int:
    return math.ceil(numbers / _ALIGNMENT) * _ALIGNMENT
