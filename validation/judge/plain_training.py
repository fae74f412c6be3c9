"""The toy model as a PyTorch user would write it: one module, autograd and torch.optim.AdamW.

It shares nothing with the simulator's arithmetic, and is what the simulator is judged by.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from effective_theory import BinaryOperation, Dataset, InitialState, InputError, ToyModel
from effective_theory.checks import integer, is_sequence, of_type, shown
from effective_theory.task import require_operation
from validation.engine.predictions import nearest


class PlainToyModel(nn.Module):
    """(i, j) -> decoder(E_i + E_j) or decoder(E_i E_j), started from the simulator's initial state.

    Parameters
    ----------
    model, task, state
        Hyper-parameters, how embeddings combine, and start.
    dtype
        Type of all numbers.

    Raises
    ------
    InputError
        If the task is no operation on symbols, or the state is another model's.
    """

    def __init__(
        self, model: ToyModel, task: BinaryOperation, state: InitialState, dtype: torch.dtype
    ) -> None:
        super().__init__()
        require_operation(task)
        of_type("state", state, InitialState, "an InitialState")
        state.require_fit(model, task)
        self.embeddings = nn.Parameter(_tensor(state.embeddings, dtype))
        layers: list[nn.Module] = []
        for weight, bias in zip(state.weights, state.biases, strict=True):
            linear = nn.Linear(weight.shape[1], weight.shape[0], dtype=dtype)
            linear.weight.data, linear.bias.data = _tensor(weight, dtype), _tensor(bias, dtype)
            layers += [linear, nn.Tanh()]
        self.decoder = nn.Sequential(*layers[:-1])
        self.targets = _tensor(state.targets, dtype) if state.targets is not None else None
        self.is_mse = model.loss == "mse"
        self.penalty = model.embedding_penalty
        self.side = task.matrix_side(model.embedding_dim)

    def forward(self, pairs: Tensor) -> Tensor:
        """Return the decoder's outputs (samples, outputs) for pairs (samples, 2)."""
        left, right = self.embeddings[pairs].unbind(dim=1)
        if self.side == 0:
            return cast(Tensor, self.decoder(left + right))
        square = (-1, self.side, self.side)
        products = left.reshape(square) @ right.reshape(square)
        return cast(Tensor, self.decoder(products.flatten(1)))

    def loss(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Return the mean loss, without penalty."""
        if self.is_mse:
            assert self.targets is not None
            return nn.functional.mse_loss(outputs, self.targets[labels])
        return nn.functional.cross_entropy(outputs, labels)

    def accuracy(self, outputs: Tensor, labels: Tensor) -> float:
        """Return the share of right predictions."""
        if self.is_mse:
            assert self.targets is not None
            predicted = nearest(outputs, self.targets)
        else:
            predicted = outputs.argmax(dim=1)
        return int((predicted == labels).sum()) / len(labels)


@dataclass(frozen=True)
class Snapshot:
    """Measurements of the state after some updates.

    Attributes
    ----------
    update
        Number of completed updates.
    train_loss
        Mean loss over the training samples, without penalty.
    train_accuracy, test_accuracy
        Shares of right predictions.
    network
        The network itself, which goes on training when the next snapshot is asked for.
    """

    update: int
    train_loss: float
    train_accuracy: float
    test_accuracy: float
    network: PlainToyModel


def plain_training(
    model: ToyModel,
    dataset: Dataset,
    state: InitialState,
    *,
    updates: int,
    dtype: torch.dtype = torch.float64,
    batches: Sequence[Sequence[int]] | None = None,
) -> Iterator[Snapshot]:
    """Train with PyTorch alone and yield the measurements of each state from 0 to ``updates``.

    Parameters
    ----------
    model, dataset, state
        As for `effective_theory.train`.
    updates
        Number of updates.
    dtype
        torch.float32 or torch.float64, type of all numbers.
    batches
        Positions within the training set that each update uses; all of them by default.

    Raises
    ------
    InputError
        If an argument is wrong, or the arguments do not fit each other.
    """
    require_cell(model, dataset, state)
    updates = integer("updates", updates, 0)
    if dtype not in (torch.float32, torch.float64):
        raise InputError(f"dtype must be torch.float32 or torch.float64, not {shown(dtype)}.")
    if batches is not None:
        _require_batches(batches, updates, dataset.train_size)
    return _snapshots(model, dataset, state, updates, dtype, batches)


def require_cell(model: ToyModel, dataset: Dataset, state: InitialState) -> None:
    """Check that model, dataset and initial state are what they are called, and fit each other.

    Raises
    ------
    InputError
        If one of them is something else, or the state is another model's.
    """
    of_type("model", model, ToyModel, "a ToyModel")
    of_type("dataset", dataset, Dataset, "a Dataset such as Dataset.split() returns")
    of_type("state", state, InitialState, "an InitialState")
    state.require_fit(model, dataset.operation)


def _require_batches(batches: Sequence[Sequence[int]], updates: int, train_size: int) -> None:
    """Raise InputError unless there are positions of training samples for each update."""
    if not is_sequence(batches) or len(batches) < updates:
        raise InputError(f"batches must be a sequence for each of the {updates} updates.")
    for update, batch in enumerate(batches[:updates]):
        positions = np.asarray(batch)
        is_right = positions.ndim == 1 and positions.size and positions.dtype.kind in "iu"
        if not (is_right and 0 <= positions.min() and positions.max() < train_size):
            raise InputError(
                f"batches[{update}] must hold positions from 0 to {train_size - 1} "
                f"in the training set, not {shown(batch)}."
            )


def _snapshots(
    model: ToyModel,
    dataset: Dataset,
    state: InitialState,
    updates: int,
    dtype: torch.dtype,
    batches: Sequence[Sequence[int]] | None,
) -> Iterator[Snapshot]:
    """Train and yield the measurements of each state."""
    network = PlainToyModel(model, dataset.operation, state, dtype)
    optimiser = torch.optim.AdamW(
        [
            {
                "params": [network.embeddings],
                "lr": model.embedding_lr,
                "weight_decay": model.embedding_weight_decay,
            },
            {
                "params": list(network.decoder.parameters()),
                "lr": model.decoder_lr,
                "weight_decay": model.decoder_weight_decay,
            },
        ],
        eps=model.adam_epsilon,
    )
    pairs, labels = torch.tensor(dataset.operation.pairs), torch.tensor(dataset.operation.labels)
    train, test = torch.tensor(dataset.train), torch.tensor(dataset.test)
    for update in range(updates + 1):
        with torch.no_grad():
            outputs = network(pairs)
            snapshot = Snapshot(
                update,
                float(network.loss(outputs[train], labels[train])),
                network.accuracy(outputs[train], labels[train]),
                network.accuracy(outputs[test], labels[test]),
                network,
            )
        yield snapshot
        if update == updates:
            return
        batch = train if batches is None else train[list(batches[update])]
        optimiser.zero_grad()
        loss = network.loss(network(pairs[batch]), labels[batch])
        if network.penalty:
            loss = loss + network.penalty * network.embeddings.abs().mean()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()


def _tensor(values: np.ndarray, dtype: torch.dtype) -> Tensor:
    return torch.tensor(np.array(values), dtype=dtype)
