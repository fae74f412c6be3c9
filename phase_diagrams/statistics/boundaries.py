"""Boundaries between phases: where a probability over seeds crosses a level, with its band.

Along one axis the probability is taken as linear between neighbouring measured cells, on the axis'
own scale. A column of the diagram may cross the level several times, as where generalisation is
lost at both ends: the boundary is the first crossing along the axis in the direction asked for, and
their number is given beside it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from effective_theory import InputError
from effective_theory.checks import (
    RandomSource,
    confidence_level,
    fraction,
    integer,
    random_generator,
    shown,
)
from phase_diagrams.phases import GENERALISING, Phase, as_phases
from phase_diagrams.statistics.probabilities import Labels
from phase_diagrams.statistics.seed_effects import Runs, of_used_seeds
from phase_diagrams.sweeps.axes import Axis
from phase_diagrams.sweeps.seeds import Seed, seed_groups
from phase_diagrams.sweeps.spec import SweepSpec
from phase_diagrams.wording import place_name

Direction = Literal["any", "rising", "falling"]
Array = NDArray[np.float64]

_VERBS = {"any": ("cross", "crosses"), "rising": ("rise", "rises"), "falling": ("fall", "falls")}


@dataclass(frozen=True, eq=False, repr=False)
class Boundary:
    """A boundary along one axis; all arrays have the shape of the other axes.

    Attributes
    ----------
    along
        The axis along which the boundary is looked for.
    others
        The other axes.
    of
        The phases whose probability crosses the level.
    level
        The level.
    direction
        Whether the probability rises there, falls, or either.
    value
        First crossing along the axis, in its units (places 0, 1, 2, .. if ordinal); NaN for none.
    low, high
        Band of the first crossing over resampled seeds; NaN where there is no crossing, or one run.
    crossings
        Number of crossings.
    crossing_share
        Share of the resamples with runs that cross: the band describes these alone. NaN where none
        has a run.
    confidence
        Coverage of the band.
    """

    along: str
    others: Mapping[str, Axis]
    of: tuple[Phase, ...]
    level: float
    direction: Direction
    value: Array
    low: Array
    high: Array
    crossings: NDArray[np.int64]
    crossing_share: Array
    confidence: float

    def __repr__(self) -> str:
        """Return what crosses which level along which axis, and in how many columns it does."""
        names = " or ".join(phase.label for phase in self.of)
        crossing = int(np.isfinite(self.value).sum())
        return (
            f"Boundary({names} at {self.level:g} along {self.along}: "
            f"{crossing} of {self.value.size} columns)"
        )

    def __str__(self) -> str:
        """Return one line for each value of the other axes: where the probability crosses."""
        lines = []
        for index in np.ndindex(self.value.shape):
            others = zip(self.others.items(), index, strict=True)
            place = place_name({name: axis.texts[k] for (name, axis), k in others})
            value, low, high = (float(a[index]) for a in (self.value, self.low, self.high))
            band = (
                ""
                if np.isnan(low)
                else f", {self.confidence:.0%} band {low:.3g} to {high:.3g} "
                f"({self.crossing_share[index]:.0%} of resamples)"
            )
            more = f", first of {self.crossings[index]}" if self.crossings[index] > 1 else ""
            verb, verbs = _VERBS[self.direction]
            never = f"does not {verb}"
            where = never if np.isnan(value) else f"{verbs} at {value:.3g}{more}{band}"
            lines.append(f"{place + ': ' if place else ''}{where}")
        return "\n".join(lines)


def require_axis(spec: SweepSpec, along: str) -> None:
    """Raise InputError unless a sweep has an axis of that name."""
    if not isinstance(along, str) or along not in spec.grid:
        raise InputError(
            f"along must be an axis of the sweep ({', '.join(spec.grid)}), not {shown(along)}."
        )


def boundary(
    spec: SweepSpec,
    phases: Labels,
    measured: Runs,
    along: str,
    *,
    rng: RandomSource,
    of: Phase | str | Collection[Phase | str] = GENERALISING,
    level: float = 0.5,
    direction: Direction = "any",
    confidence: float = 0.95,
    resamples: int = 999,
) -> Boundary:
    """Return where the probability of phases crosses a level along one axis, with its band.

    The band is the percentile bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap,
    1993) over whole groups of runs: every seed, split or initialisation, that several runs share is
    drawn anew with all its runs, both where the design is crossed (Owen, Annals of Applied
    Statistics 1:386, 2007); single runs are where none is shared, or one split is all there is, of
    which the band then speaks. One resample serves all columns, which have their seeds in common.

    Parameters
    ----------
    spec
        The sweep.
    phases
        Integers of `Phase`, shape (axes..., seeds).
    measured
        Which runs count, same shape.
    along
        The axis.
    rng
        Seed of the resamples.
    of
        One phase or several, as `Phase` or by name; by default those that generalise.
    level
        Probability at the boundary; a cell at it counts as above.
    direction
        "rising", "falling" or "any" crossings.
    confidence
        Of the band.
    resamples
        Their number.

    Raises
    ------
    InputError
        If an argument is wrong.
    """
    names = list(spec.grid)
    require_axis(spec, along)
    if direction not in get_args(Direction):
        raise InputError(f"direction must be one of {get_args(Direction)}, not {direction!r}.")
    chosen, level = as_phases(of), fraction("level", level)
    if level == 0:
        raise InputError("level must be above 0; every probability is at least 0.")
    confidence = confidence_level(confidence)
    resamples, generator = integer("resamples", resamples, 1, 10**6), random_generator(rng)
    used, seeds = of_used_seeds(measured, spec.seeds)
    weights = resampled_weights(seeds, resamples, generator) if seeds else np.ones((resamples, 0))
    place = names.index(along)
    # Columns last but for the seeds: shape (other axes..., along, seeds).
    runs = np.moveaxis(measured[..., used], place, -2).astype(np.float64)
    inside = np.moveaxis(np.isin(phases, chosen)[..., used], place, -2) * runs
    axis = spec.grid[along]
    positions = scale_positions(axis)
    value, crossings = first_crossing(
        positions, _share(inside.sum(-1), runs.sum(-1)), level, direction
    )
    low, high, crossing = (np.full(value.shape, np.nan) for _ in range(3))
    for column in np.ndindex(value.shape):
        drawn = _share(weights @ inside[column].T, weights @ runs[column].T)
        # Splits and initialisations are drawn apart: some have no run together.
        drawn = drawn[np.isfinite(drawn).any(-1)]
        places = first_crossing(positions, drawn, level, direction)[0]
        there = places[np.isfinite(places)]
        crossing[column] = len(there) / len(places) if len(places) else np.nan
        if np.isfinite(value[column]) and len(there) and runs[column].sum(-1).max() > 1:
            tails = (1 - confidence) / 2, (1 + confidence) / 2
            low[column], high[column] = np.quantile(there, tails)
    return Boundary(
        along=along,
        others={name: other for name, other in spec.grid.items() if name != along},
        of=chosen,
        level=level,
        direction=direction,
        value=axis_units(axis, value),
        low=axis_units(axis, low),
        high=axis_units(axis, high),
        crossings=crossings,
        crossing_share=crossing,
        confidence=confidence,
    )


def first_crossing(
    positions: Array, probability: Array, level: float, direction: Direction = "any"
) -> tuple[Array, NDArray[np.int64]]:
    """Return the first crossing of each row, NaN for none, and the number of them.

    Parameters
    ----------
    positions
        Increasing places along the axis, shape (n,).
    probability
        Shape (..., n); NaN where nothing is known, which the line between its neighbours bridges.
    level
        The level; a probability at it counts as above.
    direction
        "rising", "falling" or "any" crossings.
    """
    rows = np.array(probability, dtype=np.float64).reshape(-1, len(positions))
    for gap in np.flatnonzero(np.isnan(rows).any(-1)):
        finite = np.isfinite(rows[gap])
        if finite.any():
            rows[gap] = np.interp(positions, positions[finite], rows[gap, finite], np.nan, np.nan)
    before, after = rows[:, :-1], rows[:, 1:]
    rising = (before < level) & (after >= level)
    falling = (before >= level) & (after < level)
    crosses = {"any": rising | falling, "rising": rising, "falling": falling}[direction]
    count = crosses.sum(-1)
    first_places = np.full(len(rows), np.nan)
    if len(positions) > 1:
        row = np.flatnonzero(count)
        first = crosses[row].argmax(-1)
        start, end = before[row, first], after[row, first]
        width = positions[first + 1] - positions[first]
        first_places[row] = positions[first] + width * (level - start) / (end - start)
    return first_places.reshape(probability.shape[:-1]), count.reshape(probability.shape[:-1])


def resampled_weights(seeds: Sequence[Seed], resamples: int, rng: np.random.Generator) -> Array:
    """Return how often each run is drawn in each resample, shape (resamples, runs)."""
    shared = [groups for groups in seed_groups(seeds) if 1 < groups.max() + 1 < len(seeds)]
    weights = np.ones((resamples, len(seeds)))
    for groups in shared or [np.arange(len(seeds))]:
        number = int(groups.max()) + 1
        drawn = rng.multinomial(number, np.full(number, 1 / number), size=resamples)
        weights *= drawn[:, groups]
    return weights


def scale_positions(axis: Axis) -> Array:
    """Return where an axis' values lie on its scale: their logarithms if that is "log"."""
    return np.log(axis.positions) if axis.scale == "log" else axis.positions


def axis_units(axis: Axis, positions: Array) -> Array:
    """Return places on an axis' scale in its units."""
    return np.exp(positions) if axis.scale == "log" else positions


def _share(inside: Array, runs: Array) -> Array:
    """Share of the runs that are inside; NaN where there is none."""
    with np.errstate(invalid="ignore"):
        return np.asarray(inside / runs)
