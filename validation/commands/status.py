"""``status``: how far the jobs of a store are."""

from dataclasses import dataclass

from validation.cluster.progress import next_step, submission_progress, sweep_progress
from validation.commands.submitted import Submitted


@dataclass(frozen=True)
class Status(Submitted):
    """Say of each submission how many runs are done and stored, and which elements wait or run."""

    def run(self) -> None:
        """Print a line for each submission, one for each sweep, and what to do next."""
        every = self.submissions()
        submissions = submission_progress(every, self.store)
        sweeps = sweep_progress(every.values(), self.store)
        for line in (*submissions, *sweeps):
            print(line)
        print(f"next: {next_step(self.store, submissions, sweeps)}")
