"""Where a run begins: recipes that turn a model, a task and a seed into a split and a start.

For one seed every cell of a sweep has the same split and the same start, as in the paper: streams
depend on the role, the seed and the shapes, never on swept rates or on the cell's place.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from effective_theory import Dataset, InitialState, InputError, Task, ToyModel
from effective_theory.checks import integer, is_sequence, of_type, shown

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


def stream(role: str, seed: int) -> np.random.Generator:
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
        embeddings=stream("embeddings", initialisation),
        decoder=stream("decoder", initialisation),
        targets=stream("targets", split),
        batches=stream("batches", initialisation),
    )
    return dataset, state


def random_split(model: ToyModel, task: Task, train_size: int, seed: Seed) -> Dataset:
    """Draw the split of `random_start`, without the start."""
    of_type("model", model, ToyModel, "a ToyModel")
    if not isinstance(task, Task):
        raise InputError(f"task must be a task such as Addition(10), not {shown(task)}.")
    split, _ = checked_seed(seed)
    return Dataset.split(task, train_size, stream("split", split))


def checked_seed(seed: Seed) -> Seed:
    """Return a seed of whole numbers from 0 on, or raise InputError."""
    if not is_sequence(seed) or len(seed) != 2:
        raise InputError(f"seed must be a pair such as (0, 0), not {shown(seed)}.")
    return integer("split seed", seed[0], 0), integer("init seed", seed[1], 0)


register_start("random", random_start, split=random_split)
