"""``show``: print a stored sweep, or one run of it."""

from dataclasses import dataclass
from pathlib import Path

from effective_theory import InputError
from effective_theory.files import require_picture, save_figure
from phase_diagrams.arguments import parse_cell
from phase_diagrams.commands.stored import StoredSweep
from phase_diagrams.published import agreement, read_table
from phase_diagrams.text import summary
from phase_diagrams.wording import settings_text


@dataclass(frozen=True)
class Show(StoredSweep):
    """Print a stored sweep: phase map, counts and each seed's ideal test accuracy; or one run."""

    table: Path | None = None
    """Published table to compare with."""
    cell: str | None = None
    """One run, such as decoder_lr=1e-4,decoder_weight_decay=3,seed=0: when it learned."""
    out: Path | None = None
    """Picture of that run: its learning curve and its embeddings."""

    def run(self) -> None:
        """Print the sweep or the run."""
        if self.cell is not None:
            self._show_cell(self.cell)
            return
        if self.out is not None:
            raise InputError("out is the picture of one run; name it with --cell.")
        diagram = self.load()
        print(summary(diagram))
        if self.table is not None:
            published = read_table(self.table, diagram.spec)
            print(f"{self.table}: {agreement(diagram, published)}")

    def _show_cell(self, text: str) -> None:
        if self.table is not None:
            raise InputError("table is compared with a whole sweep; leave out --cell.")
        seed, values = parse_cell(text)
        if self.out is not None:
            require_picture(self.out)
        diagram = self.load()
        run, settings = diagram.run(seed=seed, **values), settings_text(diagram.spec)
        print(f"{run}\n{settings}")
        if self.out is not None:
            save_figure(run.plot(), self.out, f"{run.name}; {settings}")
            print(f"picture: {self.out}")
