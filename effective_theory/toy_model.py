"""The toy model: its hyper-parameters and the numbers that training starts from."""

import math
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from effective_theory.checks import (
    InputError,
    RandomSource,
    finite_array,
    fraction,
    integer,
    non_negative,
    of_type,
    random_generator,
)
from effective_theory.minibatches import Minibatches, ReleasedBatches, SeededBatches
from effective_theory.task import BinaryOperation, require_operation

Array = NDArray[np.float32]
Loss = Literal["mse", "cross_entropy"]
StopWhen = Literal["accuracies", "all", "never"]
#: Steps that a run waits for, by its ``stop_when``.
AWAITED: dict[StopWhen, tuple[str, ...]] = {
    "accuracies": ("train_step", "test_step"),
    "all": ("train_step", "test_step", "rqi_step"),
    "never": (),
}

#: Above this one layer alone would take a gigabyte.
MOST_UNITS = 16_384
MOST_STEPS = 10**12
#: A start scaled up so far still has room in float32.
LARGEST_SCALE = 1e30
#: Below this float32 would lose Adam's epsilon, and a gradient of zero would make 0 / 0.
LEAST_EPSILON = 1e-30


@dataclass(frozen=True)
class ToyModel:
    """Hyper-parameters of the toy model (i, j) -> decoder(E_i + E_j) and of its training.

    For a finite group the decoder takes the product of matrices E_a E_b instead. The decoder is an
    MLP with two hidden tanh layers; the optimiser is AdamW with one learning rate and weight decay
    for the embeddings and one for the decoder (Liu et al. 2022, sections 2 and 4.1). Defaults are
    the paper's.

    Parameters
    ----------
    embedding_dim
        Dimension d of the embeddings; for a group the square of their matrices' side.
    width
        Units in each hidden layer.
    target_dim
        Dimension of the fixed random targets of the "mse" loss.
    loss
        "mse": square distance to the label's target, mean over samples and coordinates; the
        nearest target is the prediction.
        "cross_entropy": softmax cross-entropy, mean over samples; the largest logit is the
        prediction.
    embedding_lr
        Learning rate of the embeddings.
    decoder_lr
        Learning rate of the decoder.
    embedding_weight_decay
        Decoupled weight decay: each update multiplies by 1 - learning rate * weight decay.
    decoder_weight_decay
        The same for the decoder.
    embedding_penalty
        Factor of a penalty that is added to the loss, the mean of |E| over all entries.
    steps
        Budget, in updates.
    batch_size
        Training samples in each update; None for all of them.
    embedding_scale
        Factor on the initial embeddings.
    decoder_scale
        Factor on the decoder's initial weights and biases.
    train_threshold
        Train accuracy whose first crossing (>=) is reported.
    test_threshold
        Test accuracy whose first crossing (>=) is reported.
    rqi_threshold
        RQI whose first crossing (strictly above) is reported.
    stop_when
        Stop before the budget once both accuracies have crossed ("accuracies"), RQI as well
        ("all"), or "never".
    adam_epsilon
        What AdamW adds to the root of its second moment, for embeddings and decoder. A loss divided
        by a number is, under AdamW, the loss undivided with this epsilon times that number: the
        paper's Figure 6c divides its cross-entropy by 19 classes, so that it has 1.9e-7 here.

    Raises
    ------
    InputError
        If a field is out of its range; the message names it.
    """

    embedding_dim: int = 1
    width: int = 200
    target_dim: int = 30
    loss: Loss = "mse"
    embedding_lr: float = 1e-3
    decoder_lr: float = 1e-4
    embedding_weight_decay: float = 0.0
    decoder_weight_decay: float = 0.0
    embedding_penalty: float = 0.0
    steps: int = 100_000
    batch_size: int | None = None
    embedding_scale: float = 1.0
    decoder_scale: float = 1.0
    train_threshold: float = 0.9
    test_threshold: float = 0.9
    rqi_threshold: float = 0.95
    stop_when: StopWhen = "accuracies"
    adam_epsilon: float = 1e-8

    def __post_init__(self) -> None:
        def settle(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)

        for name in ("embedding_dim", "width", "target_dim"):
            settle(name, integer(name, getattr(self, name), 1, MOST_UNITS))
        settle("steps", integer("steps", self.steps, 1, MOST_STEPS))
        if self.batch_size is not None:
            settle("batch_size", integer("batch_size", self.batch_size, 1))
        for name in (
            *("embedding_lr", "decoder_lr", "embedding_weight_decay", "decoder_weight_decay"),
            *("embedding_penalty", "embedding_scale", "decoder_scale", "adam_epsilon"),
        ):
            settle(name, non_negative(name, getattr(self, name)))
        for name in ("embedding_scale", "decoder_scale"):
            if getattr(self, name) > LARGEST_SCALE:
                raise InputError(f"{name} must be at most {LARGEST_SCALE:g}, for float32.")
        if not LEAST_EPSILON <= self.adam_epsilon <= LARGEST_SCALE:
            raise InputError(
                f"adam_epsilon must be from {LEAST_EPSILON:g} to {LARGEST_SCALE:g}, for float32, "
                f"not {self.adam_epsilon:g}."
            )
        for name in ("train_threshold", "test_threshold", "rqi_threshold"):
            settle(name, fraction(name, getattr(self, name)))
        for name, choices in (("loss", get_args(Loss)), ("stop_when", get_args(StopWhen))):
            given = getattr(self, name)
            if not (isinstance(given, str) and given in choices):
                wanted = " or ".join(f'"{choice}"' for choice in choices)
                raise InputError(f"{name} must be {wanted}, not {given!r}.")

    def outputs(self, task: BinaryOperation) -> int:
        """Return the number of decoder outputs: target_dim for "mse", else one for each class."""
        return self.target_dim if self.loss == "mse" else task.classes

    def layer_sizes(self, task: BinaryOperation) -> tuple[int, int, int, int]:
        """Return the units of the decoder's input, two hidden layers and output."""
        return self.embedding_dim, self.width, self.width, self.outputs(task)


