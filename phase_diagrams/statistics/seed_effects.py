"""How much of the disagreement between runs of one cell is due to the split, and to the start.

Split and initialisation are seeded apart. The value y of a run with split s and initialisation i
is taken as y = mean + a_s + b_i + e_si, three independent random effects (Searle, Casella and
McCulloch, Variance Components, 1992). Half the mean squared difference of two runs is then

- var(a) + var(b) + var(e) if they share neither seed,
- var(b) + var(e) if they share the split,
- var(a) + var(e) if they share the initialisation,

so the three variances follow from means over pairs, for crossed, nested and incomplete designs
alike; in a balanced crossed design they are those of the analysis of variance. For labels, as unit
vectors, half the squared difference of two runs is 1 if they differ and 0 if not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phase_diagrams.phases import RUN_PHASES
from phase_diagrams.sweeps.seeds import Seed, seed_groups
from phase_diagrams.sweeps.spec import SweepSpec
from phase_diagrams.wording import number

Runs = NDArray[np.bool_]


@dataclass(frozen=True)
class SeedEffects:
    """How much of the disagreement between runs of one cell is due to each of the two seeds.

    The shares are of the disagreement between two runs that share neither seed. Split and
    initialisation are taken as independent random effects, y = mean + a_s + b_i + e_si (Searle,
    Casella and McCulloch, Variance Components, 1992).

    The shares are unbiased where the variances are, so they can fall below 0 where an effect is
    small; with a handful of splits they are rough. A share is NaN where the design cannot tell it:
    that of the split needs runs that share a split and runs that share neither seed, that of the
    initialisation likewise, and all need some disagreement.

    Attributes
    ----------
    disagreement
        Half the mean squared difference of two runs of a cell that share neither seed: for phases
        the probability that they differ. Mean over cells.
    split
        Share that is due to the split: what vanishes when the two runs share it.
    initialisation
        Share that is due to the initialisation.
    interaction
        The rest: what depends on the two together.
    """

    disagreement: float
    split: float
    initialisation: float
    interaction: float

    def __str__(self) -> str:
        """Return the disagreement and what it is due to."""
        return (
            f"disagreement {number(self.disagreement, '.3f')}, due to the split "
            f"{number(self.split, '.2f')}, to the initialisation "
            f"{number(self.initialisation, '.2f')}, to the two together "
            f"{number(self.interaction, '.2f')}"
        )


def phase_effects(spec: SweepSpec, phases: NDArray[np.integer[Any]], measured: Runs) -> SeedEffects:
    """Return what part of the disagreement in phase is due to the split and to the initialisation.

    Parameters
    ----------
    spec
        A sweep with several seeds.
    phases
        Integers of `Phase`, shape (axes..., seeds).
    measured
        Which runs count, same shape.
    """
    values = np.stack([phases == phase for phase in RUN_PHASES]).astype(np.float64)
    return effects_of(values, measured, spec.seeds)


def step_effects(spec: SweepSpec, steps: Any, measured: Runs) -> SeedEffects:
    """Return the same for the logarithm of a step, among the runs that reached it.

    Parameters
    ----------
    spec
        A sweep with several seeds.
    steps
        Masked where never reached, shape (axes..., seeds); a step of 0 counts as 1.
    measured
        Which runs count, same shape.
    """
    values = np.log(np.maximum(steps.filled(1), 1))[np.newaxis]
    return effects_of(values, measured & ~np.ma.getmaskarray(steps), spec.seeds)


def of_used_seeds(runs: Runs, seeds: Sequence[Seed]) -> tuple[Runs, list[Seed]]:
    """Return which seeds have runs, shape (seeds,), and these seeds.

    A design is that of the runs that there are, not of those that are still to come.
    """
    used = np.asarray(runs.any(axis=tuple(range(runs.ndim - 1))))
    return used, [seed for seed, is_used in zip(seeds, used, strict=True) if is_used]


def effects_of(
    values: NDArray[np.float64], measured: NDArray[np.bool_], seeds: Sequence[Seed]
) -> SeedEffects:
    """Return the effects of both seeds on any values.

    Parameters
    ----------
    values
        Components of the values, shape (components, cells..., seeds).
    measured
        Which runs count, shape (cells..., seeds).
    seeds
        Their (split, initialisation) pairs.
    """
    if not measured.any():
        return SeedEffects(*[float("nan")] * 4)
    splits, initialisations = seed_groups(seeds)
    same_split = splits[:, np.newaxis] == splits
    same_start = initialisations[:, np.newaxis] == initialisations
    # Centred first: products of large numbers would drown their differences.
    centre = values.mean(axis=tuple(range(1, values.ndim)), where=measured, keepdims=True)
    values = np.where(measured, values - centre, 0.0)
    neither, within_split, within_start = (
        _mean_over_pairs(values, measured.astype(np.float64), pairs.astype(np.float64))
        for pairs in (~same_split & ~same_start, same_split & ~same_start, same_start & ~same_split)
    )
    split, initialisation = (_share(neither, within) for within in (within_split, within_start))
    there = neither[np.isfinite(neither)]
    return SeedEffects(
        disagreement=float(there.mean()) if there.size else float("nan"),
        split=split,
        initialisation=initialisation,
        interaction=1 - split - initialisation,
    )


def _mean_over_pairs(
    values: NDArray[np.float64], measured: NDArray[np.float64], pairs: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Half the squared difference of each cell's pairs, their mean; NaN where there is no pair.

    The sum over pairs of (y - y')^2 / 2 is that of y^2 less that of y y'.
    """
    partners = measured @ pairs
    squares = (partners * (values**2).sum(0)).sum(-1)
    products = ((values @ pairs) * values).sum((0, -1))
    with np.errstate(invalid="ignore"):
        return np.asarray((squares - products) / (partners * measured).sum(-1))


def _share(neither: NDArray[np.float64], within: NDArray[np.float64]) -> float:
    """Return what vanishes of the disagreement in cells with both kinds of pairs."""
    both = np.isfinite(neither) & np.isfinite(within)
    whole = float(neither[both].sum())
    # Sums of differences of equal numbers leave rounding, not disagreement.
    return 1 - float(within[both].sum()) / whole if whole > 1e-9 * both.sum() else float("nan")
