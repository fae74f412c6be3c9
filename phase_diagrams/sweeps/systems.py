"""Systems: what can be swept. Each is one entry, which declares all that is particular to it.

The toy model is the first entry (`phase_diagrams.toy.system`). The rest of this package asks the
entry, and never which system it is; `registry` knows them by name.
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, get_args, get_type_hints

import numpy as np
from numpy.typing import NDArray

from effective_theory import Dataset, InputError, Task
from effective_theory.checks import integer, of_type, shown
from effective_theory.toy_model import StopWhen
from phase_diagrams.sweeps.axes import Scale

#: What tables of runs have besides the settings.
_RESERVED = (
    *("system", "version", "task", "start", "lag", "seed", "split_seed", "init_seed"),
    *("phase", "diverged_step", "status", "source", "probability"),
)


class Budget(NamedTuple):
    """How long a run may go on and when it stops before: no part of what is run."""

    steps: int
    stop_when: StopWhen


#: The field of all settings that holds their budget.
BUDGET = Budget._fields[0]


@dataclass(frozen=True)
class Field:
    """What a sweep has to know about a field of the settings.

    Attributes
    ----------
    label
        Its name on the axes of pictures; by default the field's own name, with blanks.
    scale
        Scale of its axis, "linear", "log" or "ordinal", where the values fit it; by default as
        `Axis` decides.
    longest
        Which of its values make a run long, the "smallest" or the "largest"; those runs begin
        first.
    none
        How tables write the value None, where an empty cell would be read as a missing value.
    """

    label: str = ""
    scale: Scale | None = None
    longest: Literal["smallest", "largest"] | None = None
    none: str = "None"


@dataclass(frozen=True)
class Measure:
    """A quantity whose first crossing of a threshold is noted in every run.

    Attributes
    ----------
    label
        Its name in pictures and reports, such as "train accuracy".
    threshold
        Field of the settings that holds the threshold; None where the system has no such field.
    sign
        "≥", or ">" where the quantity has to be above its threshold.
    is_defined
        ``(task) -> bool``: whether the task has such a quantity.
    """

    label: str
    threshold: str | None = None
    sign: Literal["≥", ">"] = "≥"
    is_defined: Callable[[Any], bool] = lambda task: True


#: What a run can be measured by; each has its step and its column of a learning curve.
MEASURES = ("train", "test", "rqi")
#: What every system measures.
ACCURACIES = {"train": Measure("train accuracy"), "test": Measure("test accuracy")}


@dataclass(frozen=True)
class FinalState:
    """What the store keeps of a run's last state: a table of numbers, drawn row by row.

    Attributes
    ----------
    name
        Its name, such as "embeddings".
    row
        What a row stands for, such as "symbol".
    shape
        ``(settings, task) -> (rows, columns)``.
    """

    name: str
    row: str
    shape: Callable[[Any, Any], tuple[int, int]]


@dataclass(frozen=True, eq=False)
class System:
    """Something that can be swept, such as the toy model: settings and what runs them.

    Parameters
    ----------
    name
        Its name in stores and on the command line.
    settings
        Frozen dataclass of hyper-parameters that checks itself. Its field ``steps`` is the budget.
    engine
        ``(n_jobs) -> Engine``: what runs cells where the user gives no engine.
    plural
        Its plural in messages, such as "toy models".
    trains_on
        Class of its tasks, with an example in words; None where it gets its data from elsewhere.
    usual_task
        ``() -> task``: the task of command lines where no preset gives one; by default a task of
        that class made from no arguments.
    fields
        The fields that may be swept.
    measures
        What is measured: "train" and "test", the two accuracies, and "rqi" where it is defined.
    stops_when
        When a run ends before its budget, where that is no field of the settings.
    unit
        What ``steps`` counts, such as "update".
    state
        What is kept of the last state; None for nothing.
    further
        Further columns of its learning curves, such as "plain_test_accuracy".
    samples
        ``(settings, task, train_size) -> (train, test)``: the numbers of samples that accuracies
        are shares of. With them a store checks each run's steps, accuracies and learning curve
        against each other; without them, None, these may be unknown.
    require_fit
        ``(task, values) -> None``: raises InputError where a task and the values of fields, each a
        tuple of all that the sweep gives it, do not suit each other.
    ideal_accuracy
        ``(dataset) -> float or None``: test accuracy that theory allows a split; None where there
        is no such theory.
    strict_test
        ``(dataset) -> indices or None``: test samples that the test accuracy counts, those whose
        mirror is not in training; None where mirrors do not matter.
    expected_seconds
        ``() -> (cell) -> float``: an estimate of a run's duration, in seconds; None where there is
        none.
    shapes_start
        Fields that shape a start; a start fixes those that its recipe does not honour.
    fields_fit
        Whether every value of a field goes with every value of the others: the settings of a
        sweep's cells are then not checked again.
    one_seed
        Whether a run has a single seed, rather than one for the split and one for the start.
    batch_size
        Field with the size of minibatches, None for the full batch; None where there is none.
    rates
        Names of the learning rates of AdamW, the one that sets the unit of time last: with all of
        them times a factor, and nothing else changed, a run is nearly the same one, that many times
        faster (`rescale`).
    later
        Fields that are younger than some stores, with the value at which stored texts omit them.
    published_columns
        Names that published tables give to fields.
    published_like
        Fields that a published table does not name and that must be those of its diagram.
    version
        Part of what identifies its runs, where their code is the user's; otherwise None.
    source
        Hash of that code; None if it is not known.
    brought_by
        How to make the system known where it is not, as in "install the extra [validation]".
    in_identity
        Whether the system's name is part of what identifies its runs. It is for all systems but the
        first, whose runs were stored before there were others.

    Raises
    ------
    InputError
        If the name is no word, the settings are no frozen dataclass with a field ``steps`` and all
        defaults, or a field is named that they do not have.
    """

    name: str
    settings: type
    engine: Callable[[int | None], Any]
    plural: str = ""
    trains_on: tuple[type[Task], str] | None = None
    usual_task: Callable[[], Task] | None = None
    fields: Mapping[str, Field] = field(default_factory=dict)
    measures: Mapping[str, Measure] = field(default_factory=dict)
    stops_when: StopWhen | None = None
    unit: str = "update"
    state: FinalState | None = None
    further: tuple[str, ...] = ()
    samples: Callable[[Any, Any, int], tuple[int, int]] | None = None
    require_fit: Callable[[Any, Mapping[str, tuple[Any, ...]]], None] = lambda task, values: None
    ideal_accuracy: Callable[[Dataset], float | None] | None = None
    strict_test: Callable[[Dataset], NDArray[np.int64] | None] | None = None
    expected_seconds: Callable[[], Callable[[Any], float]] | None = None
    shapes_start: tuple[str, ...] = ()
    fields_fit: bool = False
    one_seed: bool = False
    batch_size: str | None = None
    rates: tuple[str, ...] = ()
    later: Mapping[str, Any] = field(default_factory=dict)
    published_columns: Mapping[str, str] = field(default_factory=dict)
    published_like: tuple[str, ...] = ()
    version: int | None = None
    source: str | None = None
    brought_by: str = ""
    in_identity: bool = True
    starts: dict[str, Any] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        def settle(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)

        text = of_type("name", self.name, str, "text")
        if not text.isidentifier():
            raise InputError(f"name must be a word such as toy or my_trainer, not {shown(text)}.")
        require_settings(self.settings)
        names = [each.name for each in dataclasses.fields(self.settings)]
        taken = [name for name in names if name in self._reserved()]
        if taken:
            raise InputError(
                f"settings.{taken[0]} has a name that sweeps and their tables use; choose another."
            )
        unknown = sorted(set(self.fields) - set(names))
        if unknown:
            raise InputError(f"fields name {unknown}; the settings have {', '.join(names)}.")
        settle("fields", dict(self.fields) or {name: Field() for name in names})
        settle("measures", {**ACCURACIES, **self.measures})
        if unknown := sorted(set(self.measures) - set(MEASURES)):
            raise InputError(f"measures name {unknown}; choose from {', '.join(MEASURES)}.")
        if unknown := sorted(set(self.rates) - set(names)):
            raise InputError(f"rates name {unknown}; the settings have {', '.join(names)}.")
        settle("plural", self.plural or f"runs of {self.name}")
        if self.samples and not all(self.measures[side].threshold for side in ACCURACIES):
            raise InputError("samples need measures with the thresholds of train and test.")
        if self.version is not None:
            settle("version", integer("version", self.version, 0))
        if self.stops_when is None and Budget._fields[1] not in names:
            settle("stops_when", "never")

    def _reserved(self) -> set[str]:
        """Names that would be ambiguous as axes, or as columns of tables."""
        of_data = ("train_size", "train_fraction") if self.trains_on is not None else ()
        # No part of what a run is known by: a field of this name would be left out.
        of_budget = Budget._fields[1:] if self.stops_when is not None else ()
        return {*_RESERVED, *of_data, *of_budget, *(f"{name}_step" for name in self.measures)}

    @functools.cached_property
    def all_fields(self) -> dict[str, Any]:
        """The fields of the settings with their defaults, whether they may be swept or not."""
        return {each.name: each.default for each in dataclasses.fields(self.settings)}

    @property
    def types(self) -> dict[str, tuple[Any, ...]]:
        """The types that the fields of the settings may have."""
        return field_types(self.settings)

    @property
    def mark(self) -> dict[str, Any]:
        """What tells the system's runs from those of others; nothing for the first."""
        if not self.in_identity:
            return {}
        version = {} if self.version is None else {"version": self.version}
        return {"system": self.name, **version}

    def budget(self, settings: Any) -> Budget:
        """Return how long a run of these settings may go on."""
        return Budget(settings.steps, self.stops_when or settings.stop_when)

    def label(self, name: str) -> str:
        """Return the name of a swept field as it stands beside an axis."""
        if name == "train_size" and name not in self.fields:
            return "training samples"
        known = self.fields.get(name, Field())
        return known.label or name.replace("_", " ")

    def written(self, name: str, value: Any) -> Any:
        """Return a value of a field as tables write it: never None."""
        return self.fields.get(name, Field()).none if value is None else value

    def condition(self, measure: str, threshold: float | None) -> str:
        """Return in words what the first update of a measure reaches: "train accuracy ≥ 0.9"."""
        known = self.measures[measure]
        bound = "at its threshold" if threshold is None else f"{known.sign} {threshold:g}"
        return f"{known.label} {bound}"

    def threshold(self, measure: str, settings: Any) -> float | None:
        """Return the threshold of a measure; None where the settings have none."""
        held = self.measures[measure].threshold
        return None if held is None else float(getattr(settings, held))

    def defined(self, task: Any) -> dict[str, Measure]:
        """Return the measures that a task has, by their names."""
        return {name: each for name, each in self.measures.items() if each.is_defined(task)}