@dataclass(frozen=True, eq=False)
class InitialState:
    """The numbers that training starts from; all arrays are copied to float32.

    Parameters
    ----------
    embeddings
        Embeddings, shape (p, d).
    weights
        Three weight matrices, shape (out, in) each, as PyTorch's Linear has them.
    biases
        Three bias vectors, shape (out,) each.
    targets
        Target vectors of the "mse" loss, shape (classes, target_dim); None for cross-entropy.
    batch_seed
        Seed of the minibatches; required if the model has a batch_size.
    released_batches
        Minibatches of the authors' released code instead, as `released_start` of the package
        phase_diagrams gives them.

    Raises
    ------
    InputError
        If an array has the wrong number of dimensions or holds NaN or infinite numbers, there are
        not three layers, a layer does not fit the one before or its biases, or a seed is no integer
        from 0 on.
    """

    embeddings: Array
    weights: tuple[Array, Array, Array]
    biases: tuple[Array, Array, Array]
    targets: Array | None = None
    batch_seed: int | None = None
    released_batches: ReleasedBatches | None = None

    def __post_init__(self) -> None:
        def checked(name: str, value: Any, *shape: int | None) -> Array:
            array = finite_array(name, value, shape, np.float32)
            array.flags.writeable = False
            return array

        given = [self.weights, self.biases]
        if not all(isinstance(part, list | tuple) and len(part) == 3 for part in given):
            raise InputError("weights and biases must hold three arrays each, one for each layer.")
        object.__setattr__(self, "embeddings", checked("embeddings", self.embeddings, None, None))
        inputs, weights = self.embeddings.shape[1], []
        for k, given_weights in enumerate(self.weights):
            weights.append(checked(f"weights[{k}]", given_weights, None, inputs))
            inputs = len(weights[-1])
        biases = tuple(
            checked(f"biases[{k}]", b, len(w))
            for k, (b, w) in enumerate(zip(self.biases, weights, strict=True))
        )
        object.__setattr__(self, "weights", tuple(weights))
        object.__setattr__(self, "biases", biases)
        if self.targets is not None:
            object.__setattr__(self, "targets", checked("targets", self.targets, None, None))
        if self.batch_seed is not None:
            object.__setattr__(self, "batch_seed", integer("batch_seed", self.batch_seed, 0))
        if not isinstance(self.released_batches, ReleasedBatches | None):
            raise InputError(
                'released_batches must be ReleasedBatches as the start "released" has them, or '
                f"None, not {self.released_batches!r}."
            )

    @property
    def minibatches(self) -> Minibatches | None:
        """Where minibatches come from; None if the start has none."""
        if self.released_batches is not None:
            return self.released_batches
        return None if self.batch_seed is None else SeededBatches(self.batch_seed)

    @classmethod
    def random(cls, model: ToyModel, task: BinaryOperation, rng: RandomSource) -> Self:
        """Draw a start: E ~ U(-1/2, 1/2), PyTorch's default Linear layers, targets ~ N(0, 1).

        Weights and biases of a layer with k inputs are uniform within 1 / sqrt(k). Each part has a
        stream of its own, so that models that differ in one part share the others.

        Parameters
        ----------
        model
            The toy model; embeddings and decoder are multiplied by its scales.
        task
            The task.
        rng
            Int, SeedSequence or Generator.

        Returns
        -------
        InitialState
            The start.

        Raises
        ------
        InputError
            If ``rng`` is no source of random numbers, or another argument is of another type.
        """
        of_type("model", model, ToyModel, "a ToyModel")
        require_operation(task)
        embeddings, decoder, targets, batches = random_generator(rng).spawn(4)
        return cls.draw(
            model, task, embeddings=embeddings, decoder=decoder, targets=targets, batches=batches
        )

    @classmethod
    def draw(
        cls,
        model: ToyModel,
        task: BinaryOperation,
        *,
        embeddings: np.random.Generator,
        decoder: np.random.Generator,
        targets: np.random.Generator,
        batches: np.random.Generator,
    ) -> Self:
        """Draw a start as `random` does, each part from the generator that is given for it."""

        def scaled(values: NDArray[np.float64], scale: float) -> Array:
            with np.errstate(over="ignore"):  # too large a scale is refused by name, not by NumPy
                return (values * scale).astype(np.float32)

        weights, biases, decoder_scale = [], [], model.decoder_scale
        sizes = model.layer_sizes(task)
        for inputs, outputs in zip(sizes[:-1], sizes[1:], strict=True):
            bound = 1.0 / math.sqrt(inputs)
            weights.append(scaled(decoder.uniform(-bound, bound, (outputs, inputs)), decoder_scale))
            biases.append(scaled(decoder.uniform(-bound, bound, outputs), decoder_scale))
        uniform = embeddings.uniform(-0.5, 0.5, (task.symbols, model.embedding_dim))
        normal = targets.standard_normal((task.classes, model.target_dim))
        return cls(
            embeddings=scaled(uniform, model.embedding_scale),
            weights=(weights[0], weights[1], weights[2]),
            biases=(biases[0], biases[1], biases[2]),
            targets=scaled(normal, 1.0) if model.loss == "mse" else None,
            batch_seed=int(batches.integers(2**62)) if model.batch_size is not None else None,
        )

    def require_fit(self, model: ToyModel, task: BinaryOperation) -> None:
        """Check that the start is one of this model on this task.

        Raises
        ------
        InputError
            If a shape is another one, targets are missing for the loss "mse", or minibatches are
            missing for a model with a ``batch_size``.
        """
        sizes = model.layer_sizes(task)
        wanted = {"embeddings": (task.symbols, model.embedding_dim)}
        actual = {"embeddings": self.embeddings.shape}
        for k, shape in enumerate(zip(sizes[1:], sizes[:-1], strict=True)):
            wanted[f"weights[{k}]"] = shape
            actual[f"weights[{k}]"] = self.weights[k].shape
        if model.loss == "mse":
            if self.targets is None:
                raise InputError('initial_state.targets is required for loss "mse".')
            wanted["targets"] = (task.classes, model.target_dim)
            actual["targets"] = self.targets.shape
        for name, shape in wanted.items():
            if actual[name] != shape:
                raise InputError(
                    f"initial_state.{name} must have shape {shape} for this model and task, "
                    f"not {actual[name]}."
                )
        if model.batch_size is not None and self.minibatches is None:
            raise InputError("initial_state.batch_seed is required where batch_size is set.")
