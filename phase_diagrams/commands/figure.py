"""``figure``: the paper's figures that need trained runs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from effective_theory.files import picture_kind, require_outputs, save_figure
from phase_diagrams.commands.places import results_of
from phase_diagrams.toy.engine import numba_engine


@dataclass(frozen=True)
class PaperFigure:
    """Train the runs behind one of the paper's figures, draw it and print its number.

    Those that need no runs, 4a, 4c, 4d and 5a, are drawn by python -m effective_theory figure.
    """

    number: Annotated[Literal["3", "4b", "5b"], tyro.conf.Positional]
    """3: accuracy and its prediction; 4b, 5b: updates to a good representation."""
    out: Path | None = None
    """File to write; its ending decides the format (default: results/figure-NUMBER/figure.png)."""
    store: Path | None = None
    """Store of finished runs (default: results/figure-NUMBER/runs.sqlite)."""
    jobs: int | None = None
    """Runs at a time (default: one on each core)."""

    def run(self) -> None:
        """Train, draw and print."""
        # Loads matplotlib, seaborn and pandas, which most commands do not need at once.
        from phase_diagrams.toy.paper_figures import (
            FIGURES,
            SPECS,
            mean_difference,
            rank_correlation,
            trained_runs,
        )

        folder, store = results_of(f"figure-{self.number}", store=self.store)
        out = self.out if self.out is not None else folder / "figure.png"
        require_outputs({out: picture_kind(out)}, folder if self.out is None else None, store)
        runs = trained_runs(self.number, store=store, engine=numba_engine(self.jobs))
        about = f"figure {self.number} of the paper; {SPECS[self.number]}"
        save_figure(FIGURES[self.number](runs), out, about)
        print(f"mean |accuracy - predicted accuracy| = {mean_difference(runs):.4f}")
        print(f"rank correlation of n_h and updates to RQI > 0.95: {rank_correlation(runs)}")
        print(f"picture: {out}")
