"""The starts of the published runs, bit for bit, without PyTorch."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from effective_theory import (
    Addition,
    BinaryOperation,
    Dataset,
    InitialState,
    InputError,
    ToyModel,
    permutation_group,
)
from effective_theory.checks import integer
from effective_theory.minibatches import ReleasedBatches
from phase_diagrams.sweeps.registry import system_of
from phase_diagrams.sweeps.seeds import Seed, checked_seed
from phase_diagrams.sweeps.starts import Recipe, register_start, start, stream
from phase_diagrams.sweeps.systems import System
from phase_diagrams.toy.torch_draws import TorchDraws

Array = NDArray[np.float32]
Indices = NDArray[np.int64]
#: What NumPy's generator gives to a start: the split, and the targets where there are any.
Draws = Callable[
    [np.random.RandomState, ToyModel, BinaryOperation, int], tuple[Indices, Array | None]
]


def released_start(
    model: ToyModel, task: BinaryOperation, train_size: int, seed: Seed
) -> tuple[Dataset, InitialState]:
    """Draw the start of the released code of Liu et al. 2022 on addition, bit for bit.

    NumPy's legacy generator takes the first seed and draws targets, the split and then each
    update's minibatch; PyTorch's takes the second and makes embeddings, then the decoder. The
    released code's batch size is 45, so that its runs of more training pairs need that as
    ``batch_size``; with 45 pairs or fewer it is the full batch.

    Parameters
    ----------
    model, task, train_size
        Settings, task and number of training samples.
    seed
        Pair of the seeds of NumPy's and of PyTorch's generator, each below 2^32.

    Returns
    -------
    tuple
        The Dataset and the InitialState.

    Raises
    ------
    InputError
        If a scale is not 1, the task is not addition, or a seed or ``train_size`` is out of range.
    """
    numpy_draws, torch_draws = _begun("released", model, seed)
    drawn, targets = _released_draws(numpy_draws, model, task, train_size)
    embeddings = torch_draws.rand(task.symbols, model.embedding_dim) - np.float32(0.5)
    layers = torch_draws.linear_layers(model.layer_sizes(task))
    state = _state(model, embeddings, layers, targets, seed)
    if model.batch_size is not None:
        batches = ReleasedBatches.after(numpy_draws, drawn)
        state = replace(state, batch_seed=None, released_batches=batches)
    return Dataset(task, drawn), state


def _released_draws(
    draws: np.random.RandomState, model: ToyModel, task: BinaryOperation, train_size: int
) -> tuple[Indices, Array]:
    """Draw what NumPy's generator gives to `released_start`: the split and the targets."""
    _require_addition(task)
    targets = _normal(draws, task, model.outputs(task))
    return _choice(draws, task, train_size), targets


def figure6_start(
    model: ToyModel, task: BinaryOperation, train_size: int, seed: Seed
) -> tuple[Dataset, InitialState]:
    """Draw the start of Figures 6a and 6b of Liu et al. 2022, bit for bit.

    It differs from the released code: NumPy draws an unused (p, 30) matrix first; PyTorch makes an
    unused encoder p-200-200-1 first and the embeddings last. The published seed is 58.

    Cross-entropy starts from the same draws; Figure 6c itself has others (`figure6c_start`).

    Parameters
    ----------
    model, task, train_size
        Settings, task and number of training samples.
    seed
        Pair of the seeds of NumPy's and of PyTorch's generator, each below 2^32.

    Returns
    -------
    tuple
        The Dataset and the InitialState.

    Raises
    ------
    InputError
        If a scale is not 1, the task is not addition, or a seed or ``train_size`` is out of range.
    """
    numpy_draws, torch_draws = _begun("figure6", model, seed)
    drawn, targets = _figure6_draws(numpy_draws, model, task, train_size)
    return Dataset(task, drawn), _behind_encoder(model, task, torch_draws, targets, seed)


