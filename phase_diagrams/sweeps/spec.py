"""SweepSpec: the one description of a sweep, shared by all that handle it."""

import dataclasses
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from typing import Any

from effective_theory import InputError
from effective_theory.checks import integer, of_type, shown
from effective_theory.task_registry import require_registered, task_from_configuration
from effective_theory.toy_model import MOST_STEPS
from phase_diagrams.phases import LAG
from phase_diagrams.sweeps.axes import MOST_VALUES, Axis, axis_of
from phase_diagrams.sweeps.cell import Cell
from phase_diagrams.sweeps.description import settings_text
from phase_diagrams.sweeps.identity import (
    canonical_json,
    configuration_template,
    read_canonical,
    settings_configuration,
)
from phase_diagrams.sweeps.registry import default_settings, first_system, system_named, system_of
from phase_diagrams.sweeps.seeds import settled_seeds
from phase_diagrams.sweeps.starts import Start, start
from phase_diagrams.sweeps.systems import (
    BUDGET,
    Measure,
    System,
    UnknownSystem,
    with_field_types,
)
from phase_diagrams.sweeps.train_fraction import settled_axes, settled_train_size
from phase_diagrams.wording import describe, place_name


@dataclass(frozen=True, repr=False)
class SweepSpec:
    """A grid of runs of one system, one for each combination of the axes' values and seeds.

    Parameters
    ----------
    task
        The task that the system trains on; None for a system that gets its data from elsewhere.
    axes
        Swept fields of the settings, "train_size" or "train_fraction", each with a sequence of
        values or an Axis. Of two the first is drawn upwards, the second to the right.
    model
        The settings that are not swept; their class determines the system. By default those of the
        toy model, ``ToyModel()``.
    train_size
        Number of training samples; 45 where neither this nor ``train_fraction`` is given.
    seeds
        Integers, or (split, initialisation) pairs; one integer means both.
    start
        Name of a registered start.
    lag
        Least delay of test after train, in updates, that counts as grokking.
    refined
        Set by `refine`: the number of steps into which it divided each coarse step of an axis. With
        k, every k-th value from the first on belongs to the coarse sweep.
    predicted
        Set by `predict`: cells that were not measured are predicted from runs at other learning
        rates.
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

    task: Any
    axes: Mapping[str, Axis | Sequence[Any]]
    model: Any = field(default_factory=default_settings)
    train_size: Any = None  # an integer once the sweep is made, where there is a task
    seeds: Sequence[Any] = (0,)
    start: str = "random"
    lag: int = LAG
    refined: Mapping[str, int] = field(default_factory=dict)
    predicted: bool = False
    train_fraction: InitVar[float | None] = None

    def __post_init__(self, train_fraction: float | None) -> None:
        def settle(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)

        system = self.system
        settle("model", with_field_types(self.model))
        self._require_task(train_fraction)
        if not isinstance(self.axes, Mapping):
            raise InputError("axes must be a mapping of fields to values, such as {'width': [50]}.")
        if not self.axes:
            raise InputError("axes are empty; sweep at least one field.")
        of_data = () if self.task is None else ("train_size", "train_fraction")
        for name in self.axes:
            if name not in (*system.fields, *of_data):
                choice = [*of_data, f"one of {', '.join(system.fields)}"]
                raise InputError(f"axis {shown(name)} is unknown; choose {_either(choice)}.")
        axes = dict(self.axes) if self.task is None else settled_axes(self.task, self.axes)
        settle(
            "axes", {name: axis_of(name, each, self._usual(name)) for name, each in axes.items()}
        )
        if self.task is not None:
            size = settled_train_size(self.task, self.train_size, train_fraction)
            is_usual = self.train_size is None and train_fraction is None
            if is_usual and "train_size" in self.axes and size >= self.task.size:
                # An axis has its place, and the usual size does not fit the task.
                size = self.grid["train_size"].values[0]
            settle("train_size", size)
        settle("seeds", settled_seeds(self.seeds))
        if system.one_seed and any(split != initial for split, initial in self.seeds):
            raise InputError(
                f"seeds of {system.plural} are whole numbers: they have no split of their own."
            )
        settle("lag", integer("lag", self.lag, 1))
        of_type("predicted", self.predicted, bool, "set by predict(); leave it out")
        self._require_moderate()
        if self.task is not None:
            settle("train_size", self._checked_size(self.train_size))
        settle("axes", self._settled_axes())
        self._require_trainable()
        settle("refined", self._settled_refined())

    @property
    def system(self) -> System:
        """The system that is swept."""
        return system_of(self.model)

    @property
    def registered_start(self) -> Start:
        """The registered start."""
        return start(self.system, self.start)

    def _usual(self, name: str) -> Any:
        """Return the usual scale of a swept field."""
        known = self.system.fields.get(name)
        return None if known is None else known.scale

    def _require_task(self, train_fraction: float | None) -> None:
        """Check that the task is of the kind that the system trains on, and can be kept."""
        trains_on = self.system.trains_on
        if trains_on is None:
            if self.task is not None or self.train_size is not None or train_fraction is not None:
                raise InputError(
                    f"task, train_size and train_fraction must be None for {self.system.plural}, "
                    "which have their data from elsewhere."
                )
            return
        kind, example = trains_on
        if not isinstance(self.task, kind):
            raise InputError(f"task must be {example}, not {shown(self.task)}.")
        self.task.require_sound()
        require_registered(self.task)

    def _settled_refined(self) -> dict[str, int]:
        """Return the factors of refined axes, whose coarse values begin and end them."""
        if not isinstance(self.refined, Mapping):
            raise InputError("refined is set by refine(); leave it out.")
        for name, factor in self.refined.items():
            power_of_two = integer("refined", factor, 2).bit_count() == 1
            if name not in self.grid or (len(self.grid[name]) - 1) % factor or not power_of_two:
                raise InputError(f"refined {name!r} does not fit the axes; let refine() set it.")
        return dict(self.refined)

    def _require_moderate(self) -> None:
        if self.size > MOST_VALUES:
            raise InputError(
                f"axes and seeds make {self.size} runs, more than {MOST_VALUES}; "
                "use fewer values, or refine where phases meet."
            )

    def _settled_axes(self) -> dict[str, Axis]:
        """Return the axes with the values that their fields make of them.

        Each value is checked by itself: no cell can fail later for a field's range.
        """
        registered, swept = self.registered_start, {}
        for name, axis in self.grid.items():
            if name in self.system.all_fields:
                models = [self._changed(name, value) for value in axis.values]
                settled = tuple(getattr(model, name) for model in models)
            else:
                models = [self.model]
                settled = tuple(self._checked_size(value) for value in axis.values)
            for model in models:
                registered.require_honoured(model)
            swept[name] = Axis(settled, axis.scale)
        return swept

    def _require_trainable(self) -> None:
        """Check what values of several fields must be together, and that the seeds can be drawn."""
        integer(BUDGET, min(self.budgets), 1, MOST_STEPS)
        self.system.require_fit(self.task, self._all_values())
        self._require_batches()
        # The seeds of a published start have a range of their own, which it knows itself.
        if self.start != "random":
            registered, least = self.registered_start, min(self._values("train_size"))
            for seed in self.seeds:
                registered.draw_split(self.model, self.task, least, seed)

    def require_together(self) -> None:
        """Check the settings of all cells, where not every value goes with every other one.

        Raises
        ------
        InputError
            If the settings of a cell are refused by their class; with its place.
        """
        names = [name for name in self.grid if name in self.system.all_fields]
        has_checks = hasattr(self.system.settings, "__post_init__")
        if self.system.fields_fit or not has_checks or len(names) < 2:
            return
        for values in itertools.product(*(self.grid[name].values for name in names)):
            changed = dict(zip(names, values, strict=True))
            try:
                dataclasses.replace(self.model, **changed)
            except (TypeError, ValueError) as error:
                place = place_name({name: describe([value]) for name, value in changed.items()})
                raise InputError(f"{place}: {error}") from None

    def _require_batches(self) -> None:
        """Check minibatches of the fewest training samples; other systems have their own data."""
        name = self.system.batch_size
        if name is None or self.task is None:
            return
        batches = [size for size in self._values(name) if size is not None]
        least = min(self._values("train_size"))
        if batches and max(batches) > least:
            raise InputError(f"{name} must be at most the train_size {least}, not {max(batches)}.")

    def _all_values(self) -> dict[str, tuple[Any, ...]]:
        """Return all values that each field of the settings, and the training size, has."""
        return {name: self._values(name) for name in (*self.system.all_fields, "train_size")}

    def _values(self, name: str) -> tuple[Any, ...]:
        if name in self.grid:
            return self.grid[name].values
        return (getattr(self.model if name in self.system.all_fields else self, name),)

    def thresholds(self, measure: str) -> tuple[float, ...]:
        """Return all thresholds of a measure, "train", "test" or "rqi", in the sweep.

        There are several where the threshold is swept, and none where the settings do not hold it.
        """
        held = self.system.measures[measure].threshold
        return () if held is None else self._values(held)

    def condition(self, measure: str) -> str:
        """Return in words what the first update of a measure reaches: "train accuracy ≥ 0.9"."""
        thresholds = self.thresholds(measure)
        only = thresholds[0] if len(thresholds) == 1 else None
        return self.system.condition(measure, only)

    @property
    def measures(self) -> dict[str, Measure]:
        """The measures that the sweep's runs have, by their names."""
        return self.system.defined(self.task)

    @property
    def budgets(self) -> tuple[int, ...]:
        """The budgets of its runs; several where they are swept."""
        return self._values(BUDGET)

    def checked(self, name: str, value: Any) -> Any:
        """Return a value of a swept field as the settings keep it.

        Raises
        ------
        InputError
            If it is out of the field's range.
        """
        if name not in self.system.all_fields:
            return self._checked_size(value)
        return getattr(self._changed(name, value), name)

    def _changed(self, name: str, value: Any) -> Any:
        """Return the settings with another value of a field, checked."""
        return with_field_types(dataclasses.replace(self.model, **{name: value}))

    def _checked_size(self, value: Any) -> int:
        return integer("train_size", value, 1, self.task.size - 1)

    def with_values(self, values: Mapping[str, Any]) -> tuple[Any, Any]:
        """Return the settings and the training size with other values of some fields, checked."""
        fields = self.system.all_fields
        changed = {name: value for name, value in values.items() if name in fields}
        rest = {name: value for name, value in values.items() if name not in fields}
        model = dataclasses.replace(self.model, **changed) if changed else self.model
        return model, rest.get("train_size", self.train_size)

    def __hash__(self) -> int:
        """Return a hash that equal sweeps share."""
        return hash((self.task, self.model, self.train_size, self.seeds, frozenset(self.grid)))

    def __repr__(self) -> str:
        """Return the task and the lengths of the axes; `print` tells all."""
        axes = [f"{name}[{len(axis)}]" for name, axis in self.grid.items()]
        return f"SweepSpec({self.task}, {' x '.join([*axes, f'seeds[{len(self.seeds)}]'])})"

    def __str__(self) -> str:
        """Return what is run in one line: what is fixed and no default, the seeds, the axes."""
        return settings_text(self.fixed, self.grid, self.seeds, self.system.all_fields)

    @property
    def fixed(self) -> dict[str, Any]:
        """All that is not swept, by field: those of the model, then those of the sweep."""
        system = self.system
        settings = {name: getattr(self.model, name) for name in system.all_fields}
        of_sweep = ("train_size", "start", "lag", "task") if self.task is not None else ("lag",)
        settings |= {name: getattr(self, name) for name in of_sweep}
        settings |= system.mark
        return {name: value for name, value in settings.items() if name not in self.grid}

    @property
    def settings(self) -> dict[str, Any]:
        """What is fixed, the axes and the seeds, by name."""
        how = {"predicted": True} if self.predicted else {}
        return {**self.fixed, **self.grid, "seeds": self.seeds, **how}

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
        return int(max(self.budgets))

    def values_at(self, index: tuple[int, ...]) -> dict[str, Any]:
        """Return the values of the axes at a place of the diagram; a seed's place may follow."""
        axes = zip(self.grid.items(), index, strict=False)
        return {name: axis.values[k] for (name, axis), k in axes}

    def texts_at(self, index: tuple[int, ...]) -> dict[str, str]:
        """Return the values of the axes at a place of the diagram, as pictures show them."""
        axes = zip(self.grid.items(), index, strict=False)
        return {name: axis.texts[k] for (name, axis), k in axes}

    def written_at(self, index: tuple[int, ...]) -> dict[str, Any]:
        """Return the values of the axes at a place of the diagram, as tables write them."""
        written = self.system.written
        return {name: written(name, value) for name, value in self.values_at(index).items()}

    def cell(self, index: tuple[int, ...]) -> Cell:
        """Return the run at a place of the diagram: an index for each axis, then the seed's."""
        values, fields = self.values_at(index), vars(self.model)
        train_size = self.train_size
        if "train_size" in values and "train_size" not in fields:
            train_size = values.pop("train_size")
        return Cell(
            index=index,
            model=self._model_with(values),
            task=self.task,
            train_size=train_size,
            start=self.start,
            seed=self.seeds[index[-1]],
        )

    def _model_with(self, values: dict[str, Any]) -> Any:
        """Return the model with values of the axes, which were checked when the sweep was made.

        To check them again for each cell, as `dataclasses.replace` does, takes long.
        """
        if len(vars(self.model)) > len(self.system.all_fields):
            # Something is derived from the fields, which is to follow them.
            return dataclasses.replace(self.model, **values)
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
        system, batches = self.system, self.registered_start.batches
        template = configuration_template(system, first.content, names, batches)
        values = (*(axis.values for axis in self.grid.values()), self.seeds)
        texts = [[canonical_json(value) for value in along] for along in values]
        for combination in itertools.product(*texts):
            filled = dict(zip(names, combination, strict=True))
            yield None if template is None else template % filled

    def with_more_seeds(self, seeds: Sequence[Any]) -> "SweepSpec":
        """Return the sweep with more seeds; with the same store only the new ones are run.

        ``sweep(diagram.spec.with_more_seeds([3, 4]), store="runs.sqlite")``

        Parameters
        ----------
        seeds
            The new seeds: integers, or (split, initialisation) pairs.

        Raises
        ------
        InputError
            If one of them is no seed, or is there already.
        """
        return dataclasses.replace(self, seeds=(*self.seeds, *settled_seeds(seeds)))

    def with_values_of(self, other: "SweepSpec") -> "SweepSpec":
        """Return the sweep with another's values on its axes, where they match to 1e-9 relative."""
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
                **self._system_in_json(),
                "task": None if self.task is None else self.task.configuration(),
                "axes": [
                    {"name": name, "values": list(axis.values), "scale": axis.scale}
                    for name, axis in self.grid.items()
                ],
                "model": settings_configuration(self.system, self.model),
                "train_size": self.train_size,
                "seeds": [list(seed) for seed in self.seeds],
                "start": self.start,
                "lag": self.lag,
                **({"refined": dict(self.refined)} if self.refined else {}),
                **({"predicted": True} if self.predicted else {}),
            }
        )

    def _system_in_json(self) -> dict[str, Any]:
        """Return the system with what makes it known elsewhere; nothing for the first one."""
        mark, brought_by = self.system.mark, self.system.brought_by
        return {**mark, "brought_by": brought_by} if mark else {}

    @classmethod
    def from_json(cls, text: str) -> "SweepSpec":
        """Return the specification that `to_json` wrote.

        Raises
        ------
        InputError
            If the text is not such a specification.
        UnknownSystem
            If its system, or the version of it, is not known here.
        """
        try:
            content = read_canonical(text)
            settings = _stored_system(content).settings
            task = content["task"]
            spec = cls(
                task=None if task is None else task_from_configuration(task),
                axes={a["name"]: Axis(_tuples(a["values"]), a["scale"]) for a in content["axes"]},
                model=settings(**{name: _tuples(v) for name, v in content["model"].items()}),
                train_size=content["train_size"],
                seeds=[(split, initial) for split, initial in content["seeds"]],
                start=content["start"],
                lag=content["lag"],
                refined=content.get("refined", {}),
                predicted=content.get("predicted", False),
            )
            # An axis that is there twice, say, or a field that is no field, would not come back.
            if read_canonical(spec.to_json()) == {**content, **spec._system_in_json()}:
                return spec
            raise InputError("spec is damaged: it says what no specification does.")
        except InputError:
            raise
        except (
            *(ValueError, KeyError, TypeError, AttributeError),
            *(OverflowError, RecursionError),  # floats and nesting without limit
        ) as error:
            raise InputError(f"spec is not a sweep specification ({error!r}).") from None


def _tuples(value: Any) -> Any:
    """Return the tuples that JSON has made lists."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _stored_system(content: Mapping[str, Any]) -> System:
    """Return the system that a stored specification names; those of the first one name none."""
    if "system" not in content:
        return first_system()
    system = system_named(content["system"], str(content["brought_by"]))
    stored, known = content.get("version"), system.version
    if stored != known:
        raise UnknownSystem(
            f'sweep is one of system "{system.name}" in version {stored}, and version {known} is '
            f"registered; register version {stored} to read it, or sweep it again."
        )
    return system


def _either(choices: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(choices[:-1]), choices[-1])))
