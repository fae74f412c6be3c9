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

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from effective_theory import InputError
from phase_diagrams.phases import RUN_PHASES

if TYPE_CHECKING:
    from phase_diagrams.diagram import PhaseDiagram

Quantity = Literal["phase", "log_test_step"]


@dataclass(frozen=True)
class SeedEffects:
    """Shares of the disagreement between two runs of one cell that share neither seed.

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


def seed_effects(diagram: "PhaseDiagram", of: Quantity = "phase") -> SeedEffects:
    """Return what part of the seeds' disagreement is due to the split and to the initialisation.

    Parameters
    ----------
    diagram
        A sweep with several seeds.
    of
        "phase" for the labels, or "log_test_step" for the logarithm of test_step among the runs
        that reached it; a step of 0 counts as 1.

    Raises
    ------
    InputError
        If ``of`` is neither of the two.
    """
    if of == "phase":
        known = measured(diagram)
        values = np.stack([diagram.phases == phase for phase in RUN_PHASES]).astype(np.float64)
    elif of == "log_test_step":
        known = measured(diagram) & ~np.ma.getmaskarray(diagram.test_step)
        values = np.log(np.maximum(diagram.test_step.filled(1), 1))[np.newaxis]
    else:
        raise InputError(f'of must be "phase" or "log_test_step", not {of!r}.')
    return effects_of(values, known, diagram.spec.seeds)


def measured(diagram: "PhaseDiagram") -> NDArray[np.bool_]:
    """Return where a run was made; a cell that was inferred holds none."""
    from phase_diagrams.diagram import Source

    return np.asarray(diagram.source == Source.MEASURED)


def effects_of(values: NDArray[np.float64], known: NDArray[np.bool_], seeds: Any) -> SeedEffects:
    """Return the effects of both seeds on any values.

    Parameters
    ----------
    values
        Components of the values, shape (components, cells..., seeds).
    known
        Which runs count, shape (cells..., seeds).
    seeds
        Their (split, initialisation) pairs.
    """
    if not known.any():
        return SeedEffects(*[float("nan")] * 4)
    splits, initialisations = np.array(seeds).T
    same_split = splits[:, np.newaxis] == splits
    same_start = initialisations[:, np.newaxis] == initialisations
    # Centred first: products of large numbers would drown their differences.
    centre = values.mean(axis=tuple(range(1, values.ndim)), where=known, keepdims=True)
    values = np.where(known, values - centre, 0.0)
    neither, within_split, within_start = (
        _mean_over_pairs(values, known.astype(np.float64), pairs.astype(np.float64))
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
    values: NDArray[np.float64], known: NDArray[np.float64], pairs: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Half the squared difference of each cell's pairs, their mean; NaN where there is no pair.

    The sum over pairs of (y - y')^2 / 2 is that of y^2 less that of y y'.
    """
    partners = known @ pairs
    squares = (partners * (values**2).sum(0)).sum(-1)
    products = ((values @ pairs) * values).sum((0, -1))
    with np.errstate(invalid="ignore"):
        return np.asarray((squares - products) / (partners * known).sum(-1))


def _share(neither: NDArray[np.float64], within: NDArray[np.float64]) -> float:
    """Return what vanishes of the disagreement in cells with both kinds of pairs."""
    both = np.isfinite(neither) & np.isfinite(within)
    whole = float(neither[both].sum())
    # Sums of differences of equal numbers leave rounding, not disagreement.
    return 1 - float(within[both].sum()) / whole if whole > 1e-9 * both.sum() else float("nan")
