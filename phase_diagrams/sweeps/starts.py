"""Where a run begins: recipes that turn a model, a task and a seed into a split and a start.

For one seed every cell of a sweep has the same split and the same start, as in the paper: streams
depend on the role, the seed and the shapes, never on swept rates or on the cell's place.

The published starts need no PyTorch. Its CPU generator is the Mersenne twister that NumPy's legacy
generator is; only the way from a word to a float differs.
"""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from effective_theory import (
    Addition,
    Dataset,
    InitialState,
    InputError,
    Task,
    ToyModel,
    permutation_group,
)
from effective_theory.checks import integer, is_sequence, of_type, shown
from effective_theory.minibatches import ReleasedBatches

Array = NDArray[np.float32]
Indices = NDArray[np.int64]
#: Seeds of the split (with the targets) and of the initialisation.
Seed = tuple[int, int]
Recipe = Callable[[ToyModel, Task, int, Seed], tuple[Dataset, InitialState]]
#: The first half of what a recipe returns.
Split = Callable[[ToyModel, Task, int, Seed], Dataset]

#: Fields of the model that shape a start; a recipe names those that it does not honour.
START_SHAPING = (
    *("embedding_dim", "width", "target_dim", "loss", "embedding_scale", "decoder_scale"),
)


@dataclass(frozen=True)
class Start:
    """A registered recipe.

    Attributes
    ----------
    name
        Name in specifications and on the command line.
    recipe
        ``(model, task, train_size, seed) -> (Dataset, InitialState)``.
    fixed
        Start-shaping fields of ToyModel that the recipe does not honour, with the only value of
        each that is accepted.
    batches
        Name of the recipe's minibatches, where these are not drawn as this project draws them.
    split
        ``(model, task, train_size, seed) -> Dataset``, the recipe's split without the weights,
        which take far longer to draw; None if only the recipe knows it.
    """

    name: str
    recipe: Recipe
    fixed: Mapping[str, Any] = field(default_factory=dict)
    batches: str | None = None
    split: Split | None = None

    def draw_split(self, model: ToyModel, task: Task, train_size: int, seed: Seed) -> Dataset:
        """Return the split alone; the weights are drawn only where the recipe needs them for it."""
        if self.split is None:
            return self.recipe(model, task, train_size, seed)[0]
        return self.split(model, task, train_size, seed)

    def require_honoured(self, model: ToyModel) -> None:
        """Raise InputError if the model sets a field that the recipe does not honour."""
        for name, value in sorted(self.fixed.items()):
            if getattr(model, name) != value:
                raise InputError(
                    f'{name} is fixed at {value} by start "{self.name}"; '
                    f'give {value} or use start "random".'
                )


STARTS: dict[str, Start] = {}


def register_start(
    name: str,
    recipe: Recipe,
    *,
    fixed: Collection[str] | Mapping[str, Any] = frozenset(),
    batches: str | None = None,
    split: Split | None = None,
) -> None:
    """Make a recipe known under ``name``, so that a SweepSpec can name it.

    Stored runs know a start by its name alone: give a changed recipe another one.

    Parameters
    ----------
    name, recipe, batches, split
        As `Start` has them.
    fixed
        As well; names of fields alone stand for their defaults.

    Raises
    ------
    InputError
        If the name is taken by another recipe, or ``fixed`` names no start-shaping field.
    """
    of_type("name", name, str, "text")
    if not callable(recipe):
        raise InputError(f"recipe must be a function such as random_start, not {shown(recipe)}.")
    unknown = set(fixed) - set(START_SHAPING)
    if unknown:
        raise InputError(f"fixed names {sorted(unknown)}; choose from {', '.join(START_SHAPING)}.")
    if name in STARTS and STARTS[name].recipe is not recipe:
        raise InputError(f'start "{name}" is registered already; choose another name.')
    default = ToyModel()
    values = fixed if isinstance(fixed, Mapping) else {f: getattr(default, f) for f in fixed}
    STARTS[name] = Start(name, recipe, dict(values), batches, split)


def start(name: str) -> Start:
    """Return the registered start of that name."""
    if not isinstance(name, str) or name not in STARTS:
        raise InputError(f"start {shown(name)} is unknown; known starts: {', '.join(STARTS)}.")
    return STARTS[name]


_ROLES = ("split", "targets", "embeddings", "decoder", "batches")


def _stream(role: str, seed: int) -> np.random.Generator:
    """Return the generator of one role for one seed."""
    key = (_ROLES.index(role),)
    return np.random.default_rng(np.random.SeedSequence(entropy=seed, spawn_key=key))


def random_start(
    model: ToyModel, task: Task, train_size: int, seed: Seed
) -> tuple[Dataset, InitialState]:
    """Draw a split and a random start.

    Split and targets follow the first seed, embeddings, decoder and minibatches the second.

    Training sets of different sizes are nested, and scales multiply the same draw.
    """
    dataset = random_split(model, task, train_size, seed)
    split, initialisation = seed
    state = InitialState.draw(
        model,
        task,
        embeddings=_stream("embeddings", initialisation),
        decoder=_stream("decoder", initialisation),
        targets=_stream("targets", split),
        batches=_stream("batches", initialisation),
    )
    return dataset, state


