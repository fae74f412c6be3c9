"""``sweep``: run a grid and leave its pictures and tables."""

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path

from effective_theory.files import FileKind, picture_kind, require_outputs
from phase_diagrams.commands.estimate import estimate
from phase_diagrams.commands.options import SweepOptions
from phase_diagrams.commands.places import results_of
from phase_diagrams.commands.stored import require_table
from phase_diagrams.comparison.published import published_agreement
from phase_diagrams.comparison.published_tables import read_table
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.pictures.files import (
    fitting,
    left_out,
    picture_paths,
    remove_pictures,
    save_pictures,
)
from phase_diagrams.runs.dask_workers import dask_workers
from phase_diagrams.runs.engines import Engine, chosen_engine
from phase_diagrams.sweeping import sweep
from phase_diagrams.sweeps.spec import SweepSpec
from phase_diagrams.text.summary import summary
from phase_diagrams.text.table import TABLE, write_csv

_TABLE = "runs.csv"


@dataclass(frozen=True)
class LocalSweep(SweepOptions):
    """A sweep that this process drives, and where it leaves its files."""

    system: str | None = None
    """What is swept, by its name (default: toy); with --help beside it, the options it has."""
    out: Path | None = None
    """Folder for pictures and tables, and for the store without --store (default: results/NAME)."""
    table: Path | None = None
    """Published table to compare with."""
    table_steps: int | None = None
    """Updates of the table's runs (default: its largest index + 1, which stands for never)."""

    def place(self) -> tuple[str, Path, Path]:
        """Return the sweep's name, the folder of its results and its store."""
        name = self.name_of(self.spec())
        return name, *results_of(name, self.out, self.store)

    def run_with(self, engine: Engine) -> None:
        """Run the sweep and leave its files."""
        spec, (name, out, store) = self.spec(), self.place()
        table = self.table
        require_table(table, self.table_steps)
        published = read_table(table, spec, self.table_steps) if table is not None else None
        require_outputs(files_of(spec, out), out, store)
        began = time.perf_counter()
        diagram = sweep(spec, store=store, name=name, engine=engine)
        swept = time.perf_counter()
        files = leave_and_tell(diagram, out)
        if published is not None:
            print(f"{table}: {published_agreement(diagram, published)}")
        print(
            f"sweep {swept - began:.1f} s, pictures and tables "
            f"{time.perf_counter() - swept:.1f} s: {files}"
        )


@dataclass(frozen=True)
class Sweep(LocalSweep):
    """Run a grid, of toy models or another system; the same command resumes, extends and redraws.

    Leaves phases.png, steps.png, runs.csv and runs.sqlite in the folder --out, and majority.png
    where there are several seeds.
    """

    jobs: int | None = None
    """Runs at a time (default: one on each core)."""
    dask: str | None = None
    """Run on Dask: tcp://HOST:PORT of a scheduler, or local for worker processes here."""
    dry_run: bool = False
    """Only say how much is done, to do, and how long that takes at most."""

    def run(self) -> None:
        """Run the sweep and leave its files, or only say how much there is to do."""
        spec = self.spec()
        engine = chosen_engine(spec.system, None, self.jobs)
        # Wrong options are named before workers are started.
        with self._workers():
            if self.dry_run:
                name, _, store = self.place()
                print(estimate(spec, store, name, engine))
            else:
                self.run_with(engine)

    def _workers(self) -> contextlib.AbstractContextManager[None]:
        """Return what decides on workers: Dask where it is asked for, otherwise joblib."""
        if self.dask is None:
            return contextlib.nullcontext()
        return dask_workers(self.dask, self.jobs)


def files_of(spec: SweepSpec, out: Path) -> dict[Path, FileKind]:
    """Return the files that `leave_and_tell` writes for a sweep, with their kinds."""
    pictures = picture_paths(spec, fitting(spec), out)
    return {**{path: picture_kind(path) for path in pictures}, out / _TABLE: TABLE}


def leave_and_tell(diagram: PhaseDiagram, out: Path) -> str:
    """Write the table and the pictures that there is room for, print a summary; return the paths.

    What has no picture is said.
    """
    table = out / _TABLE
    write_csv(diagram, table)
    remove_pictures(out)
    pictures = save_pictures(diagram, fitting(diagram.spec), out)
    print(summary(diagram))
    if (sentence := left_out(diagram.spec)) is not None:
        print(sentence)
    return ", ".join(map(str, [*pictures, table]))
