"""``published``: PyTorch and the simulator beside a published table that the user has."""

from dataclasses import dataclass
from pathlib import Path

from effective_theory import InputError
from effective_theory.checks import RunError, integer
from effective_theory.files import require_folder
from effective_theory.shell import require_extra
from effective_theory.toy_model import MOST_STEPS
from phase_diagrams import Engine, SweepSpec, numba_engine, preset, sweep
from phase_diagrams.commands.places import results_of
from phase_diagrams.comparison.published import published_agreement
from phase_diagrams.comparison.published_tables import read_table
from phase_diagrams.comparison.table_files import StepTable, read_step_tables
from phase_diagrams.sweeps.presets import preset_names
from phase_diagrams.toy.system import TOY


@dataclass(frozen=True)
class Published:
    """Train the cells of a published table from the published start and say how much is met.

    Both engines do; results stand in the store of the preset's own sweep. Exit code 1 if a cell in
    which rounding decides nothing is not met.
    """

    table: Path
    """CSV or HDF5 file with train_step, test_step and the columns that it sweeps."""
    table_steps: int | None = None
    """Updates of the table's runs (default: its largest index + 1, which stands for never)."""
    preset: str | None = None
    """The published diagram (default: the one with the table's axes)."""
    device: str | None = None
    """Where PyTorch trains: cpu or cuda (default: the GPU, where there is one)."""
    store: Path | None = None
    """Store of finished runs (default: runs.sqlite in results/PRESET)."""
    jobs: int | None = None
    """Runs of the simulator at a time (default: one on each core)."""

    def run(self) -> None:
        """Train what the store lacks and compare."""
        require_extra("validation", "torch")
        from validation.engine.engine import torch_engine
        from validation.judge.engine_agreement import STEP_TOLERANCE
        from validation.judge.stable_cells import STABLE, is_stable

        if self.table_steps is not None:
            integer("table_steps", self.table_steps, 1, MOST_STEPS)
        engines: tuple[Engine, ...] = numba_engine(self.jobs), torch_engine(self.device)
        name = self.preset if self.preset is not None else preset_of(self.table)
        spec = preset(name)
        table = read_table(self.table, spec, self.table_steps)
        _, store = results_of(name, store=self.store)
        require_folder(store.parent)
        stable = [cell for cell in table if is_stable(cell.values, STABLE.get(name, {}))]
        missed = []
        for engine in engines:
            diagram = sweep(spec, store=store, name=name, engine=engine)
            print(f"{engine.identity}: {published_agreement(diagram, table)}")
            if stable:
                found = published_agreement(diagram, stable, STEP_TOLERANCE)
                print(f"  where rounding decides nothing: {found}")
                if not found.labels == found.steps == found.cells:
                    missed.append(engine.identity)
        if missed:
            raise RunError(f"{' and '.join(missed)} miss published cells that should be met.")


def preset_of(path: Path) -> str:
    """Return the preset whose axes are those of a published table.

    Raises
    ------
    InputError
        If there is none, or several, or the table cannot be read.
    """
    tables = read_step_tables(path, TOY)
    presets = {name: preset(name) for name in preset_names()}
    fitting = [
        name
        for name, spec in presets.items()
        if spec.system is TOY and any(_has_axes(table, spec) for table in tables)
    ]
    if len(fitting) != 1:
        raise InputError(
            f"table {path} has the axes of {'no preset' if not fitting else ', '.join(fitting)}; "
            "name one with --preset."
        )
    return fitting[0]


def _has_axes(table: StepTable, spec: SweepSpec) -> bool:
    """Return whether a table has the values of a sweep on each of its axes, and no others."""
    if not set(spec.grid) <= set(table.fields):
        return False
    try:
        places = [
            {axis.index(row.values[name]) for row in table.rows} for name, axis in spec.grid.items()
        ]
    except InputError:
        return False
    return all(len(p) == len(axis) for p, axis in zip(places, spec.grid.values(), strict=True))
