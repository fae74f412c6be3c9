"""``plot``: draw a stored sweep."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from effective_theory import InputError
from effective_theory.files import require_folder, save_figure
from phase_diagrams.commands.pictures import save_pictures
from phase_diagrams.commands.stored import StoredSweep

#: Seed of the resamples behind a band: the same store gives the same picture.
_RESAMPLING_SEED = 0


@dataclass(frozen=True)
class Plot(StoredSweep):
    """Draw a stored sweep: phases.png and steps.png; majority.png where it has several seeds."""

    out: Path = Path(".")
    """Folder for the pictures."""
    palette: Literal["default", "paper"] = "default"
    """Colours: default (safe for colour-blind readers) or the paper's."""
    boundary: str | None = None
    """Axis along which half of the runs begin and cease to generalise: boundary.png, with bands."""

    def run(self) -> None:
        """Draw the pictures."""
        diagram = self.load()
        axes = list(diagram.spec.grid)
        if len(axes) > 2:
            raise InputError(
                f"a picture has one or two axes, this sweep has {len(axes)} ({', '.join(axes)}); "
                "sweep a part of it."
            )
        edges = []
        if self.boundary is not None:
            edges = [
                diagram.boundary(self.boundary, rng=_RESAMPLING_SEED, direction=direction)
                for direction in ("rising", "falling")
            ]
        out = require_folder(self.out)
        written = save_pictures(diagram, out, self.palette)
        if edges:
            # Loads matplotlib, which a wrong axis need not wait for.
            from phase_diagrams.majority_plotting import plot_boundary

            written.append(out / "boundary.png")
            save_figure(plot_boundary(diagram, *edges), written[-1])
            print(f"share of runs that generalise, along {self.boundary}:")
            print("\n".join(line for edge in edges for line in edge.lines()))
        print(", ".join(str(path) for path in written))