def figure6c_start(
    model: ToyModel, task: BinaryOperation, train_size: int, seed: Seed
) -> tuple[Dataset, InitialState]:
    """Draw the start of Figure 6c of Liu et al. 2022, with cross-entropy, bit for bit.

    NumPy draws an unused (p, classes) matrix and, as there are no targets, then the split; PyTorch
    goes on as for Figure 6b. The published seed is 6, and ``adam_epsilon`` 1.9e-7: the published
    loss is divided by the 19 classes.

    Parameters
    ----------
    model, task, train_size
        Settings, task and number of training samples.
    seed
        Pair of the seeds of NumPy's and of PyTorch's generator, each below 2^32.

    Returns
    -------
    tuple
        The Dataset and the InitialState.

    Raises
    ------
    InputError
        If the loss is not "cross_entropy", a scale is not 1, the task is not addition, or a seed or
        ``train_size`` is out of range.
    """
    numpy_draws, torch_draws = _begun("figure6c", model, seed)
    drawn, targets = _figure6c_draws(numpy_draws, model, task, train_size)
    return Dataset(task, drawn), _behind_encoder(model, task, torch_draws, targets, seed)


def _behind_encoder(
    model: ToyModel,
    task: BinaryOperation,
    torch_draws: TorchDraws,
    targets: Array | None,
    seed: Seed,
) -> InitialState:
    """Return a start of the paper's own runs on addition: an unused encoder is made first."""
    torch_draws.linear_layers((task.symbols, 200, 200, 1))
    layers = torch_draws.linear_layers(model.layer_sizes(task))
    embeddings = torch_draws.rand(task.symbols, model.embedding_dim) - np.float32(0.5)
    return _state(model, embeddings, layers, targets, seed)


def _figure6_draws(
    draws: np.random.RandomState, model: ToyModel, task: BinaryOperation, train_size: int
) -> tuple[Indices, Array]:
    """Draw what NumPy's generator gives to `figure6_start`: the split and the targets."""
    _require_addition(task)
    draws.normal(0.0, 1.0, (task.symbols, 30))
    targets = _normal(draws, task, model.target_dim)
    return _choice(draws, task, train_size), targets


def _figure6c_draws(
    draws: np.random.RandomState, model: ToyModel, task: BinaryOperation, train_size: int
) -> tuple[Indices, None]:
    """Draw what NumPy's generator gives to `figure6c_start`: the split, and no targets."""
    _require_addition(task)
    draws.normal(0.0, 1.0, (task.symbols, task.classes))
    return _choice(draws, task, train_size), None


def s3_start(
    model: ToyModel, task: BinaryOperation, train_size: int, seed: Seed
) -> tuple[Dataset, InitialState]:
    """Draw the start of Figure 6d of Liu et al. 2022, permutations of three things, bit for bit.

    PyTorch makes an unused encoder 1-200-200-9 first and the embeddings last. Figure 6d has
    ``embedding_dim`` 9 and seed 0; the released code's re-run of it has ``embedding_scale`` 0.1 and
    ``embedding_penalty`` 1e-3 besides.

    Parameters
    ----------
    model, task, train_size
        Settings, task and number of training samples.
    seed
        Pair of the seeds of NumPy's and of PyTorch's generator, each below 2^32.

    Returns
    -------
    tuple
        The Dataset and the InitialState.

    Raises
    ------
    InputError
        If ``decoder_scale`` is not 1, the task is not ``permutation_group(3)``, or a seed or
        ``train_size`` is out of range.
    """
    numpy_draws, torch_draws = _begun("s3", model, seed)
    drawn, targets = _s3_draws(numpy_draws, model, task, train_size)
    dataset = Dataset(task, drawn)
    torch_draws.linear_layers((1, 200, 200, 9))
    layers = torch_draws.linear_layers(model.layer_sizes(task))
    uniform = torch_draws.rand(task.symbols, model.embedding_dim) - np.float32(0.5)
    embeddings = uniform * np.float32(model.embedding_scale)
    return dataset, _state(model, embeddings, layers, targets, seed)


