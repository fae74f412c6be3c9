"""Command line: ``python -m phase_diagrams sweep|plot|show|export|figure|presets``."""

import argparse
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from effective_theory import InputError
from effective_theory.files import require_folder, save_figure
from effective_theory.shell import ModelOptions, read_command, run_command
from effective_theory.tasks import task_from_configuration
from phase_diagrams.arguments import parse_axes, parse_seeds
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.engines import numba_engine
from phase_diagrams.estimate import estimate
from phase_diagrams.phases import LAG
from phase_diagrams.presets import preset, preset_names
from phase_diagrams.published import agreement, read_table
from phase_diagrams.spec import SweepSpec
from phase_diagrams.sweeping import load, sweep
from phase_diagrams.tables import write_csv
from phase_diagrams.text import summary


@dataclass(frozen=True)
class Sweep:
    """Run a grid of toy models; the same command resumes, extends and redraws.

    Leaves phases.png, steps.png, runs.csv and runs.sqlite in the folder --out.
    """

    preset: str | None = None
    """A published diagram; the other options change it."""
    axis: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """FIELD=LOW:HIGH:COUNT[:log] or FIELD=VALUE,VALUE,..; once for each axis."""
    task: Literal["addition", "modular_addition"] = "addition"
    """The task."""
    p: int = 10
    """Number of symbols."""
    train_size: int = 45
    """Number of training samples."""
    seeds: str = "0"
    """Seeds such as 0,1,2; 0/1 has split seed 0 and init seed 1."""
    start: str = "random"
    """Where runs begin: random, released or figure6."""
    lag: int = LAG
    """Least delay of test after train, in updates, that counts as grokking."""
    store: Path | None = None
    """Store of finished runs (default: runs.sqlite in --out)."""
    name: str | None = None
    """Name of the sweep in the store (default: the preset's, or the axes)."""
    out: Path | None = None
    """Folder for pictures and tables (default: results/NAME)."""
    jobs: int | None = None
    """Runs at a time (default: one on each core)."""
    dry_run: bool = False
    """Only say how much is done, to do, and how long that takes at most."""
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
        return SweepSpec(
            task=task_from_configuration({"name": self.task, "p": self.p}),
            axes=axes,
            model=self.model.checked(),
            train_size=self.train_size,
            seeds=parse_seeds(self.seeds),
            start=self.start,
            lag=self.lag,
        )

    def run(self) -> None:
        """Run the sweep and leave its files."""
        spec, engine = self.spec(), numba_engine(self.jobs)
        name = self.name or self.preset or "-".join(spec.grid)
        out = self.out if self.out is not None else Path("results") / name
        store = self.store if self.store is not None else out / "runs.sqlite"
        published = read_table(self.table, spec) if self.table else None
        if self.dry_run:
            print(estimate(spec, store, engine))
            return
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
class _Stored:
    """What the commands that read a store share."""

    store: Annotated[Path, tyro.conf.Positional]
    """Store of finished runs."""
    name: str | None = None
    """Name of the sweep, where the store holds several."""

    def load(self) -> PhaseDiagram:
        return load(self.store, self.name)[1]


@dataclass(frozen=True)
class Plot(_Stored):
    """Draw a stored sweep: phases.png and steps.png."""

    out: Path = Path(".")
    """Folder for the pictures."""
    palette: Literal["default", "paper"] = "default"
    """Colours: default (safe for colour-blind readers) or the paper's."""

    def run(self) -> None:
        """Draw both pictures."""
        diagram, out = self.load(), require_folder(self.out)
        save_figure(diagram.plot(palette=self.palette), out / "phases.png")
        save_figure(diagram.plot_steps(), out / "steps.png")
        print(f"{out / 'phases.png'}, {out / 'steps.png'}")


@dataclass(frozen=True)
class Show(_Stored):
    """Print a stored sweep: phase map, counts and each seed's ideal test accuracy."""

    table: Path | None = None
    """Published table to compare with."""

    def run(self) -> None:
        """Print the sweep."""
        diagram = self.load()
        print(summary(diagram))
        if self.table is not None:
            published = read_table(self.table, diagram.spec)
            print(f"{self.table}: {agreement(diagram, published)}")


