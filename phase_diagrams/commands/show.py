"""``show``: print a stored sweep."""

from dataclasses import dataclass
from pathlib import Path

from phase_diagrams.commands.stored import StoredSweep
from phase_diagrams.published import agreement, read_table
from phase_diagrams.text import summary


@dataclass(frozen=True)
class Show(StoredSweep):
    """Print a stored sweep: phase map, counts and each seed's ideal test accuracy."""

    table: Path | None = None
    """Published table to compare with."""

    def run(self) -> None:
        """Print the sweep."""
        diagram = self.load()
        print(summary(diagram))
        if self.table is not None:
            published = read_table(self.table, diagram.spec)
            print(f"{self.table}: {agreement(diagram, published)}")