def _s3_draws(
    draws: np.random.RandomState, model: ToyModel, task: BinaryOperation, train_size: int
) -> tuple[Indices, Array]:
    """Draw what NumPy's generator gives to `s3_start`: the split and the targets."""
    if task != permutation_group(3):
        raise InputError('task must be permutation_group(3) for start "s3"; use start "random".')
    targets = _normal(draws, task, model.outputs(task))
    return _choice(draws, task, train_size), targets


def _require_addition(task: BinaryOperation) -> None:
    if not isinstance(task, Addition):
        raise InputError(
            f"task {task.name} has no such published start: it is addition's; "
            'use Addition or start "random".'
        )


def _begun(name: str, model: ToyModel, seed: Seed) -> tuple[np.random.RandomState, TorchDraws]:
    """Return the generators of a published start, which must apply all settings of the model."""
    start(system_of(model), name).require_honoured(model)
    return _published_generators(seed)


def _published_generators(seed: Seed) -> tuple[np.random.RandomState, TorchDraws]:
    split, initialisation = checked_seed(seed)
    if max(split, initialisation) >= 2**32:
        raise InputError(
            "seeds of a published start must be below 2**32, as its generators demand."
        )
    return np.random.RandomState(split), TorchDraws(initialisation)  # noqa: NPY002


def _normal(draws: np.random.RandomState, task: BinaryOperation, columns: int) -> Array:
    """Targets; the published code draws them even for cross-entropy, which does not use them."""
    return draws.normal(0.0, 1.0, (task.classes, columns)).astype(np.float32)


def _choice(draws: np.random.RandomState, task: BinaryOperation, train_size: int) -> Indices:
    """Return the training samples in the order in which they are drawn."""
    size = integer("train_size", train_size, 0, task.size)
    return draws.choice(task.size, size, replace=False).astype(np.int64)


def _state(
    model: ToyModel,
    embeddings: Array,
    layers: list[tuple[Array, Array]],
    targets: Array | None,
    seed: Seed,
) -> InitialState:
    # The paper's own runs are full batch; minibatches of such a start are ours.
    batched = model.batch_size is not None
    return InitialState(
        embeddings=embeddings,
        weights=(layers[0][0], layers[1][0], layers[2][0]),
        biases=(layers[0][1], layers[1][1], layers[2][1]),
        targets=targets if model.loss == "mse" else None,
        batch_seed=int(stream("batches", seed[1]).integers(2**62)) if batched else None,
    )


@dataclass(frozen=True)
class _PublishedSplit:
    """A published start's split: what NumPy's generator draws, without PyTorch's part."""

    draws: Draws

    def __call__(
        self, model: ToyModel, task: BinaryOperation, train_size: int, seed: Seed
    ) -> Dataset:
        return Dataset(task, self.draws(_published_generators(seed)[0], model, task, train_size)[0])


def register_published_starts(system: System) -> None:
    """Make the published starts known as those of the toy model."""
    scales = frozenset({"embedding_scale", "decoder_scale"})
    of_6c = {"embedding_scale": 1.0, "decoder_scale": 1.0, "loss": "cross_entropy"}

    def register(name: str, recipe: Recipe, draws: Draws, **options: Any) -> None:
        register_start(
            name, recipe, split=_PublishedSplit(draws), split_follows=("target_dim", "loss"),
            system=system, **options,
        )  # fmt: skip

    register("released", released_start, _released_draws, fixed=scales, batches="released")
    register("figure6", figure6_start, _figure6_draws, fixed=scales)
    register("figure6c", figure6c_start, _figure6c_draws, fixed=of_6c)
    register("s3", s3_start, _s3_draws, fixed=frozenset({"decoder_scale"}))
