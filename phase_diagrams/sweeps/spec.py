"""SweepSpec: the one description of a sweep, shared by all that handle it."""

import dataclasses
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from functools import cached_property
from typing import Any, cast

from effective_theory import Dataset, InitialState, InputError, Task, ToyModel
from effective_theory.checks import integer, is_sequence, shown
from effective_theory.tasks import task_from_configuration
from phase_diagrams.phases import LAG
from phase_diagrams.sweeps.axes import MOST_VALUES, Axis, default_axis
from phase_diagrams.sweeps.identity import (
    canonical_json,
    cell_configuration,
    configuration_template,
    identify,
    model_configuration,
    read_canonical,
)
from phase_diagrams.sweeps.settings import settings_text
from phase_diagrams.sweeps.starts import Recipe, Seed, start
from phase_diagrams.sweeps.train_fraction import settled_axes, settled_train_size
from phase_diagrams.wording import written

MODEL_FIELDS = tuple(f.name for f in dataclasses.fields(ToyModel))


@dataclass(frozen=True)
class Cell:
    """One run of a sweep, as a recipe: no weights.

    Attributes
    ----------
    index
        Place in the diagram: one index for each axis, then the seed's.
    model, task, train_size, start, seed
        What determines the run.
    """

    index: tuple[int, ...]
    model: ToyModel
    task: Task
    train_size: int
    start: str
    seed: Seed

    @property
    def content(self) -> dict[str, Any]:
        """What determines the run, without the budget and when to stop, as plain values."""
        batches = start(self.start).batches
        return cell_configuration(
            self.model, self.task, self.train_size, self.start, self.seed, batches
        )

    @cached_property
    def configuration(self) -> str:
        """What determines the run, without the budget and when to stop, as canonical JSON."""
        return canonical_json(self.content)

    @cached_property
    def cell_id(self) -> str:
        """Hash of the configuration."""
        return identify(self.configuration)

    def draw(self, recipe: Recipe | None = None) -> tuple[Dataset, InitialState]:
        """Return the split and the start that the recipe gives, by default the registered one."""
        recipe = recipe if recipe is not None else start(self.start).recipe
        return recipe(self.model, self.task, self.train_size, self.seed)

    def split(self) -> Dataset:
        """Return the split alone; the weights are drawn only where the recipe needs them for it."""
        return start(self.start).draw_split(self.model, self.task, self.train_size, self.seed)


