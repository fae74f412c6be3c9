"""``sweep``: run a grid and leave its pictures and tables."""

import argparse
import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import tyro

from effective_theory import InputError
from effective_theory.files import require_folder
from effective_theory.shell import ModelOptions, TaskName, name_of_task, task_named
from phase_diagrams.arguments import parse_axes, parse_seeds
from phase_diagrams.axes import Axis
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.engines import Engine, numba_engine
from phase_diagrams.estimate import estimate
from phase_diagrams.phases import LAG
from phase_diagrams.pictures import MAPS, fitting, save_pictures
from phase_diagrams.presets import preset
from phase_diagrams.published import agreement, read_table
from phase_diagrams.spec import SweepSpec
from phase_diagrams.sweeping import sweep
from phase_diagrams.tables import write_csv
from phase_diagrams.text import summary

Options = TypeVar("Options", bound="SweepOptions")


@dataclass(frozen=True)
class SweepOptions:
    """What a sweep is and where its results go, whatever runs it."""

    preset: str | None = None
    """A published diagram; the other options change it."""
    axis: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """FIELD=LOW:HIGH:COUNT[:log] or FIELD=VALUE,VALUE,..; once for each axis."""
    task: TaskName = "addition"
    """The task."""
    p: int = 10
    """Number of symbols; for permutation_group the number of permuted things."""
    train_size: int = 45
    """Number of training samples."""
    seeds: str = "0"
    """Seeds such as 0,1,2; 0/1 has split seed 0 and init seed 1."""
    start: str = "random"
    """Where runs begin: random, released, figure6 or s3."""
    lag: int = LAG
    """Least delay of test after train, in updates, that counts as grokking."""
    store: Path | None = None
    """Store of finished runs (default: runs.sqlite in --out)."""
    name: str | None = None
    """Name of the sweep in the store (default: the preset's, or the axes)."""
    out: Path | None = None
    """Folder for pictures and tables (default: results/NAME)."""
    table: Path | None = None
    """Published table to compare with."""
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
            train_size=self.train_size,
            seeds=parse_seeds(self.seeds),
            start=self.start,
            lag=self.lag,
        )

    def _require_once(self, axes: Mapping[str, Axis]) -> None:
        """Refuse an option for what an axis sweeps: it would have no effect."""
        untouched = type(self)() if self.preset is None else _of_preset(self.preset, type(self))
        given, default = (
            {**dataclasses.asdict(options.model), "train_size": options.train_size}
            for options in (self, untouched)
        )
        for name in axes:
            if given.get(name) != default.get(name):
                raise InputError(
                    f"{name} is swept by an axis and given as an option too; leave one out."
                )

    def place(self) -> tuple[str, Path, Path]:
        """Return the sweep's name, the folder of its results and its store."""
        name = self.name or self.preset or "-".join(self.spec().grid)
        out = self.out if self.out is not None else Path("results") / name
        return name, out, self.store if self.store is not None else out / "runs.sqlite"

    def run_with(self, engine: Engine) -> None:
        """Run the sweep and leave its files."""
        spec, (name, out, store) = self.spec(), self.place()
        published = read_table(self.table, spec) if self.table else None
        require_folder(out)
        began = time.perf_counter()
        diagram = sweep(spec, store=store, name=name, engine=engine)
        swept = time.perf_counter()
        files = leave_files(diagram, out)
        print(summary(diagram))
        if published is not None:
            print(f"{self.table}: {agreement(diagram, published)}")
        print(
            f"sweep {swept - began:.1f} s, pictures and tables "
            f"{time.perf_counter() - swept:.1f} s: {', '.join(str(file) for file in files)}"
        )


@dataclass(frozen=True)
class Sweep(SweepOptions):
    """Run a grid of toy models; the same command resumes, extends and redraws.

    Leaves phases.png, steps.png, runs.csv and runs.sqlite in the folder --out, and majority.png
    where there are several seeds.
    """

    jobs: int | None = None
    """Runs at a time (default: one on each core)."""
    dry_run: bool = False
    """Only say how much is done, to do, and how long that takes at most."""

    def run(self) -> None:
        """Run the sweep and leave its files, or only say how much there is to do."""
        engine = numba_engine(self.jobs)
        if self.dry_run:
            print(estimate(self.spec(), self.place()[2], engine))
        else:
            self.run_with(engine)


def leave_files(diagram: PhaseDiagram, out: Path) -> list[Path]:
    """Write the table, and pictures where the sweep fits one; return their paths."""
    table = out / "runs.csv"
    write_csv(diagram, table)
    for kind in MAPS:
        # That of an earlier sweep of this name could pass for this one's.
        (out / f"{kind}.png").unlink(missing_ok=True)
    return [*save_pictures(diagram, fitting(diagram), out), table]


def preset_defaults(arguments: Sequence[str], kind: type[Options]) -> Options:
    """Options of a sweep command that a preset stands for, so that the others are changes to it."""
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    finder.add_argument("--preset")
    try:
        name = finder.parse_known_args(arguments)[0].preset
    except argparse.ArgumentError:
        name = None
    return kind() if name is None else _of_preset(name, kind)


def _of_preset(name: str, kind: type[Options]) -> Options:
    spec = preset(name)
    task, p = name_of_task(spec.task)
    return kind(
        preset=name,
        task=task,
        p=p,
        train_size=spec.train_size,
        seeds=",".join(f"{split}/{initial}" for split, initial in spec.seeds),
        start=spec.start,
        lag=spec.lag,
        model=ModelOptions.of(spec.model),
    )
