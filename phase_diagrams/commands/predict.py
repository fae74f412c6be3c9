"""``predict``: a diagram from short runs at larger learning rates."""

from dataclasses import dataclass
from pathlib import Path

from effective_theory.checks import fraction
from effective_theory.files import require_outputs
from phase_diagrams.commands.options import SweepOptions
from phase_diagrams.commands.places import results_of
from phase_diagrams.commands.sweep import files_of, leave_and_tell
from phase_diagrams.predicting import measure_doubtful, predict
from phase_diagrams.runs.engines import chosen_engine
from phase_diagrams.sweeps.names import require_name
from phase_diagrams.sweeps.spec import SweepSpec


@dataclass(frozen=True)
class Predict(SweepOptions):
    """Predict a grid of toy models from short runs at larger learning rates.

    The same command resumes. Leaves phases.png, steps.png, runs.csv and runs.sqlite in the folder
    --out, and majority.png where there are several seeds. Cells that were not measured are hatched,
    and the table has the probability of each one's phase.
    """

    name: str | None = None
    """Name of the sweep in the store (default: the preset's, or the axes, and -predicted)."""
    measure_below: float | None = None
    """Then run the cells whose phase has a smaller probability, such as 0.9."""
    out: Path | None = None
    """Folder for pictures and tables, and for the store without --store (default: results/NAME)."""
    jobs: int | None = None
    """Runs at a time (default: one on each core)."""

    def name_of(self, spec: SweepSpec) -> str:
        """Return the predicted sweep's name in the store: by default that of the sweep, marked."""
        if self.name is not None:
            return require_name(self.name)
        return require_name(f"{super().name_of(spec)}-predicted")

    def run(self) -> None:
        """Predict, measure what is doubtful if that is asked for, and leave the files."""
        spec = self.spec()
        name = self.name_of(spec)
        out, store = results_of(name, self.out, self.store)
        if self.measure_below is not None:
            fraction("measure_below", self.measure_below)
        require_outputs(files_of(spec, out), out, store)
        engine = chosen_engine(spec.system, None, self.jobs)
        diagram = predict(spec, store=store, name=name, engine=engine)
        if self.measure_below is not None:
            diagram = measure_doubtful(diagram, self.measure_below, store=store, engine=engine)
        print(f"{name}: {leave_and_tell(diagram, out)}")
