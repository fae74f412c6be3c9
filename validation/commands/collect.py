"""``collect``: bring the results of jobs into the store."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from effective_theory import InputError
from phase_diagrams import Store
from validation.submissions import collect, submissions


@dataclass(frozen=True)
class Collect:
    """Copy finished runs to the store, also while jobs still run; safe to repeat."""

    store: Annotated[Path, tyro.conf.Positional]
    """Store that the sweep was submitted for."""
    name: str | None = None
    """Name of the sweep, where several were submitted."""

    def run(self) -> None:
        """Collect and say how much is there."""
        found = submissions(self.store, self.name)
        if not found:
            raise InputError(f"store {self.store} has no submissions; submit a sweep first.")
        for sentence in collect(self.store, self.name):
            print(sentence)
        latest = {submission.name: submission for submission in found.values()}
        with Store(self.store, create=False) as kept:
            for name, submission in latest.items():
                spec = kept.spec(name)[1]
                answers = kept.find(spec.cells(), submission.identity, submission.version)
                stored = sum(summary is not None for _, summary in answers)
                print(f"{name}: {stored} of {spec.size} runs are stored.")