def random_split(model: ToyModel, task: Task, train_size: int, seed: Seed) -> Dataset:
    """Draw the split of `random_start`, without the start."""
    of_type("model", model, ToyModel, "a ToyModel")
    if not isinstance(task, Task):
        raise InputError(f"task must be a task such as Addition(10), not {shown(task)}.")
    split, _ = _checked(seed)
    return Dataset.split(task, train_size, _stream("split", split))


def released_start(
    model: ToyModel, task: Task, train_size: int, seed: Seed
) -> tuple[Dataset, InitialState]:
    """Draw the start of the authors' released code, bit for bit.

    NumPy's legacy generator takes the first seed and draws targets, the split and then each
    update's minibatch; PyTorch's takes the second and makes embeddings, then the decoder. The
    released code's batch size is 45, so that its runs of more training pairs need that as
    ``batch_size``; with 45 pairs or fewer it is the full batch.
    """
    numpy_draws, torch_draws = _published_generators(seed)
    drawn, targets = _released_draws(numpy_draws, model, task, train_size)
    embeddings = torch_draws.rand(task.symbols, model.embedding_dim) - np.float32(0.5)
    layers = torch_draws.linear_layers(model.layer_sizes(task))
    state = _state(model, embeddings, layers, targets, seed)
    if model.batch_size is not None:
        batches = ReleasedBatches.after(numpy_draws, drawn)
        state = replace(state, batch_seed=None, released_batches=batches)
    return Dataset(task, drawn), state


def _released_draws(
    draws: np.random.RandomState, model: ToyModel, task: Task, train_size: int
) -> tuple[Indices, Array]:
    """Draw what NumPy's generator gives to `released_start`: the split and the targets."""
    _require_addition(task)
    targets = _normal(draws, task, model.outputs(task))
    return _choice(draws, task, train_size), targets


def figure6_start(
    model: ToyModel, task: Task, train_size: int, seed: Seed
) -> tuple[Dataset, InitialState]:
    """Draw the start of the paper's own Figures 6a and 6b, bit for bit.

    It differs from the released code: NumPy draws an unused (p, 30) matrix first; PyTorch makes an
    unused encoder p-200-200-1 first and the embeddings last. The published seed is 58.

    Cross-entropy starts from the same draws; Figure 6c itself has others (`figure6c_start`).
    """
    numpy_draws, torch_draws = _published_generators(seed)
    drawn, targets = _figure6_draws(numpy_draws, model, task, train_size)
    return Dataset(task, drawn), _behind_encoder(model, task, torch_draws, targets, seed)


def figure6c_start(
    model: ToyModel, task: Task, train_size: int, seed: Seed
) -> tuple[Dataset, InitialState]:
    """Draw the start of the paper's own Figure 6c, cross-entropy, bit for bit.

    NumPy draws an unused (p, classes) matrix and, as there are no targets, then the split; PyTorch
    goes on as for Figure 6b. The published seed is 6, and ``adam_epsilon`` 1.9e-7: the published
    loss is divided by the 19 classes.

    Raises
    ------
    InputError
        If the loss is not "cross_entropy", or the task is not addition.
    """
    STARTS["figure6c"].require_honoured(model)
    numpy_draws, torch_draws = _published_generators(seed)
    drawn, targets = _figure6c_draws(numpy_draws, model, task, train_size)
    return Dataset(task, drawn), _behind_encoder(model, task, torch_draws, targets, seed)


def _behind_encoder(
    model: ToyModel, task: Task, torch_draws: "TorchDraws", targets: Array | None, seed: Seed
) -> InitialState:
    """Return a start of the paper's own runs on addition: an unused encoder is made first."""
    torch_draws.linear_layers((task.symbols, 200, 200, 1))
    layers = torch_draws.linear_layers(model.layer_sizes(task))
    embeddings = torch_draws.rand(task.symbols, model.embedding_dim) - np.float32(0.5)
    return _state(model, embeddings, layers, targets, seed)


def _figure6_draws(
    draws: np.random.RandomState, model: ToyModel, task: Task, train_size: int
) -> tuple[Indices, Array]:
    """Draw what NumPy's generator gives to `figure6_start`: the split and the targets."""
    _require_addition(task)
    draws.normal(0.0, 1.0, (task.symbols, 30))
    targets = _normal(draws, task, model.target_dim)
    return _choice(draws, task, train_size), targets


def _figure6c_draws(
    draws: np.random.RandomState, model: ToyModel, task: Task, train_size: int
) -> tuple[Indices, None]:
    """Draw what NumPy's generator gives to `figure6c_start`: the split, and no targets."""
    _require_addition(task)
    draws.normal(0.0, 1.0, (task.symbols, task.classes))
    return _choice(draws, task, train_size), None


