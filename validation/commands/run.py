"""``run``: put a published statement to the test."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from effective_theory.shell import require_extra


@dataclass(frozen=True)
class RunExperiment:
    """Run an experiment and leave its page and its numbers; the same command goes on where it was.

    `list` names them. Leaves report.html, report.json, figure-1.png.. and runs.sqlite in the folder
    --out.
    """

    name: Annotated[str, tyro.conf.Positional]
    """Name of the experiment."""
    quick: bool = False
    """Only what takes seconds: whether it runs, and nothing of the claim."""
    jobs: int | None = None
    """Runs at a time (default: one on each core)."""
    device: str = "cpu"
    """cpu or cuda: where networks are trained."""
    images: Path | None = None
    """IDX file of images, for experiments on MNIST."""
    labels: Path | None = None
    """IDX file of their labels."""
    out: Path | None = None
    """Folder (default: results/NAME, or results/NAME-quick)."""

    def run(self) -> None:
        """Run the experiment and print what came out."""
        require_extra("validation", "torch", "jinja2")
        from validation.experiments.ledger import experiment_named
        from validation.experiments.records import run_experiment

        experiment = experiment_named(self.name)
        usual = Path("results") / f"{self.name}{'-quick' * self.quick}"
        out = self.out if self.out is not None else usual
        record = run_experiment(
            experiment,
            out,
            quick=self.quick,
            jobs=self.jobs,
            device=self.device,
            images=self.images,
            labels=self.labels,
        )
        verdict = "quick run, which decides nothing" if self.quick else record.verdict
        print(f"{record.experiment}: {verdict}\n{record.measured}")
        print(f"bound: {record.bound}")
        print(f"report: {out / 'report.html'} ({record.minutes:g} minutes)")
