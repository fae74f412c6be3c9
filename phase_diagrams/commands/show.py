"""``show``: print a stored sweep, or one run of it."""

from dataclasses import dataclass
from pathlib import Path

from effective_theory import InputError
from effective_theory.files import require_picture, save_figure
from phase_diagrams.commands.parsing import parse_place
from phase_diagrams.commands.stored import StoredSweep, require_table
from phase_diagrams.comparison.published import published_agreement
from phase_diagrams.comparison.published_tables import read_table
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.sweeps.presets import preset_note
from phase_diagrams.sweeps.systems import UnknownSystem
from phase_diagrams.text.summary import origin_lines, summary


@dataclass(frozen=True)
class Show(StoredSweep):
    """Print a stored sweep: phase map, counts and where its runs come from; or one run."""

    table: Path | None = None
    """Published table to compare with."""
    table_steps: int | None = None
    """Updates of the table's runs (default: its largest index + 1, which stands for never)."""
    cell: str | None = None
    """One run, such as decoder_lr=1e-4,decoder_weight_decay=3,seed=0: when it learned."""
    out: Path | None = None
    """Picture of that run: its learning curve and its last state."""

    def run(self) -> None:
        """Print the sweep or the run."""
        require_table(self.table, self.table_steps)
        if self.cell is not None:
            self._show_cell(self.cell)
            return
        if self.out is not None:
            raise InputError("out is the picture of one run; name it with --cell.")
        try:
            diagram = self.load(lambda spec: None)
        except UnknownSystem as error:
            # The store is sound: what it holds is told as far as it can be.
            print(error)
            return
        note = None if self.at else preset_note(str(diagram.name), diagram.spec)
        notes = [] if note is None else [note]
        print("\n".join([summary(diagram), *notes, *origin_lines(diagram)]))
        if self.table is not None:
            published = read_table(self.table, diagram.spec, self.table_steps)
            print(f"{self.table}: {published_agreement(diagram, published)}")

    def _show_cell(self, text: str) -> None:
        if self.table is not None:
            raise InputError("table is compared with a whole sweep; leave out --cell.")
        seed, values = parse_place("cell", text)
        if self.out is not None:
            require_picture(self.out)
        diagram = self.load(lambda spec: PhaseDiagram(spec).find(seed=seed, **values))
        run, settings = diagram.run(seed=seed, **values), str(diagram.spec)
        print(f"{run}\n{settings}")
        if self.out is not None:
            save_figure(run.plot(), self.out, f"{run.name}; {settings}")
            print(f"picture: {self.out}")
