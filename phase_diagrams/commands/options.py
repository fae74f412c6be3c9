"""The options that describe a sweep, shared by the commands that run one."""

import argparse
import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

import tyro

from effective_theory import BinaryOperation, InputError, Task
from effective_theory.task_names import TaskName, name_of_task, task_named
from phase_diagrams.commands.parsing import parse_axes, parse_seeds
from phase_diagrams.phases import LAG
from phase_diagrams.sweeps.names import require_name
from phase_diagrams.sweeps.presets import preset
from phase_diagrams.sweeps.registry import first_system, system_named
from phase_diagrams.sweeps.spec import SweepSpec
from phase_diagrams.sweeps.systems import System
from phase_diagrams.sweeps.train_fraction import settled_train_size

Options = TypeVar("Options", bound="SweepOptions")


@dataclass(frozen=True)
class SweepOptions:
    """What to sweep, and where finished runs are kept; `options_of` adds what a system has."""

    preset: str | None = None
    """A published diagram; the other options change it."""
    axis: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """FIELD=LOW:HIGH:COUNT[:log] or FIELD=VALUE,VALUE,..; once for each axis."""
    seeds: str = "0"
    """Seeds such as 0,1,2 or 0:20 (from 0 to 19); 0/1 has split seed 0 and init seed 1."""
    start: str = "random"
    """Where runs begin; of the toy model: random, released, figure6, figure6c or s3."""
    lag: int = LAG
    """Least delay of test after train, in updates, that counts as grokking."""
    store: Path | None = None
    """Store of finished runs (default: runs.sqlite in results/NAME)."""
    name: str | None = None
    """Name of the sweep in the store (default: the preset's, or the axes)."""

    if TYPE_CHECKING:

        @property
        def model(self) -> Any:
            """The options of the settings, which `options_of` adds."""

    #: What these are the options of.
    swept: ClassVar[System]

    def spec(self) -> SweepSpec:
        """Return the sweep that the options describe."""
        axes = parse_axes(self.axis)
        if not axes and self.preset is not None:
            axes = dict(preset(self.preset).grid)
        if not axes:
            raise InputError("axis is missing; give --axis FIELD=.. or --preset NAME.")
        self._require_once(axes)
        task = self.asked_task()
        return SweepSpec(
            task=task,
            axes=axes,
            model=self.swept.settings(**vars(self.model)),
            train_size=self.asked_train_size(task, axes),
            seeds=parse_seeds(self.seeds),
            start=self.start,
            lag=self.lag,
        )

    def asked_task(self) -> Task | None:
        """Return the task; None where the system has none."""
        return None

    def asked_train_size(self, task: Any, axes: Collection[str]) -> int | None:
        """Return how many samples are for training; None where there is no task."""
        return None

    def values(self) -> dict[str, Any]:
        """Return what options say of fields that an axis could sweep."""
        return {**vars(self.model)}

    def _require_once(self, axes: Collection[str]) -> None:
        """Refuse an option for what an axis sweeps: it would have no effect."""
        given, default = self.values(), self._untouched.values()
        for name in axes:
            name = "train_size" if name == "train_fraction" else name
            if given.get(name) != default.get(name):
                raise InputError(
                    f"{name} is swept by an axis and given as an option too; leave one out."
                )

    @property
    def _untouched(self) -> "SweepOptions":
        """The options of the preset, or without one the defaults, before any was given."""
        kind = type(self)
        return kind() if self.preset is None else _of_preset(self.preset, kind)

    @classmethod
    def task_of(cls, spec: SweepSpec) -> dict[str, Any]:
        """Return the options that stand for a sweep's task."""
        return {}

    def replaced_axes(self) -> str | None:
        """Return in one sentence which axes of the preset others replace, None if none are."""
        axes = parse_axes(self.axis)
        if not axes or self.preset is None:
            return None
        spec = preset(self.preset)
        size = self.asked_train_size(self.asked_task(), axes)
        values = {**vars(self.model), "train_size": size}
        fixed = [f"{name} {values[name]}" for name in spec.grid if name not in axes]
        rest = f"; all runs have {' and '.join(fixed)}" if fixed else ""
        return (
            f"the axes of the preset {self.preset} ({', '.join(spec.grid)}) are replaced by "
            f"{', '.join(axes)}{rest}."
        )

    def name_of(self, spec: SweepSpec) -> str:
        """Return the sweep's name in the store."""
        usual = self.preset or "-".join(spec.grid)
        return require_name(self.name if self.name is not None else usual)


