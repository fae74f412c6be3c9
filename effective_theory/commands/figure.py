"""``figure``: the paper's figures that need no sweep."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from effective_theory.files import require_picture, save_figure
from effective_theory.paper_figures import FIGURES


@dataclass(frozen=True)
class Figure:
    """Draw one of the paper's figures: those that need no sweep of trained networks.

    Those that need one, 3, 4b and 5b, are drawn by python -m phase_diagrams figure.
    """

    name: Annotated[Literal["4a", "4c", "4d", "5a"], tyro.conf.Positional]
    """4a: P(linear structure); 4c, 4d: embeddings in theory and network; 5a: grokking rate."""
    out: Path | None = None
    """File to write; its ending decides the format (default: figure_NAME.png)."""

    def run(self) -> None:
        """Draw the figure into the file."""
        out = self.out if self.out is not None else Path(f"figure_{self.name}.png")
        require_picture(out)
        save_figure(FIGURES[self.name](), out, f"figure {self.name} of the paper")
        print(f"picture: {out}")
