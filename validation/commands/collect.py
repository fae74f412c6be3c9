"""``collect``: bring the results of jobs into the store."""

from dataclasses import dataclass

from validation.cluster.collecting import collect
from validation.cluster.progress import sweep_progress
from validation.commands.submitted import Submitted


@dataclass(frozen=True)
class Collect(Submitted):
    """Copy finished runs to the store, also while jobs still run; safe to repeat."""

    def run(self) -> None:
        """Collect and say how much is stored."""
        every = self.submissions()
        for sentence in collect(self.store, self.name):
            print(sentence)
        for sweep in sweep_progress(every.values(), self.store):
            print(sweep)
