"""What the commands about submissions share."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from effective_theory import InputError
from validation.cluster.submissions import Submission, submissions


@dataclass(frozen=True)
class Submitted:
    """A store, and which of the sweeps that were submitted for it."""

    store: Annotated[Path, tyro.conf.Positional]
    """Store that the sweep was submitted for."""
    name: str | None = None
    """Name of the sweep, where several were submitted."""

    def submissions(self) -> dict[Path, Submission]:
        """Return the submissions by their folder, the oldest first.

        Raises
        ------
        InputError
            If there is none.
        """
        every = submissions(self.store, self.name)
        if not every:
            raise InputError(f"store {self.store} has no submissions; submit a sweep first.")
        return every
