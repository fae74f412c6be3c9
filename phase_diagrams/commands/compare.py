"""``compare``: two stored sweeps side by side."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from effective_theory import InputError
from effective_theory.checks import integer, printable
from effective_theory.files import require_picture, save_figure
from phase_diagrams.comparison.comparing import compare
from phase_diagrams.comparison.result import Comparison
from phase_diagrams.comparison.shared_runs import differences
from phase_diagrams.loading import stored_diagram
from phase_diagrams.runs.engines import chosen_engine
from phase_diagrams.runs.store import Store
from phase_diagrams.sweeps.spec import SweepSpec


@dataclass(frozen=True)
class Compare:
    """Compare two stored sweeps over the runs that they share; the second is the reference.

    Prints agreement of labels and steps and how far boundaries moved.
    """

    store_a: Annotated[Path, tyro.conf.Positional]
    """Store of the first sweep."""
    store_b: Annotated[Path, tyro.conf.Positional]
    """Store of the second; it may be the same."""
    name_a: str | None = None
    """Name of the first sweep, where its store holds several."""
    name_b: str | None = None
    """Name of the second."""
    engine_a: str | None = None
    """Identity of the engine whose runs of the first to read (default: its system's own)."""
    engine_b: str | None = None
    """The same for the second."""
    by: Literal["cell", "place"] = "cell"
    """What runs are joined on: what was run, or the place on the axes, where starts differ."""
    tolerance: int = 2
    """Steps at most this many updates apart count as equal."""
    out: Path | None = None
    """Picture to write; its ending decides the format (default: none)."""

    def run(self) -> None:
        """Print the comparison and draw it."""
        if self.out is not None:
            require_picture(self.out)
        comparison = self.comparison()
        if self.out is not None:
            save_figure(comparison.plot(), self.out, _about(comparison))
        print(comparison)
        if self.out is not None:
            print(f"picture: {self.out}")

    def comparison(self) -> Comparison:
        """Return the comparison that the options describe."""
        integer("tolerance", self.tolerance, 0)
        with (
            Store(self.store_a, create=False) as kept_a,
            Store(self.store_b, create=False) as kept_b,
        ):
            (name_a, spec_a), (name_b, spec_b) = kept_a.spec(self.name_a), kept_b.spec(self.name_b)
            self._require_different_runs((name_a, spec_a), (name_b, spec_b))
            a = stored_diagram(kept_a, name_a, spec_a, self.engine_a)
            b = stored_diagram(kept_b, name_b, spec_b, self.engine_b)
        names = _named_apart(
            (str(self.store_a), name_a, _engine(self.engine_a, spec_a)),
            (str(self.store_b), name_b, _engine(self.engine_b, spec_b)),
        )
        return compare(a, b, by=self.by, tolerance=self.tolerance, names=names)

    def _require_different_runs(self, a: tuple[str, SweepSpec], b: tuple[str, SweepSpec]) -> None:
        """Refuse to compare runs with themselves, before they are read."""
        same_engine = _engine(self.engine_a, a[1]) == _engine(self.engine_b, b[1])
        same_cells = self.by == "cell" and not differences(a[1], b[1])
        if same_engine and self.store_a.samefile(self.store_b) and (a[0] == b[0] or same_cells):
            raise InputError(
                "both are the same stored runs; choose two engines with --engine-a and --engine-b, "
                "or other sweeps."
            )


def _engine(given: str | None, spec: SweepSpec) -> str:
    """Return the identity of the engine whose runs are read."""
    return given or chosen_engine(spec.system, None, None).identity


def _about(comparison: Comparison) -> str:
    """Return what a comparison's picture shows."""
    a, b = comparison.names
    differ = f"; differ in {'; '.join(comparison.differences)}" if comparison.differences else ""
    return f"{a} and {b}: {comparison.spec}{differ}"


def _named_apart(a: tuple[str, str, str], b: tuple[str, str, str]) -> tuple[str, str]:
    """Names that differ: of the sweeps, else of the engines, else of the files."""
    if a[1] != b[1]:
        # Written into the store by whoever made it.
        return printable(a[1]), printable(b[1])
    if a[2] != b[2]:
        return a[2], b[2]
    return a[0], b[0]
