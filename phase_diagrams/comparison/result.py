"""What a comparison of two diagrams says: labels, steps and boundaries of their shared runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from phase_diagrams.comparison.shared_runs import By, Index
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.phases import RUN_PHASES, Phase
from phase_diagrams.sweeps.spec import SweepSpec
from phase_diagrams.wording import number, place_name

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

Labels = NDArray[np.int8]
#: Runs with differing labels that are listed one by one.
_LISTED = 8


@dataclass(frozen=True)
class StepAgreement:
    """How well two diagrams agree in the updates to one threshold, over the runs that they share.

    Attributes
    ----------
    both, only_a, only_b, neither
        Numbers of runs that reached the threshold in both diagrams, in one, in neither.
    rank_correlation
        Spearman's, of the steps of runs that reached it in both; NaN for fewer than two runs or
        constant steps.
    median_difference, largest_difference
        Of |a - b| in updates; NaN where no run reached it in both.
    within
        Number of runs that differ by at most ``tolerance`` updates.
    tolerance
        Updates that count as no difference.
    unit
        What steps count, such as "update".
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
    unit: str = "update"

    def __str__(self) -> str:
        """Return how many runs reached it, and how far apart they did."""
        reached = f"reached in both {self.both}, in one {self.only_a + self.only_b}"
        if not self.both:
            return reached
        return (
            f"{reached}; rank correlation {number(self.rank_correlation, '.4f')}, differences: "
            f"median {self.median_difference:g}, largest {self.largest_difference:g}, "
            f"{self.within} within {self.tolerance} {self.unit}s"
        )


