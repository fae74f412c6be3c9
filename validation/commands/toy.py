"""``toy``: does PyTorch, trained in full, agree with the simulator? A report says."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import tyro

from effective_theory import InputError
from effective_theory.checks import RunError, non_negative
from effective_theory.files import require_outputs
from effective_theory.shell import require_extra
from phase_diagrams import PhaseDiagram, SweepSpec, preset
from phase_diagrams.commands.options import SweepOptions
from phase_diagrams.commands.places import results_of


@dataclass(frozen=True)
class Toy(SweepOptions):
    """Sweep in the simulator and in PyTorch, compare the two and write a report.

    Both begin from identical starts and from nudged ones. Leaves report.html, report.json and
    agreement.png; the same command resumes. Exit code 1 if the two do not agree.
    """

    device: str | None = None
    """Where PyTorch trains: cpu or cuda (default: the GPU, where there is one)."""
    nudges: int = 8
    """Number of starts nudged by one unit in the last place."""
    stable: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """FIELD=VALUE: up to it rounding decides nothing (default: what is known of the preset)."""
    trajectories: bool = True
    """Also train single cells beside float64, for minutes; --no-trajectories leaves them out."""
    cells_per_batch: int | None = None
    """Runs that PyTorch trains together (default: what suits the device)."""
    jobs: int | None = None
    """Runs of the simulator at a time (default: one on each core)."""
    store: Path | None = None
    """Store of finished runs (default: runs.sqlite in the folder --out)."""
    out: Path | None = None
    """Folder of the report, and of the store without --store (default: results/NAME-agreement)."""

    def run(self) -> None:
        """Compare and leave the report."""
        require_extra("validation", "torch", "jinja2")
        from validation.judge.engine_agreement import agreement
        from validation.judge.report import report_files, write_report
        from validation.judge.typical_cells import typical_cells

        spec = self.spec()
        name = self.name_of(spec)
        out, store = results_of(f"{name}-agreement", self.out, self.store)
        stable = self.stable_region(spec)
        require_outputs(report_files(PhaseDiagram(spec), out), out, store)
        verdict = agreement(
            spec,
            device=self.device,
            store=store,
            name=name,
            nudges=self.nudges,
            stable=stable,
            jobs=self.jobs,
            cells_per_batch=self.cells_per_batch,
        )
        typical = list(typical_cells(verdict.simulator)) if self.trajectories else []
        files = write_report(verdict, out, typical=typical)
        print(verdict)
        for each in typical:
            print(each)
        print(f"report: {', '.join(str(file) for file in files)}")
        if not verdict.holds:
            raise RunError(f"simulator and PyTorch do not agree; {files[0]} says where.")

    def stable_region(self, spec: SweepSpec) -> Mapping[str, float]:
        """Return up to where rounding decides nothing: as given, or as known of a preset."""
        from validation.judge.stable_cells import STABLE

        if self.stable:
            return dict(_bound(text) for text in self.stable)
        unchanged = self.preset is not None and spec == preset(self.preset)
        return STABLE.get(self.preset or "", {}) if unchanged else {}


def _bound(text: str) -> tuple[str, float]:
    """Return the field and the number of FIELD=VALUE."""
    name, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"stable must be FIELD=VALUE, not {text!r}.")
    try:
        number = float(value)
    except ValueError:
        raise InputError(f"stable must be FIELD=VALUE with a number, not {text!r}.") from None
    return name, non_negative("stable", number)
