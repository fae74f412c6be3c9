"""``plot``: draw a stored sweep."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from effective_theory import InputError
from effective_theory.files import (
    foreseen_folder,
    require_folder,
    require_picture,
    save_figure,
)
from phase_diagrams.commands.stored import StoredSweep
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.pictures.files import Picture, fitting, picture_paths, save_pictures
from phase_diagrams.statistics.boundaries import require_axis
from phase_diagrams.sweeps.spec import SweepSpec

#: Seed of the resamples behind a band: the same store gives the same picture.
_RESAMPLING_SEED = 0
_BOUNDARY = "boundary.png"


@dataclass(frozen=True)
class Plot(StoredSweep):
    """Draw a stored sweep: phases.png, steps.png and, where it has several seeds, majority.png.

    With --kind, --boundary or --html only what they ask for.
    """

    out: Path = Path(".")
    """Folder for the pictures."""
    palette: Literal["default", "paper"] = "default"
    """Colours: default (safe for colour-blind readers) or the paper's."""
    kind: tyro.conf.UseAppendAction[tuple[Picture, ...]] = ()
    """A picture: the phases; the steps to both thresholds; the majority over seeds; the lags of
    test after train; the order of RQI, train and test; or these against each axis. Once for each
    picture."""
    boundary: str | None = None
    """Axis along which half of the runs begin and cease to generalise: boundary.png, with bands."""
    html: Path | None = None
    """A page for a browser, with everything in it: pointing at a cell shows its run."""

    def run(self) -> None:
        """Draw the pictures or write the page."""
        diagram = self.load(self._require_outputs)
        left: list[Path] = []
        if self.boundary is not None:
            left.append(self._draw_boundary(diagram, self.boundary))
        if self.html is not None:
            diagram.save_page(self.html, palette=self.palette)
            left.append(self.html)
        if kinds := self._kinds(diagram.spec):
            left += save_pictures(diagram, kinds, require_folder(self.out), self.palette)
        print(", ".join(str(path) for path in left))

    def _kinds(self, spec: SweepSpec) -> tuple[Picture, ...]:
        """Return the pictures that are asked for."""
        asked = self.kind or self.boundary is not None or self.html is not None
        return self.kind if asked else fitting(PhaseDiagram(spec))

    def _require_outputs(self, spec: SweepSpec) -> None:
        """Check, before the runs are read, that all can be drawn and written."""
        pictures = picture_paths(spec, self._kinds(spec), self.out)
        if self.boundary is not None:
            require_axis(spec, self.boundary)
            pictures.append(self.out / _BOUNDARY)
        if not (pictures or self.html is not None):
            raise InputError(
                f"a picture has one or two axes, this sweep has {len(spec.grid)} "
                f"({', '.join(spec.grid)}); sweep a part of it."
            )
        if pictures and foreseen_folder(self.out).exists():
            for picture in pictures:
                require_picture(picture)
        if self.html is not None:
            from phase_diagrams.page import require_page

            require_page(spec, self.html)

    def _draw_boundary(self, diagram: PhaseDiagram, along: str) -> Path:
        edges = [
            diagram.boundary(along, rng=_RESAMPLING_SEED, direction=direction)
            for direction in ("rising", "falling")
        ]
        # Loads matplotlib, which a wrong axis need not wait for.
        from phase_diagrams.pictures.over_seeds import plot_boundary

        path = require_folder(self.out) / _BOUNDARY
        save_figure(plot_boundary(diagram, *edges), path, str(diagram.spec))
        print(f"share of runs that generalise, along {along}:")
        print(*edges, sep="\n")
        return path