def require_settings(settings: Any) -> None:
    """Raise InputError unless this is a frozen dataclass with a budget and all defaults."""
    example = "a frozen dataclass such as ToyModel"
    if not (isinstance(settings, type) and dataclasses.is_dataclass(settings)):
        raise InputError(f"settings must be {example}, not {shown(settings)}.")
    if not vars(settings)["__dataclass_params__"].frozen or hasattr(settings, "__slots__"):
        raise InputError(
            f"settings must be {example}; decorate it with @dataclass(frozen=True) alone."
        )
    fields = {each.name: each for each in dataclasses.fields(settings)}
    if BUDGET not in fields:
        raise InputError(f"settings must have a field {BUDGET}, the budget of a run.")
    for name, each in fields.items():
        if not each.init:
            raise InputError(f"settings.{name} must be an argument of {settings.__name__}.")
        if each.default is dataclasses.MISSING:
            raise InputError(f"settings.{name} must have a plain default, such as {name}: int = 1.")


def with_field_types(settings: Any) -> Any:
    """Return settings with whole numbers as floats, and NumPy's as Python's, where fields say so.

    Runs are known by their settings, and 1 and 1.0 are not to make two of them.

    Raises
    ------
    InputError
        If a field holds what no store can keep.
    """
    changed = {}
    kinds: type = type(settings)
    for name, types in field_types(kinds).items():
        value = getattr(settings, name)
        kind = float if float in types else int if int in types else type(value)
        is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
        if is_number and type(value) is not kind:
            value = _as_kind(kind, value)
            changed[name] = value
        if not _is_plain(value):
            raise InputError(
                f"{name} must be a number, a text, True, False, None or a tuple of these, for "
                f"runs are known and kept by their settings; it is {shown(value)}."
            )
    return dataclasses.replace(settings, **changed) if changed else settings


def _as_kind(kind: type, value: Any) -> Any:
    """Return a number as another kind of number, if that is the same number."""
    try:
        converted = kind(value)
    except (OverflowError, ValueError):
        return value
    return converted if converted == value else value


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    # NaN is not equal to itself: a sweep of it would never be found again.
    return value is None or (type(value) in (bool, int, float, str) and value == value)


@functools.cache
def field_types(settings: type) -> dict[str, tuple[Any, ...]]:
    """Return the types that the fields of settings may have, such as (int, NoneType).

    Where annotations cannot be read, as those of a class within a function that name what lies
    there, a field's type is that of its default.
    """
    try:
        hints = get_type_hints(settings)
    except NameError:
        hints = {}
    types = {}
    for each in dataclasses.fields(settings):
        hint = hints.get(each.name, type(each.default))
        types[each.name] = get_args(hint) or (hint,)
    return types


class UnknownSystem(InputError):
    """A system that is not known here; the message says what brings it."""
