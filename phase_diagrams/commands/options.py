"""The options that describe a sweep, shared by the commands that run one."""

import argparse
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import tyro

from effective_theory import InputError
from effective_theory.shell import ModelOptions, TaskName, name_of_task, task_named
from phase_diagrams.commands.parsing import parse_axes, parse_seeds
from phase_diagrams.phases import LAG
from phase_diagrams.sweeps.axes import Axis
from phase_diagrams.sweeps.names import require_name
from phase_diagrams.sweeps.presets import preset
from phase_diagrams.sweeps.spec import SweepSpec
from phase_diagrams.sweeps.train_fraction import settled_train_size

Options = TypeVar("Options", bound="SweepOptions")


@dataclass(frozen=True)
class SweepOptions:
    """What to sweep, and where finished runs are kept."""

    preset: str | None = None
    """A published diagram; the other options change it."""
    axis: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """FIELD=LOW:HIGH:COUNT[:log] or FIELD=VALUE,VALUE,..; once for each axis."""
    task: TaskName = "addition"
    """The task."""
    p: int = 10
    """Number of symbols; for permutation_group the number of permuted things."""
    train_size: int | None = None
    """Number of training samples (default: the preset's, or 45)."""
    train_fraction: float | None = None
    """Training samples as a share of all, instead of their number."""
    seeds: str = "0"
    """Seeds such as 0,1,2 or 0:20 (from 0 to 19); 0/1 has split seed 0 and init seed 1."""
    start: str = "random"
    """Where runs begin: random, released, figure6, figure6c or s3."""
    lag: int = LAG
    """Least delay of test after train, in updates, that counts as grokking."""
    store: Path | None = None
    """Store of finished runs (default: runs.sqlite in results/NAME)."""
    name: str | None = None
    """Name of the sweep in the store (default: the preset's, or the axes)."""
    model: ModelOptions = field(default_factory=ModelOptions)

    def spec(self) -> SweepSpec:
        """Return the sweep that the options describe."""
        axes = parse_axes(self.axis)
        if not axes and self.preset is not None:
            axes = dict(preset(self.preset).grid)
        if not axes:
            raise InputError("axis is missing; give --axis FIELD=.. or --preset NAME.")
        self._require_once(axes)
        return SweepSpec(
            task=task_named(self.task, self.p),
            axes=axes,
            model=self.model.checked(),
            train_size=self._train_size(),
            seeds=parse_seeds(self.seeds),
            start=self.start,
            lag=self.lag,
        )

    def _require_once(self, axes: Mapping[str, Axis]) -> None:
        """Refuse an option for what an axis sweeps: it would have no effect."""
        given, default = (dataclasses.asdict(o.model) for o in (self, self._untouched))
        given["train_size"] = self.train_size if self.train_fraction is None else "a share"
        for name in axes:
            name = "train_size" if name == "train_fraction" else name
            if given.get(name) != default.get(name):
                raise InputError(
                    f"{name} is swept by an axis and given as an option too; leave one out."
                )

    @property
    def _untouched(self) -> "SweepOptions":
        """The options of the preset, or without one the defaults, before any was given."""
        return SweepOptions() if self.preset is None else _of_preset(self.preset, SweepOptions)

    def _train_size(self) -> int:
        """Return how many samples are for training, by the one option that says so."""
        if self.train_size is None and self.train_fraction is None and self.preset is not None:
            return preset(self.preset).train_size
        task = task_named(self.task, self.p)
        return settled_train_size(task, self.train_size, self.train_fraction)

    def replaced_axes(self) -> str | None:
        """Return in one sentence which axes of the preset others replace, None if none are."""
        axes = parse_axes(self.axis)
        if not axes or self.preset is None:
            return None
        spec = preset(self.preset)
        values = {**dataclasses.asdict(self.model), "train_size": self._train_size()}
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


def preset_defaults(arguments: Sequence[str], command: type[Options]) -> Options:
    """Options that a preset stands for, so that the others are changes to it."""
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    finder.add_argument("--preset")
    try:
        name = finder.parse_known_args(arguments)[0].preset
    except argparse.ArgumentError:
        name = None
    return command() if name is None else _of_preset(name, command)


def _of_preset(name: str, command: type[Options]) -> Options:
    spec = preset(name)
    task, p = name_of_task(spec.task)
    return command(
        preset=name,
        task=task,
        p=p,
        seeds=",".join(f"{split}/{initial}" for split, initial in spec.seeds),
        start=spec.start,
        lag=spec.lag,
        model=ModelOptions.of(spec.model),
    )