@dataclass(frozen=True)
class BoundaryShift:
    """How far the edges of generalisation moved along one axis, b less a.

    In each column of cells along the axis, an edge is the first place where the share of the shared
    runs in comprehension or grokking rises to 1/2, and the first where it falls below
    (`phase_diagrams.statistics.boundaries`); each is compared with its like.

    Attributes
    ----------
    both, only_a, only_b
        Numbers of edges in both diagrams and in one of them.
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

    def __str__(self) -> str:
        """Return how many edges there are, and how far they moved."""
        edges = f"{self.both} in both, {self.only_a + self.only_b} in one"
        if not self.both:
            return edges
        unit = f" {self.unit}" if self.unit else ""
        return f"{edges}; median shift {self.median:+.3g}{unit}, largest {self.largest:+.3g}{unit}"


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """What two diagrams say about the runs that they share; b is the reference.

    Attributes
    ----------
    names
        Names of the two diagrams.
    by
        What runs were joined on, "cell" or "place".
    runs
        Number of measured runs of each diagram.
    differences
        What is fixed in both sweeps and differs, such as the budget, in words.
    spec
        The sweep of a.
    phases
        Phases of a and of b, integers of `Phase`, each on the grid of a, shape (axes..., seeds);
        `Phase.NOT_RUN` where no run is shared.
    table
        Number of shared runs by phase of a (rows) and of b (columns), both in the order of
        RUN_PHASES.
    steps
        Agreement of "train", "test" and, where both have it, "rqi".
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
        """Return a pandas frame with one row for each shared run, in the order of a.

        Columns of a and b end in ``_a`` and ``_b``. Steps are completed updates, missing where
        never.
        """
        import pandas as pd

        rows: list[dict[str, Any]] = []
        sides = [(d.phases, d) for d in self._diagrams]
        for places in self._pairs:
            cell = self.spec.cell(places[0])
            row = self.spec.written_at(places[0])
            row["split_seed"], row["init_seed"] = cell.seed
            for suffix, (phases, diagram), place in zip("ab", sides, places, strict=True):
                row[f"phase_{suffix}"] = Phase(int(phases[place])).label
                for step in self.steps:
                    value = getattr(diagram, f"{step}_step")[place]
                    row[f"{step}_step_{suffix}"] = None if value is np.ma.masked else int(value)
            rows.append(row)
        steps = {f"{step}_step_{suffix}": "Int64" for step in self.steps for suffix in "ab"}
        return pd.DataFrame(rows).astype(steps)

    def __repr__(self) -> str:
        """Return how many labels agree."""
        a, b = self.names
        agreeing = f"{self.agreeing} of {self.shared} labels agree"
        return f"Comparison({a}, {b}: {agreeing}, kappa {number(self.kappa, '.3f')})"

    def __str__(self) -> str:
        """Return labels, steps, boundaries and the first differing runs, line by line."""
        (a, b), shared = self.names, self.shared
        lines = [
            f"{shared} runs shared by {self.by}, of {self.runs[0]} in {a} and {self.runs[1]} in {b}"
        ]
        if self.differences:
            lines.append(f"the sweeps differ in {'; '.join(self.differences)}")
        lines += [
            f"labels: {self.agreeing} of {shared} agree ({self.agreeing / shared:.1%}); "
            f"always {b}'s commonest: {self.commonest} ({self.commonest / shared:.1%}); "
            f"kappa {number(self.kappa, '.3f')}",
            *self._table_lines(),
        ]
        for name, steps in self.steps.items():
            lines.append(f"{'RQI' if name == 'rqi' else name} steps: {steps}")
        for name, shift in self.shifts.items():
            lines.append(f"edges of generalisation along {name}: {shift}")
        return "\n".join([*lines, *self._differing_lines()])

    def _table_lines(self) -> list[str]:
        """Return a row for each phase of a and a column for each of b, where either has it."""
        labels = [RUN_PHASES[k].label for k in self.present]
        corner = " \\ ".join(self.names)
        margin = max(len(text) for text in (*labels, corner))
        widths = [max(len(text), 6) for text in labels]
        head = [f"{text:>{width}}" for text, width in zip(labels, widths, strict=True)]
        lines = ["  ".join([f"{corner:>{margin}}", *head])]
        for k, label in zip(self.present, labels, strict=True):
            row = zip(self.table[k, self.present], widths, strict=True)
            counts = [f"{count:>{width}}" for count, width in row]
            lines.append("  ".join([f"{label:>{margin}}", *counts]))
        return lines

    def _differing_lines(self) -> list[str]:
        """Return the first few runs whose labels differ."""
        first, second = self.phases
        places = [tuple(map(int, index)) for index in np.argwhere(first != second)]
        lines = []
        for place in places[:_LISTED]:
            name = place_name(self.spec.texts_at(place), self.spec.seeds[place[-1]])
            ours, theirs = (Phase(int(phases[place])).label for phases in (first, second))
            lines.append(f"  {name}: {ours}, {theirs}")
        if lines:
            lines.insert(0, f"differing labels ({', '.join(self.names)}):")
        if len(places) > _LISTED:
            lines.append(f"  and {len(places) - _LISTED} more")
        return lines

    def plot(
        self, *, title: str | None = None, figsize: tuple[float, float] | None = None
    ) -> "Figure":
        """Draw the table and the map of disagreement; see `phase_diagrams.comparison.picture`."""
        from phase_diagrams.comparison.picture import Table, plot_comparison

        there = self.present
        kappa = number(self.kappa, ".2f")
        table = Table(
            self.names,
            [RUN_PHASES[k] for k in there],
            self.table[np.ix_(there, there)],
            f"{self.agreeing} of {self.shared} labels agree, kappa {kappa}",
        )
        return plot_comparison(self.spec, table, phases=self.phases, title=title, figsize=figsize)


def cohen_kappa(table: NDArray[np.int64]) -> float:
    """Return Cohen's kappa of a square table of counts; NaN where chance alone agrees always."""
    total = int(table.sum())
    observed = int(table.trace()) / total
    chance = float((table.sum(0) * table.sum(1)).sum()) / total**2
    return (observed - chance) / (1 - chance) if chance < 1 else float("nan")