@dataclass(frozen=True)
class Export:
    """Write a stored sweep as CSV, one row for each run; empty where never reached."""

    store: Annotated[Path, tyro.conf.Positional]
    """Store of finished runs."""
    out: Annotated[Path, tyro.conf.Positional]
    """The CSV file."""
    name: str | None = None
    """Name of the sweep, where the store holds several."""

    def run(self) -> None:
        """Write the table."""
        write_csv(load(self.store, self.name)[1], self.out)


@dataclass(frozen=True)
class PaperFigure:
    """Train the runs behind one of the paper's figures, draw it and print its number."""

    number: Annotated[Literal["3", "4b", "5b"], tyro.conf.Positional]
    """3: accuracy and its prediction; 4b, 5b: updates to a good representation."""
    out: Path | None = None
    """File to write; its ending decides the format (default: results/figure-NUMBER/figure.png)."""
    store: Path | None = None
    """Store of finished runs (default: results/figure-NUMBER/runs.sqlite)."""
    jobs: int | None = None
    """Runs at a time (default: one on each core)."""

    def run(self) -> None:
        """Train, draw and print."""
        # Loads matplotlib, seaborn and pandas, which most commands do not need at once.
        from phase_diagrams.figures import FIGURES, mean_difference, rank_correlation, trained_runs

        folder = Path("results") / f"figure-{self.number}"
        out = self.out if self.out is not None else require_folder(folder) / "figure.png"
        store = self.store if self.store is not None else folder / "runs.sqlite"
        runs = trained_runs(self.number, store=store, engine=numba_engine(self.jobs))
        save_figure(FIGURES[self.number](runs), out)
        print(f"mean |accuracy - predicted accuracy| = {mean_difference(runs):.4f}")
        print(f"rank correlation of n_h and updates to RQI > 0.95: {rank_correlation(runs)}")
        print(f"picture: {out}")


@dataclass(frozen=True)
class Presets:
    """List the published diagrams."""

    def run(self) -> None:
        """Print one line for each."""
        for name, text in preset_names().items():
            print(f"{name:14} {text}")


def leave_files(diagram: PhaseDiagram, out: Path) -> list[Path]:
    """Write the table, and pictures where the sweep fits one; return their paths."""
    phases, steps, table = out / "phases.png", out / "steps.png", out / "runs.csv"
    write_csv(diagram, table)
    if not diagram.fits_a_picture:
        # Those of an earlier sweep of this name would pass for this one's.
        phases.unlink(missing_ok=True)
        steps.unlink(missing_ok=True)
        return [table]
    save_figure(diagram.plot(), phases)
    save_figure(diagram.plot_steps(), steps)
    return [phases, steps, table]


def _preset_defaults(arguments: Sequence[str]) -> Sweep:
    """Options that a preset stands for, so that the others are changes to it."""
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    finder.add_argument("--preset")
    try:
        name = finder.parse_known_args(arguments)[0].preset
    except argparse.ArgumentError:
        name = None
    if name is None:
        return Sweep()
    spec = preset(name)
    fields: dict[str, Any] = spec.task.configuration()
    return Sweep(
        preset=name,
        task=fields["name"],
        p=fields["p"],
        train_size=spec.train_size,
        seeds=",".join(f"{split}/{initial}" for split, initial in spec.seeds),
        start=spec.start,
        lag=spec.lag,
        model=ModelOptions.of(spec.model),
    )


COMMANDS = {
    "sweep": Sweep,
    "plot": Plot,
    "show": Show,
    "export": Export,
    "figure": PaperFigure,
    "presets": Presets,
}


def _run(arguments: Sequence[str]) -> None:
    defaults = {"sweep": _preset_defaults(arguments)}
    chosen = read_command("phase_diagrams", COMMANDS, arguments, defaults)
    with warnings.catch_warnings():
        # Splits that cannot generalise are named in the summary.
        warnings.simplefilter("ignore", UserWarning)
        chosen.run()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    return run_command(lambda: _run(given))