def s3_start(
    model: ToyModel, task: Task, train_size: int, seed: Seed
) -> tuple[Dataset, InitialState]:
    """Draw the start of the paper's runs on the permutations of three things, bit for bit.

    PyTorch makes an unused encoder 1-200-200-9 first and the embeddings last. Figure 6d has
    ``embedding_dim`` 9 and seed 0; the released code's re-run of it has ``embedding_scale`` 0.1 and
    ``embedding_penalty`` 1e-3 besides.
    """
    numpy_draws, torch_draws = _published_generators(seed)
    drawn, targets = _s3_draws(numpy_draws, model, task, train_size)
    dataset = Dataset(task, drawn)
    torch_draws.linear_layers((1, 200, 200, 9))
    layers = torch_draws.linear_layers(model.layer_sizes(task))
    uniform = torch_draws.rand(task.symbols, model.embedding_dim) - np.float32(0.5)
    embeddings = uniform * np.float32(model.embedding_scale)
    return dataset, _state(model, embeddings, layers, targets, seed)


def _s3_draws(
    draws: np.random.RandomState, model: ToyModel, task: Task, train_size: int
) -> tuple[Indices, Array]:
    """Draw what NumPy's generator gives to `s3_start`: the split and the targets."""
    if task != permutation_group(3):
        raise InputError('task must be permutation_group(3) for start "s3"; use start "random".')
    targets = _normal(draws, task, model.outputs(task))
    return _choice(draws, task, train_size), targets


class TorchDraws:
    """What ``torch.manual_seed(seed)`` followed by CPU draws gives, without PyTorch."""

    def __init__(self, seed: int) -> None:
        self._words = np.random.RandomState(seed)  # noqa: NPY002 (the published generator)

    def rand(self, *shape: int) -> Array:
        """Return torch.rand: the low 24 bits of each word, in [0, 1)."""
        words = self._words.randint(0, 2**32, shape, dtype=np.uint32)  # noqa: NPY002
        return (words & np.uint32(0xFFFFFF)).astype(np.float32) * np.float32(2.0**-24)

    def uniform(self, bound: float, *shape: int) -> Array:
        """Return ``Tensor.uniform_(-bound, bound)`` with its rounding."""
        low, high = np.float32(-bound), np.float32(bound)
        values = self.rand(*shape).astype(np.float64) * np.float64(high - low) + np.float64(low)
        return values.astype(np.float32)

    def linear_layers(self, sizes: tuple[int, ...]) -> list[tuple[Array, Array]]:
        """Return weights and biases of ``torch.nn.Linear`` layers made one after another."""
        layers = []
        for inputs, outputs in zip(sizes[:-1], sizes[1:], strict=True):
            weight_bound = math.sqrt(3.0) * (math.sqrt(2.0 / 6.0) / math.sqrt(inputs))
            weight = self.uniform(weight_bound, outputs, inputs)
            layers.append((weight, self.uniform(1.0 / math.sqrt(inputs), outputs)))
        return layers


def _checked(seed: Seed) -> Seed:
    if not is_sequence(seed) or len(seed) != 2:
        raise InputError(f"seed must be a pair such as (0, 0), not {shown(seed)}.")
    return integer("split seed", seed[0], 0), integer("init seed", seed[1], 0)


def _require_addition(task: Task) -> None:
    if not isinstance(task, Addition):
        raise InputError(
            f"task {task.name} has no such published start: it is addition's; "
            'use Addition or start "random".'
        )


def _published_generators(seed: Seed) -> tuple[np.random.RandomState, TorchDraws]:
    split, initialisation = _checked(seed)
    if max(split, initialisation) >= 2**32:
        raise InputError(
            "seeds of a published start must be below 2**32, as its generators demand."
        )
    return np.random.RandomState(split), TorchDraws(initialisation)  # noqa: NPY002


def _normal(draws: np.random.RandomState, task: Task, columns: int) -> Array:
    """Targets; the published code draws them even for cross-entropy, which does not use them."""
    return draws.normal(0.0, 1.0, (task.classes, columns)).astype(np.float32)


def _choice(draws: np.random.RandomState, task: Task, train_size: int) -> Indices:
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
        batch_seed=int(_stream("batches", seed[1]).integers(2**62)) if batched else None,
    )


_SCALES = frozenset({"embedding_scale", "decoder_scale"})


@dataclass(frozen=True)
class _PublishedSplit:
    """A published start's split: what NumPy's generator draws, without PyTorch's part."""

    draws: Callable[[np.random.RandomState, ToyModel, Task, int], tuple[Indices, Array | None]]

    def __call__(self, model: ToyModel, task: Task, train_size: int, seed: Seed) -> Dataset:
        return Dataset(task, self.draws(_published_generators(seed)[0], model, task, train_size)[0])


register_start("random", random_start, split=random_split)
register_start(
    "released",
    released_start,
    fixed=_SCALES,
    batches="released",
    split=_PublishedSplit(_released_draws),
)
register_start("figure6", figure6_start, fixed=_SCALES, split=_PublishedSplit(_figure6_draws))
register_start(
    "figure6c",
    figure6c_start,
    fixed={"embedding_scale": 1.0, "decoder_scale": 1.0, "loss": "cross_entropy"},
    split=_PublishedSplit(_figure6c_draws),
)
register_start("s3", s3_start, fixed=frozenset({"decoder_scale"}), split=_PublishedSplit(_s3_draws))
