"""``plot``: draw a stored sweep."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from effective_theory.files import require_folder, save_figure
from phase_diagrams.commands.stored import StoredSweep
from phase_diagrams.pictures import Picture, pictures


@dataclass(frozen=True)
class Plot(StoredSweep):
    """Draw a stored sweep: phases.png and steps.png, or what --kind and --html ask for."""

    out: Path = Path(".")
    """Folder for the pictures."""
    palette: Literal["default", "paper"] = "default"
    """Colours: default (safe for colour-blind readers) or the paper's."""
    kind: tyro.conf.UseAppendAction[tuple[Picture, ...]] = ()
    """A picture: the phases; the steps to both thresholds; the lags of test after train; the order
    of RQI, train and test; or these against each axis. Once for each picture."""
    html: Path | None = None
    """A page for a browser, with everything in it: pointing at a cell shows its run."""

    def run(self) -> None:
        """Draw the pictures or write the page."""
        diagram = self.load()
        left: list[Path] = []
        if self.html is not None:
            diagram.save_page(self.html, palette=self.palette)
            left.append(self.html)
        default: tuple[Picture, ...] = ("phases", "steps") if self.html is None else ()
        for kind in self.kind or default:
            for name, figure in pictures(diagram, kind, self.palette):
                left.append(require_folder(self.out) / f"{name}.png")
                save_figure(figure, left[-1])
        print(", ".join(str(file) for file in left))
