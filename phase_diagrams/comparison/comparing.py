"""Comparison of two diagrams: labels, steps and boundaries of the runs that they share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from effective_theory import InputError
from effective_theory.checks import integer
from phase_diagrams.comparison.shared_runs import By, Index, differences, on_places, shared_runs
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.phases import GENERALISING, RUN_PHASES, Phase
from phase_diagrams.statistics.boundaries import first_crossing, scale_positions
from phase_diagrams.sweeps.axes import Axis
from phase_diagrams.sweeps.spec import SweepSpec

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_STEPS = ("train", "test", "rqi")
Labels = NDArray[np.int8]


@dataclass(frozen=True)
class StepAgreement:
    """How well the updates until one threshold agree, over the shared runs.

    Attributes
    ----------
    both, only_a, only_b, neither
        Runs that reached the threshold in both, in one, in none.
    rank_correlation
        Spearman's, of those that reached it in both; NaN for fewer than two or constant steps.
    median_difference, largest_difference
        Of |a - b| in updates; NaN where none reached it in both.
    within
        Runs that differ by at most ``tolerance`` updates.
    """

    both: int
    only_a: int
    only_b: int
    neither: int
    rank_correlation: float
    median_difference: float
    largest_difference: float
    within: int
    tolerance: int


@dataclass(frozen=True)
class BoundaryShift:
    """How far the edges of generalisation moved along one axis, b less a.

    In each column of cells along the axis, an edge is the first place where the share of the shared
    runs in comprehension or grokking rises to 1/2, and the first where it falls below
    (`phase_diagrams.statistics.boundaries`); each is compared with its like.

    Attributes
    ----------
    both, only_a, only_b
        Edges in both diagrams and in one of them.
    median, largest
        Median shift and the one with the largest size; NaN where no edge is in both.
    unit
        Unit of the shift: "decades" on a log axis, otherwise the axis' own.
    """

    both: int
    only_a: int
    only_b: int
    median: float
    largest: float
    unit: str


@dataclass(frozen=True, eq=False)
class Comparison:
    """What two diagrams say of the runs that they share; b is the reference.

    Attributes
    ----------
    names
        Of the two diagrams.
    by
        What runs were joined on.
    runs
        Number of runs of each diagram.
    differences
        What is fixed in both sweeps and differs, such as the budget.
    spec
        The sweep of a.
    phases
        Phases of a and of b, each on the grid of a; `Phase.NOT_RUN` where no run is shared.
    table
        Runs by phase of a (rows) and of b (columns), both in the order of RUN_PHASES.
    steps
        Agreement of "train", "test" and "rqi".
    shifts
        Shift of the boundary along each axis with a scale.
    """

    names: tuple[str, str]
    by: By
    runs: tuple[int, int]
    differences: tuple[str, ...]
    spec: SweepSpec
    phases: tuple[Labels, Labels]
    table: NDArray[np.int64]
    steps: Mapping[str, StepAgreement]
    shifts: Mapping[str, BoundaryShift]
    _pairs: tuple[tuple[Index, Index], ...]
    _diagrams: tuple[PhaseDiagram, PhaseDiagram]

    @property
    def present(self) -> list[int]:
        """Rows and columns of the table whose phase either diagram has."""
        table = self.table
        return [k for k in range(len(table)) if table[k].any() or table[:, k].any()]

    @property
    def shared(self) -> int:
        """Number of runs that both made."""
        return int(self.table.sum())

    @property
    def agreeing(self) -> int:
        """Number of shared runs with the same label."""
        return int(self.table.trace())

    @property
    def commonest(self) -> int:
        """Number of shared runs that always saying b's commonest label would get right."""
        return int(self.table.sum(axis=0).max())

    @property
    def kappa(self) -> float:
        """Cohen's kappa of the labels; NaN where all are one label in both.

        Agreement beyond that of independent labels with the same frequencies, as a share of what
        is possible (Cohen, Educational and Psychological Measurement 20:37, 1960).
        """
        return cohen_kappa(self.table)

    def to_frame(self) -> "pd.DataFrame":
        """Return a pandas frame with one row for each shared run, in the order of a."""
        import pandas as pd

        rows: list[dict[str, Any]] = []
        found = [(d.phases, d) for d in self._diagrams]
        for places in self._pairs:
            cell = self.spec.cell(places[0])
            row = self.spec.written_at(places[0])
            row["split_seed"], row["init_seed"] = cell.seed
            for suffix, (phases, diagram), place in zip("ab", found, places, strict=True):
                row[f"phase_{suffix}"] = Phase(int(phases[place])).label
                for step in _STEPS:
                    value = getattr(diagram, f"{step}_step")[place]
                    row[f"{step}_step_{suffix}"] = None if value is np.ma.masked else int(value)
            rows.append(row)
        steps = {f"{step}_step_{suffix}": "Int64" for step in _STEPS for suffix in "ab"}
        return pd.DataFrame(rows).astype(steps)

    def text(self) -> str:
        """Return the comparison as lines of text."""
        from phase_diagrams.comparison.text import comparison_text

        return comparison_text(self)

    def plot(self, **options: Any) -> "Figure":
        """Draw the table and the map of disagreement; see `comparison_plotting`."""
        from phase_diagrams.comparison.picture import plot_comparison

        return plot_comparison(self, **options)


