"""The pictures that ``sweep`` and ``plot`` leave."""

from pathlib import Path
from typing import Literal

from effective_theory.files import save_figure
from phase_diagrams.diagram import PhaseDiagram

#: Their names.
PICTURES = ("phases.png", "steps.png", "majority.png")


def save_pictures(
    diagram: PhaseDiagram, out: Path, palette: Literal["default", "paper"] = "default"
) -> list[Path]:
    """Write the pictures that the sweep fits and return their paths."""
    phases, steps, majority = (out / name for name in PICTURES)
    written = []
    if diagram.fits_a_picture:
        save_figure(diagram.plot(palette=palette), phases)
        save_figure(diagram.plot_steps(), steps)
        written += [phases, steps]
    if diagram.fits_a_majority_picture:
        save_figure(diagram.plot_majority(palette=palette), majority)
        written.append(majority)
    return written
