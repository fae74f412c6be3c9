"""``plot``: draw a stored sweep."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from effective_theory.files import require_folder, save_figure
from phase_diagrams.commands.stored import StoredSweep


@dataclass(frozen=True)
class Plot(StoredSweep):
    """Draw a stored sweep: phases.png and steps.png."""

    out: Path = Path(".")
    """Folder for the pictures."""
    palette: Literal["default", "paper"] = "default"
    """Colours: default (safe for colour-blind readers) or the paper's."""

    def run(self) -> None:
        """Draw both pictures."""
        diagram, out = self.load(), require_folder(self.out)
        save_figure(diagram.plot(palette=self.palette), out / "phases.png")
        save_figure(diagram.plot_steps(), out / "steps.png")
        print(f"{out / 'phases.png'}, {out / 'steps.png'}")
