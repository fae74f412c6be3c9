"""``export``: write a stored sweep as a table."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from effective_theory.files import require_writable
from phase_diagrams.loading import load
from phase_diagrams.text.table import TABLE, write_csv


@dataclass(frozen=True)
class Export:
    """Write a stored sweep as CSV, one row for each cell and seed.

    Steps are empty where not within the run.
    """

    store: Annotated[Path, tyro.conf.Positional]
    """Store of finished runs."""
    out: Annotated[Path, tyro.conf.Positional]
    """The CSV file."""
    name: str | None = None
    """Name of the sweep, where the store holds several."""
    engine: str | None = None
    """Identity of the engine whose runs to write (default: the system's own)."""

    def run(self) -> None:
        """Write the table."""
        require_writable(self.out, TABLE)
        write_csv(load(self.store, self.name, engine=self.engine), self.out)
        print(f"table: {self.out}")
