"""Comparison of two diagrams: labels, steps and boundaries of the runs that they share."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from effective_theory import InputError
from effective_theory.checks import integer, shown
from phase_diagrams.comparison.result import (
    BoundaryShift,
    Comparison,
    Labels,
    StepAgreement,
)
from phase_diagrams.comparison.shared_runs import By, differences, on_places, shared_runs
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.phases import GENERALISING, RUN_PHASES, Phase
from phase_diagrams.statistics.boundaries import first_crossing, scale_positions
from phase_diagrams.sweeps.axes import Axis


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
        Two diagrams, such as those of two engines, two starts or two budgets. Their axes may differ
        in order, and their grids may overlap in part.
    by
        What runs are joined on: "cell", the identity of what was run, or "place", the values on
        the axes and the seeds, for diagrams that differ in their start or in fixed fields.
    tolerance
        Steps at most this many updates apart count as equal.
    names
        What to call the two.

    Returns
    -------
    Comparison
        Agreement of labels, steps and boundaries; print it for sentences.

    Raises
    ------
    InputError
        If an argument is wrong, a diagram holds no finished run, or no run is shared.
    """
    for name, diagram in (("a", a), ("b", b)):
        if not isinstance(diagram, PhaseDiagram):
            raise InputError(f"{name} must be a PhaseDiagram, not {type(diagram).__name__}.")
    tolerance = integer("tolerance", tolerance, 0)
    if not (isinstance(names, tuple) and len(names) == 2):
        raise InputError(f"names must be two texts such as ('a', 'b'), not {shown(names)}.")
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
            getattr(a, f"{name}_step")[places[0]],
            getattr(b, f"{name}_step")[places[1]],
            tolerance,
            a.spec.system.unit,
        )
        for name in a.spec.system.measures
        if name in b.spec.system.measures
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


def step_agreement(a: Any, b: Any, tolerance: int, unit: str = "update") -> StepAgreement:
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
        unit=unit,
    )


def _shift(axis: Axis, place: int, first: Labels, second: Labels) -> BoundaryShift:
    """Compare the edges of generalisation along the axis at that place."""
    runs = np.moveaxis(first != Phase.NOT_RUN, place, -2).sum(-1)
    ours, theirs = (_edges(axis, place, runs, phases) for phases in (first, second))
    shifts = (theirs - ours)[np.isfinite(ours) & np.isfinite(theirs)]
    return BoundaryShift(
        both=len(shifts),
        only_a=int((np.isfinite(ours) & np.isnan(theirs)).sum()),
        only_b=int((np.isfinite(theirs) & np.isnan(ours)).sum()),
        median=float(np.median(shifts)) if len(shifts) else float("nan"),
        largest=float(shifts[np.abs(shifts).argmax()]) if len(shifts) else float("nan"),
        unit="decades" if axis.scale == "log" else "",
    )


def _edges(axis: Axis, place: int, runs: NDArray[np.int64], phases: Labels) -> NDArray[np.float64]:
    """First rise and first fall of each column, shape (2, other axes...), in decades if log."""
    inside = np.moveaxis(np.isin(phases, GENERALISING), place, -2).sum(-1)
    with np.errstate(invalid="ignore"):
        share = inside / runs
    positions = scale_positions(axis) / (np.log(10) if axis.scale == "log" else 1)
    rising, falling = (first_crossing(positions, share, 0.5, d)[0] for d in ("rising", "falling"))
    return np.stack([rising, falling])
