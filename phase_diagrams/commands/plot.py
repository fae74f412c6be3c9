"""``plot``: draw a stored sweep."""

from dataclasses import dataclass
from pathlib import Path

import tyro

from effective_theory.files import (
    foreseen_folder,
    require_folder,
    require_picture,
    save_figure,
)
from phase_diagrams.commands.stored import StoredSweep
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.drawing.palette import Palette
from phase_diagrams.pictures.files import (
    Format,
    Kind,
    file_part,
    fitting,
    left_out,
    picture_paths,
    save_pictures,
)
from phase_diagrams.statistics.boundaries import require_axis
from phase_diagrams.sweeps.spec import SweepSpec
from phase_diagrams.wording import seed_text

#: Seed of the resamples behind a band: the same store gives the same picture.
_RESAMPLING_SEED = 0


@dataclass(frozen=True)
class Plot(StoredSweep):
    """Draw a stored sweep: phases.png, steps.png and, where it has several seeds, majority.png.

    With --kind, --boundary or --html only what they ask for. A sweep with more than two axes has
    maps for each value of the others, such as phases-batch_size=15.png; so has a part of a sweep.
    """

    out: Path = Path(".")
    """Folder for the pictures."""
    format: Format = "png"
    """Format of the pictures."""
    palette: Palette = "default"
    """Colours: default (safe for colour-blind readers) or the paper's."""
    kind: tyro.conf.UseAppendAction[tuple[Kind, ...]] = ()
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
            diagram.plot.page(self.html, palette=self.palette)
            left.append(self.html)
        if kinds := self._kinds(diagram.spec):
            left += save_pictures(
                diagram, kinds, require_folder(self.out), palette=self.palette,
                format=self.format, part=self._part(),
            )  # fmt: skip
            if (sentence := left_out(diagram.spec)) is not None:
                print(sentence)
        print(", ".join(str(path) for path in left))

    def _kinds(self, spec: SweepSpec) -> tuple[Kind, ...]:
        """Return the pictures that are asked for."""
        asked = self.kind or self.boundary is not None or self.html is not None
        return self.kind if asked else fitting(spec)

    def _part(self) -> str:
        """Return what part of the sweep is drawn, as it ends the names of files."""
        seed, values = self.place()
        texts = {name: str(value) for name, value in values.items()}
        if seed is not None:
            texts["seed"] = seed_text(seed) if isinstance(seed, tuple) else str(seed)
        return file_part(texts)

    def _boundary_file(self) -> Path:
        return self.out / f"boundary{self._part()}.{self.format}"

    def _require_outputs(self, spec: SweepSpec) -> None:
        """Check, before the runs are read, that all can be drawn and written."""
        kinds = self._kinds(spec)
        pictures = picture_paths(spec, kinds, self.out, self.format, self._part())
        if self.boundary is not None:
            require_axis(spec, self.boundary)
            pictures.append(self._boundary_file())
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
        from phase_diagrams.drawing.layout import Look
        from phase_diagrams.pictures.over_seeds import plot_boundary

        figure = plot_boundary(diagram, edges, Look(palette=self.palette))
        require_folder(self.out)
        save_figure(figure, self._boundary_file(), str(diagram.spec))
        print(f"share of runs that generalise, along {along}:")
        print(*edges, sep="\n")
        return self._boundary_file()
