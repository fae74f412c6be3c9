"""Where a run begins: recipes that turn settings, a task and a seed into a split and a start.

For one seed every cell of a sweep has the same split and the same start, as in the paper: streams
depend on the role, the seed and the shapes, never on swept rates or on the cell's place.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from effective_theory import Dataset, InputError
from effective_theory.checks import of_type, shown
from phase_diagrams.sweeps.registry import first_system
from phase_diagrams.sweeps.seeds import Seed, checked_seed
from phase_diagrams.sweeps.systems import System

#: ``(settings, task, train_size, seed) -> (data, start)``; of the toy model a Dataset and an
#: InitialState.
Recipe = Callable[[Any, Any, Any, Seed], tuple[Any, Any]]
#: The first half of what a recipe returns.
Split = Callable[[Any, Any, Any, Seed], Dataset]


@dataclass(frozen=True)
class Start:
    """A registered recipe.

    Attributes
    ----------
    name
        Name in specifications and on the command line.
    recipe
        ``(settings, task, train_size, seed) -> (data, start)``.
    fixed
        Start-shaping fields of the settings that the recipe does not honour, with the only value
        of each that is accepted.
    batches
        Name of the recipe's minibatches, where these are not drawn as this project draws them.
    split
        ``(settings, task, train_size, seed) -> Dataset``, the recipe's split without the weights,
        which take far longer to draw; None if only the recipe knows it.
    split_follows
        Fields of the settings that the split depends on.
    """

    name: str
    recipe: Recipe
    fixed: Mapping[str, Any] = field(default_factory=dict)
    batches: str | None = None
    split: Split | None = None
    split_follows: tuple[str, ...] = ()

    def draw_split(self, settings: Any, task: Any, train_size: Any, seed: Seed) -> Any:
        """Return the split alone; the weights are drawn only where the recipe needs them for it."""
        if self.split is None:
            return self.recipe(settings, task, train_size, seed)[0]
        return self.split(settings, task, train_size, seed)

    def require_honoured(self, settings: Any) -> None:
        """Raise InputError if a field is set that the recipe does not honour."""
        for name, value in sorted(self.fixed.items()):
            if getattr(settings, name) != value:
                raise InputError(
                    f'{name} is fixed at {value} by start "{self.name}"; '
                    f'give {value} or use start "random".'
                )


def register_start(
    name: str,
    recipe: Recipe,
    *,
    fixed: Collection[str] | Mapping[str, Any] = frozenset(),
    batches: str | None = None,
    split: Split | None = None,
    split_follows: Collection[str] = (),
    system: System | None = None,
) -> None:
    """Make a recipe known under ``name``, so that a SweepSpec can name it.

    Stored runs know a start by its name alone: give a changed recipe another name.

    Parameters
    ----------
    name
        Name in specifications and on the command line.
    recipe
        ``(settings, task, train_size, seed) -> (data, start)``, with a seed (split,
        initialisation); for the toy model it returns a Dataset and an InitialState, as
        `random_start` does.
    fixed
        Fields of the settings that shape a start and that the recipe does not honour, with the only
        value of each that is accepted; names of fields alone stand for their defaults.
    batches
        Name of the recipe's minibatches, where these are not drawn as this project draws them.
    split
        ``(settings, task, train_size, seed) -> Dataset``, the recipe's split alone, which spares
        drawing the weights; None if only the recipe knows it.
    split_follows
        Fields of the settings that the split depends on: cells of one seed and training size that
        differ in them have different splits.
    system
        The system whose start it is; by default the toy model.

    Raises
    ------
    InputError
        If the name is taken by another recipe, ``fixed`` names a field that shapes no start, or an
        argument is wrong.
    """
    of_type("name", name, str, "text")
    if not callable(recipe):
        raise InputError(f"recipe must be a function such as random_start, not {shown(recipe)}.")
    system = first_system() if system is None else of_type("system", system, System, "a System")
    unknown = set(fixed) - set(system.shapes_start)
    if unknown:
        raise InputError(
            f"fixed names {sorted(unknown)}; choose from {', '.join(system.shapes_start)}."
        )
    starts = system.starts
    if name in starts and _home(starts[name].recipe) != _home(recipe):
        raise InputError(f'start "{name}" is registered already; choose another name.')
    default = system.settings()
    values = fixed if isinstance(fixed, Mapping) else {f: getattr(default, f) for f in fixed}
    starts[name] = Start(name, recipe, dict(values), batches, split, tuple(split_follows))


def _home(recipe: Recipe) -> Any:
    """Return what tells a recipe from others: a function that is defined again is the same."""
    name = getattr(recipe, "__qualname__", None)
    return recipe if name is None or "<" in name else (recipe.__module__, name)


def drawn_split(task: Any, train_size: int, seed: Seed) -> Dataset:
    """Return a random split, which follows the first seed."""
    split, _ = checked_seed(seed)
    return Dataset.split(task, train_size, stream("split", split))


def start(system: System, name: str) -> Start:
    """Return the registered start of that name."""
    if not isinstance(name, str) or name not in system.starts:
        known = ", ".join(system.starts)
        raise InputError(f"start {shown(name)} is unknown; known starts: {known}.")
    found: Start = system.starts[name]
    return found


_ROLES = ("split", "targets", "embeddings", "decoder", "batches")


def stream(role: str, seed: int) -> np.random.Generator:
    """Return the generator of one role for one seed."""
    key = (_ROLES.index(role),)
    return np.random.default_rng(np.random.SeedSequence(entropy=seed, spawn_key=key))