@dataclass(frozen=True, repr=False)
class SweepSpec:
    """A grid of toy models: every combination of the axes' values and seeds is one run.

    Parameters
    ----------
    task
        The task.
    axes
        Swept fields of ToyModel, "train_size" or "train_fraction", each with a sequence of values
        or an Axis. The first is drawn upwards, the second to the right.
    model
        The fields that are not swept.
    train_size
        Number of training samples; 45 where neither this nor ``train_fraction`` is given.
    seeds
        Integers, or (split, initialisation) pairs; one integer means both.
    start
        Name of a registered start.
    lag
        Least delay of test after train, in updates, that counts as grokking.
    refined
        Set by `refine`: into how many steps it divided each coarse one of an axis. With k, every
        k-th value from the first on belongs to the coarse sweep and is measured everywhere.
    train_fraction
        Instead of ``train_size``: training samples as a share of the task's. The sweep keeps the
        nearest count, halves going to the even one, as its ``train_size``; an axis of this name
        becomes one of ``train_size``.

    Raises
    ------
    InputError
        If a field is wrong, or the grid has more than 10^7 runs.

    Examples
    --------
    >>> from effective_theory import Addition
    >>> spec = SweepSpec(Addition(10), {"decoder_lr": [1e-4, 1e-3], "batch_size": [8, 16, 32]})
    >>> spec.shape, spec.size
    ((2, 3, 1), 6)
    """

    task: Task
    axes: Mapping[str, Axis | Sequence[Any]]
    model: ToyModel = field(default_factory=ToyModel)
    train_size: int = cast(int, None)  # an integer once the sweep is made
    seeds: Sequence[Any] = (0,)
    start: str = "random"
    lag: int = LAG
    refined: Mapping[str, int] = field(default_factory=dict)
    train_fraction: InitVar[float | None] = None

    def __post_init__(self, train_fraction: float | None) -> None:
        if not isinstance(self.task, Task):
            raise InputError(f"task must be a task such as Addition(10), not {shown(self.task)}.")
        if not isinstance(self.model, ToyModel):
            raise InputError(f"model must be a ToyModel, not {shown(self.model)}.")
        if not isinstance(self.axes, Mapping):
            raise InputError("axes must be a mapping of fields to values, such as {'width': [50]}.")
        if not self.axes:
            raise InputError("axes are empty; sweep at least one field.")
        for name in self.axes:
            if name not in (*MODEL_FIELDS, "train_size", "train_fraction"):
                raise InputError(
                    f"axis {shown(name)} is unknown; choose train_size, train_fraction or one of "
                    f"{', '.join(MODEL_FIELDS)}."
                )
        axes = settled_axes(self.task, self.axes)
        axes = {name: default_axis(name, values) for name, values in axes.items()}
        object.__setattr__(self, "axes", axes)
        train_size = settled_train_size(self.task, self.train_size, train_fraction)
        object.__setattr__(self, "train_size", train_size)
        object.__setattr__(self, "seeds", _settled_seeds(self.seeds))
        object.__setattr__(self, "lag", integer("lag", self.lag, 1))
        self._require_moderate()
        self._require_trainable()
        self._require_nested()

    def _require_nested(self) -> None:
        """Check that the coarse values of refined axes begin and end them."""
        if not isinstance(self.refined, Mapping):
            raise InputError("refined is set by refine(); leave it out.")
        object.__setattr__(self, "refined", dict(self.refined))
        for name, factor in self.refined.items():
            power_of_two = integer("refined", factor, 2).bit_count() == 1
            if name not in self.grid or (len(self.grid[name]) - 1) % factor or not power_of_two:
                raise InputError(f"refined {name!r} does not fit the axes; let refine() set it.")

    def _require_moderate(self) -> None:
        if self.size > MOST_VALUES:
            raise InputError(
                f"axes and seeds make {self.size} runs, more than {MOST_VALUES}; "
                "use fewer values, or refine where phases meet."
            )

    def _require_trainable(self) -> None:
        """Check each value of each axis by itself: no cell can fail later for a field's range."""
        object.__setattr__(
            self, "train_size", integer("train_size", self.train_size, 1, self.task.size - 1)
        )
        recipe = start(self.start)
        for name, axis in self.grid.items():
            settled = []
            for value in axis.values:
                model, train_size = self._with(name, value)
                recipe.require_honoured(model)
                settled.append(train_size if name == "train_size" else getattr(model, name))
            axes = {**self.axes, name: Axis(tuple(settled), axis.scale)}
            object.__setattr__(self, "axes", axes)
        for embedding_dim in self._values("embedding_dim", self.model.embedding_dim):
            self.task.matrix_side(embedding_dim)
        sizes = self._values("train_size", self.train_size)
        batches = [b for b in self._values("batch_size", self.model.batch_size) if b is not None]
        if batches and max(batches) > min(sizes):
            raise InputError(
                f"batch_size must be at most the train_size {min(sizes)}, not {max(batches)}."
            )
        # The seeds of a published start have a range of their own, which the recipe knows.
        for seed in self.seeds:
            if self.start != "random":
                recipe.draw_split(self.model, self.task, min(sizes), seed)

    def _values(self, name: str, otherwise: Any) -> tuple[Any, ...]:
        return self.grid[name].values if name in self.grid else (otherwise,)

    def _with(self, name: str, value: Any) -> tuple[ToyModel, int]:
        """Model and train_size with one field replaced."""
        if name == "train_size":
            return self.model, integer("train_size", value, 1, self.task.size - 1)
        return dataclasses.replace(self.model, **{name: value}), self.train_size

    def __hash__(self) -> int:
        """Return a hash that equal sweeps share."""
        return hash((self.task, self.model, self.train_size, self.seeds, frozenset(self.grid)))

    def __repr__(self) -> str:
        """Return the task and the lengths of the axes; `print` tells all."""
        axes = [f"{name}[{len(axis)}]" for name, axis in self.grid.items()]
        return f"SweepSpec({self.task}, {' x '.join([*axes, f'seeds[{len(self.seeds)}]'])})"

    def __str__(self) -> str:
        """Return what is run in one line: what is fixed and no default, the seeds, the axes."""
        return settings_text(self.fixed, self.grid, self.seeds)

    @property
    def fixed(self) -> dict[str, Any]:
        """All that is not swept, by field: those of the model, then those of the sweep."""
        settings = {name: getattr(self.model, name) for name in MODEL_FIELDS}
        settings |= {name: getattr(self, name) for name in ("train_size", "start", "lag", "task")}
        return {name: value for name, value in settings.items() if name not in self.grid}

    @property
    def settings(self) -> dict[str, Any]:
        """What is fixed, the axes and the seeds, by name."""
        return {**self.fixed, **self.grid, "seeds": self.seeds}

    @property
    def grid(self) -> Mapping[str, Axis]:
        """The axes, each an Axis."""
        return self.axes  # type: ignore[return-value]

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes, then the number of seeds."""
        return (*(len(axis) for axis in self.grid.values()), len(self.seeds))

    @property
    def size(self) -> int:
        """Number of runs."""
        return math.prod(self.shape)

    @property
    def most_steps(self) -> int:
        """The largest budget of any run."""
        return int(max(self._values("steps", self.model.steps)))

    def values_at(self, index: tuple[int, ...]) -> dict[str, Any]:
        """Return what the axes say at a place of the diagram; a seed's place may follow."""
        axes = zip(self.grid.items(), index, strict=False)
        return {name: axis.values[k] for (name, axis), k in axes}

    def texts_at(self, index: tuple[int, ...]) -> dict[str, str]:
        """Return what the axes show at a place of the diagram."""
        axes = zip(self.grid.items(), index, strict=False)
        return {name: axis.texts[k] for (name, axis), k in axes}

    def written_at(self, index: tuple[int, ...]) -> dict[str, Any]:
        """Return what the axes say at a place, as tables write it."""
        return {name: written(value) for name, value in self.values_at(index).items()}

    def cell(self, index: tuple[int, ...]) -> Cell:
        """Return the run at a place of the diagram."""
        values = self.values_at(index)
        train_size = values.pop("train_size", self.train_size)
        return Cell(
            index=index,
            model=self._model_with(values),
            task=self.task,
            train_size=train_size,
            start=self.start,
            seed=self.seeds[index[-1]],
        )

    def _model_with(self, values: dict[str, Any]) -> ToyModel:
        """Return the model with values of the axes, which were checked when the sweep was made.

        To check them again for each cell, as `dataclasses.replace` does, takes long.
        """
        model = object.__new__(type(self.model))
        vars(model).update(vars(self.model) | values)
        return model

    def cells(self) -> Iterator[Cell]:
        """Yield all runs, the last axis and then the seeds varying fastest."""
        indices = itertools.product(*(range(length) for length in self.shape))
        for index, configuration in zip(indices, self._configurations(), strict=True):
            cell = self.cell(index)
            if configuration is not None:
                vars(cell)["configuration"] = configuration
            yield cell

    def _configurations(self) -> Iterator[str | None]:
        """Yield each cell's configuration, or None where it is to make it by itself."""
        names = (*self.grid, "seed")
        first = self.cell((0,) * len(names))
        template = configuration_template(first.content, names, start(self.start).batches)
        values = (*(axis.values for axis in self.grid.values()), self.seeds)
        texts = [[canonical_json(value) for value in along] for along in values]
        for combination in itertools.product(*texts):
            filled = dict(zip(names, combination, strict=True))
            yield None if template is None else template % filled

    def with_more_seeds(self, seeds: Sequence[Any]) -> "SweepSpec":
        """Return the sweep with these seeds besides its own; a store runs only the new ones.

        ``sweep(diagram.spec.with_more_seeds([3, 4]), store="runs.sqlite")``

        Raises
        ------
        InputError
            If one of them is no seed, or is there already.
        """
        return dataclasses.replace(self, seeds=(*self.seeds, *_settled_seeds(seeds)))

    def with_values_of(self, other: "SweepSpec") -> "SweepSpec":
        """Return the sweep with another's values on its axes where the two match to 1e-9."""
        axes = dict(self.grid)
        for name, axis in self.grid.items():
            if name in other.grid:
                theirs = other.grid[name]
                places = [theirs.match(value) for value in axis.values]
                values = [
                    value if place is None else theirs.values[place]
                    for value, place in zip(axis.values, places, strict=True)
                ]
                axes[name] = Axis(tuple(values), axis.scale)
        return self if axes == self.axes else dataclasses.replace(self, axes=axes)

    def to_json(self) -> str:
        """Return the specification as canonical JSON, floats exact."""
        return canonical_json(
            {
                "task": self.task.configuration(),
                "axes": [
                    {"name": name, "values": list(axis.values), "scale": axis.scale}
                    for name, axis in self.grid.items()
                ],
                "model": model_configuration(self.model),
                "train_size": self.train_size,
                "seeds": [list(seed) for seed in self.seeds],
                "start": self.start,
                "lag": self.lag,
                **({"refined": dict(self.refined)} if self.refined else {}),
            }
        )

    @classmethod
    def from_json(cls, text: str) -> "SweepSpec":
        """Return the specification that `to_json` wrote.

        Raises
        ------
        InputError
            If the text is not such a specification.
        """
        try:
            content = read_canonical(text)
            spec = cls(
                task=task_from_configuration(content["task"]),
                axes={a["name"]: Axis(tuple(a["values"]), a["scale"]) for a in content["axes"]},
                model=ToyModel(**content["model"]),
                train_size=content["train_size"],
                seeds=[(split, initial) for split, initial in content["seeds"]],
                start=content["start"],
                lag=content["lag"],
                refined=content.get("refined", {}),
            )
            # An axis that is there twice, say, or a field that is no field, would not come back.
            if read_canonical(spec.to_json()) == content:
                return spec
            raise InputError("spec is damaged: it says what no specification does.")
        except InputError:
            raise
        except (
            *(ValueError, KeyError, TypeError, AttributeError),
            *(OverflowError, RecursionError),  # floats and nesting without limit
        ) as error:
            raise InputError(f"spec is not a sweep specification ({error!r}).") from None


def _settled_seeds(seeds: Any) -> tuple[Seed, ...]:
    if not is_sequence(seeds):
        raise InputError(f"seeds must be a sequence such as (0, 1, 2), not {shown(seeds)}.")
    settled: list[Seed] = []
    for seed in seeds:
        if isinstance(seed, Sequence) and not isinstance(seed, str | bytes) and len(seed) == 2:
            settled.append((integer("split seed", seed[0], 0), integer("init seed", seed[1], 0)))
        else:
            number = integer("seeds", seed, 0)
            settled.append((number, number))
    if not settled:
        raise InputError("seeds are empty; give at least one.")
    if len(set(settled)) != len(settled):
        raise InputError("seeds are repeated; give each seed once.")
    return tuple(settled)
