"""``collect``: bring the results of jobs into the store."""

from dataclasses import dataclass

from phase_diagrams import Store
from validation.cluster.submissions import collect
from validation.commands.submitted import Submitted


@dataclass(frozen=True)
class Collect(Submitted):
    """Copy finished runs to the store, also while jobs still run; safe to repeat."""

    def run(self) -> None:
        """Collect and say how much is there."""
        found = self.submissions()
        for sentence in collect(self.store, self.name):
            print(sentence)
        latest = {submission.name: submission for submission in found.values()}
        with Store(self.store, create=False) as kept:
            for name, submission in latest.items():
                spec = kept.spec(name)[1]
                answers = kept.find(spec.cells(), submission.identity, submission.version)
                stored = sum(summary is not None for _, summary in answers)
                print(f"{name}: {stored} of {spec.size} runs are stored.")