def compare(
    a: PhaseDiagram,
    b: PhaseDiagram,
    *,
    by: By = "cell",
    tolerance: int = 2,
    names: tuple[str, str] = ("a", "b"),
) -> Comparison:
    """Compare two diagrams over the runs that they share; ``b`` is the reference.

    Parameters
    ----------
    a, b
        Two diagrams: of two engines, two starts, two budgets; axes may differ in order, and grids
        may overlap in part.
    by
        What runs are joined on: "cell", the identity of what was run, or "place", the values on
        the axes and the seeds, for diagrams that differ in their start or in fixed fields.
    tolerance
        Steps within so many updates count as equal.
    names
        What to call the two.

    Raises
    ------
    InputError
        If an argument is wrong, or no run is shared.
    """
    for name, diagram in (("a", a), ("b", b)):
        if not isinstance(diagram, PhaseDiagram):
            raise InputError(f"{name} must be a PhaseDiagram, not {type(diagram).__name__}.")
    tolerance = integer("tolerance", tolerance, 0)
    pairs = shared_runs(a, b, by)
    first, second = (
        on_places(diagram.phases, pairs, which, a.spec.shape, Phase.NOT_RUN)
        for which, diagram in enumerate((a, b))
    )
    shared = first != Phase.NOT_RUN
    table = np.zeros((len(RUN_PHASES), len(RUN_PHASES)), np.int64)
    np.add.at(table, (first[shared], second[shared]), 1)
    places = [tuple(np.array(side).T) for side in zip(*pairs, strict=True)]
    steps = {
        name: step_agreement(
            getattr(a, f"{name}_step")[places[0]], getattr(b, f"{name}_step")[places[1]], tolerance
        )
        for name in _STEPS
    }
    shifts = {
        name: _shift(axis, place, first, second)
        for place, (name, axis) in enumerate(a.spec.grid.items())
        if axis.scale != "ordinal" and len(axis) > 1
    }
    return Comparison(
        names=names,
        by=by,
        runs=(int(a.measured.sum()), int(b.measured.sum())),
        differences=differences(a.spec, b.spec),
        spec=a.spec,
        phases=(first, second),
        table=table,
        steps=steps,
        shifts=shifts,
        _pairs=tuple(pairs),
        _diagrams=(a, b),
    )


def cohen_kappa(table: NDArray[np.int64]) -> float:
    """Return Cohen's kappa of a square table of counts; NaN where chance alone agrees always."""
    total = int(table.sum())
    observed = int(table.trace()) / total
    chance = float((table.sum(0) * table.sum(1)).sum()) / total**2
    return (observed - chance) / (1 - chance) if chance < 1 else float("nan")


def step_agreement(a: Any, b: Any, tolerance: int) -> StepAgreement:
    """Compare two masked arrays of steps, shape (runs,); masked is never."""
    from scipy.stats import spearmanr

    in_a, in_b = ~np.ma.getmaskarray(a), ~np.ma.getmaskarray(b)
    both = in_a & in_b
    ours, theirs = np.asarray(a[both], np.int64), np.asarray(b[both], np.int64)
    apart = np.abs(ours - theirs)
    varied = len(apart) > 1 and np.ptp(ours) > 0 and np.ptp(theirs) > 0
    return StepAgreement(
        both=int(both.sum()),
        only_a=int((in_a & ~in_b).sum()),
        only_b=int((in_b & ~in_a).sum()),
        neither=int((~in_a & ~in_b).sum()),
        rank_correlation=float(spearmanr(ours, theirs).statistic) if varied else float("nan"),
        median_difference=float(np.median(apart)) if len(apart) else float("nan"),
        largest_difference=float(apart.max()) if len(apart) else float("nan"),
        within=int((apart <= tolerance).sum()),
        tolerance=tolerance,
    )


def _shift(axis: Axis, place: int, first: Labels, second: Labels) -> BoundaryShift:
    """Compare the edges of generalisation along the axis at that place."""
    known = np.moveaxis(first != Phase.NOT_RUN, place, -2).sum(-1)
    ours, theirs = (_edges(axis, place, known, phases) for phases in (first, second))
    shifts = (theirs - ours)[np.isfinite(ours) & np.isfinite(theirs)]
    return BoundaryShift(
        both=len(shifts),
        only_a=int((np.isfinite(ours) & np.isnan(theirs)).sum()),
        only_b=int((np.isfinite(theirs) & np.isnan(ours)).sum()),
        median=float(np.median(shifts)) if len(shifts) else float("nan"),
        largest=float(shifts[np.abs(shifts).argmax()]) if len(shifts) else float("nan"),
        unit="decades" if axis.scale == "log" else "",
    )


def _edges(axis: Axis, place: int, known: NDArray[np.int64], phases: Labels) -> NDArray[np.float64]:
    """First rise and first fall of each column, shape (2, other axes...), in decades if log."""
    inside = np.moveaxis(np.isin(phases, GENERALISING), place, -2).sum(-1)
    with np.errstate(invalid="ignore"):
        share = inside / known
    positions = scale_positions(axis) / (np.log(10) if axis.scale == "log" else 1)
    rising, falling = (first_crossing(positions, share, 0.5, d)[0] for d in ("rising", "falling"))
    return np.stack([rising, falling])