@dataclass(frozen=True)
class TrainingSetOptions(SweepOptions):
    """Of a system that trains on a part of a task's samples."""

    train_size: int | None = None
    """Number of training samples (default: the preset's, or 45)."""
    train_fraction: float | None = None
    """Training samples as a share of all, instead of their number."""

    def asked_task(self) -> Task | None:
        """Return the task of the preset, or the only one that there is."""
        if self.preset is not None:
            return cast(Task, preset(self.preset).task)
        if self.swept.usual_task is not None:
            return self.swept.usual_task()
        assert self.swept.trains_on is not None
        return self.swept.trains_on[0]()

    def asked_train_size(self, task: Any, axes: Collection[str]) -> int | None:
        """Return how many samples are for training, by the one option that says so.

        None where an axis does.
        """
        if self.train_size is None and self.train_fraction is None:
            if self.preset is not None:
                return cast(int, preset(self.preset).train_size)
            if {"train_size", "train_fraction"} & set(axes):
                return None
        return settled_train_size(task, self.train_size, self.train_fraction)

    def values(self) -> dict[str, Any]:
        """Return what options say of fields that an axis could sweep."""
        size = self.train_size if self.train_fraction is None else "a share"
        return {**super().values(), "train_size": size}


@dataclass(frozen=True)
class OperationOptions(TrainingSetOptions):
    """Of a system that trains on operations of two symbols."""

    task: TaskName = "addition"
    """The task."""
    p: int = 10
    """Number of symbols; for permutations the number of permuted things."""
    operation: str | None = None
    """Of modular_operation, such as x-y or x^2+xy+y^2 (default: x+y), or of permutation_operation:
    xy, xyx^-1 or xyx."""

    def asked_task(self) -> Task | None:
        """Return the task by its name, its number and its operation."""
        return task_named(self.task, self.p, self.operation)

    @classmethod
    def task_of(cls, spec: SweepSpec) -> dict[str, Any]:
        """Return the options that stand for a sweep's task."""
        return dict(zip(("task", "p", "operation"), name_of_task(spec.task), strict=True))


def options_of(system: System, command: type[Options]) -> type[Options]:
    """Return a command with the options of a system: its settings, and what it trains on."""
    kind: type[SweepOptions] = SweepOptions
    if system.trains_on is not None:
        operations = issubclass(system.trains_on[0], BinaryOperation)
        kind = OperationOptions if operations else TrainingSetOptions
    settings = _unchecked(system.settings)
    made = dataclasses.make_dataclass(
        command.__name__,
        [("model", settings, field(default_factory=settings))],
        bases=(command, kind) if kind is not SweepOptions else (command,),
        namespace={"__doc__": command.__doc__, "swept": system},
        frozen=True,
    )
    return cast(type[Options], made)


def _unchecked(settings: type[Any]) -> type[Any]:
    """Return settings that check nothing yet: what is wrong reaches the user in our own words."""
    return dataclasses.make_dataclass(
        settings.__name__,
        [],
        bases=(settings,),
        namespace={"__doc__": settings.__doc__, "__post_init__": lambda self: None},
        frozen=True,
    )


def chosen_options(arguments: Sequence[str], command: type[Options]) -> Options:
    """Return a command with the options of the system that arguments name by --system or --preset.

    What a preset stands for is there already, so that the other options are changes to it.

    Raises
    ------
    InputError
        If there is no such preset or system, or the two do not belong together.
    """
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    finder.add_argument("--preset")
    finder.add_argument("--system")
    try:
        found = finder.parse_known_args(arguments)[0]
    except argparse.ArgumentError:
        found = argparse.Namespace(preset=None, system=None)
    system = first_system()
    if any(each.name == "system" for each in dataclasses.fields(command)):
        if found.system is not None:
            system = system_named(found.system)
        elif found.preset is not None:
            system = preset(found.preset).system
    chosen = options_of(system, command)
    return chosen() if found.preset is None else _of_preset(found.preset, chosen)


def _of_preset(name: str, command: type[Options]) -> Options:
    spec = preset(name)
    if spec.system is not command.swept:
        raise InputError(
            f"preset {name} is one of {spec.system.plural}, not of {command.swept.plural}; choose "
            "another one."
        )
    given = {
        "preset": name,
        "seeds": ",".join(f"{split}/{initial}" for split, initial in spec.seeds),
        "start": spec.start,
        "lag": spec.lag,
        "model": dataclasses.replace(
            command().model, **{name: getattr(spec.model, name) for name in spec.system.all_fields}
        ),
        **command.task_of(spec),
    }
    return command(**given)
