"""Probabilities of phases over seeds, with intervals that know which runs share a seed.

Runs that share a split, or an initialisation, are alike and tell less than as many independent
ones. Under the random effects of `seed_effects` the variance of a share over n runs is that of
n / deff independent runs, with the design effect

    deff = 1 + (sum_s n_s^2 / n - 1) rho_split + (sum_i n_i^2 / n - 1) rho_initialisation,

where n_s runs have split s, n_i runs initialisation i, and rho are the shares of the variance due
to each (Kish, Survey Sampling, 1965, for one seed; Owen, Annals of Applied Statistics 1:386, 2007,
for two that are crossed). The interval is Wilson's at the effective number of runs (Korn and
Graubard, Survey Methodology 24:193, 1998, for the principle; Franco, Little, Louis and Slud,
Journal of Survey Statistics and Methodology 7:334, 2019, for Wilson's).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from effective_theory.checks import confidence_level
from phase_diagrams.phases import RUN_PHASES, Phase, as_phases
from phase_diagrams.statistics.seed_effects import Runs, effects_of, of_used_seeds
from phase_diagrams.sweeps.seeds import Seed, seed_groups
from phase_diagrams.sweeps.spec import SweepSpec
from phase_diagrams.wording import place_name

Labels = NDArray[np.integer[Any]]
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Probability:
    """Probability of a set of phases in each cell; all arrays have the shape of the axes.

    Attributes
    ----------
    of
        The phases.
    value
        Share of the cell's runs in one of them; NaN where none counts.
    low, high
        Wilson's interval of the probability over seeds, at the effective number of runs; NaN where
        none counts.
    runs
        Number of runs that count, see `PhaseDiagram.counted`.
    effective_runs
        Number of independent runs that would tell as much, at most ``runs``.
    confidence
        Coverage of the interval.
    """

    of: tuple[Phase, ...]
    value: Array
    low: Array
    high: Array
    runs: NDArray[np.int64]
    effective_runs: Array
    confidence: float

    def __repr__(self) -> str:
        """Return the phases, how many cells have runs and the range of their shares."""
        names = " or ".join(phase.label for phase in self.of)
        run = self.value[self.runs > 0]
        shares = f", {run.min():.3g} to {run.max():.3g}" if run.size else ""
        return f"Probability({names}: {run.size} cells{shares})"


@dataclass(frozen=True, eq=False, repr=False)
class Majority:
    """The commonest phase of each cell; all arrays have the shape of the axes.

    Attributes
    ----------
    spec
        The sweep.
    phases
        Stored integer of the commonest phase; -1 (`Phase.NOT_RUN`) where none was run and where
        several tie.
    leading
        Whether each phase is the commonest or one of several that tie, shape (axes..., phases).
    share
        Share of the runs in the commonest phase, or in each of those that tie.
    low
        Lower bound of the interval of that share, as of `Probability`; the least of several.
    runs
        Number of runs that count, as of `Probability`.
    confidence
        Coverage of the interval.
    """

    spec: SweepSpec
    phases: NDArray[np.int8]
    leading: NDArray[np.bool_]
    share: Array
    low: Array
    runs: NDArray[np.int64]
    confidence: float

    @property
    def tied(self) -> NDArray[np.bool_]:
        """Where several phases are the commonest."""
        return np.asarray(self.leading.sum(-1) > 1)

    @property
    def certain(self) -> NDArray[np.bool_]:
        """Where the interval of the commonest phase lies above 1/2."""
        return np.asarray(self.low > 0.5)

    def ties(self) -> list[str]:
        """Return one line for each tie: where it is, and the phases that share the lead."""
        lines = []
        for index in zip(*np.nonzero(self.tied), strict=True):
            leaders = [RUN_PHASES[k].label for k in np.flatnonzero(self.leading[index])]
            lines.append(f"{place_name(self.spec.texts_at(index))}: {' = '.join(leaders)}")
        return lines

    def __repr__(self) -> str:
        """Return the number of cells that are certain, uncertain and tied."""
        run, certain, uncertain, tied = self._counts
        return f"Majority({run} cells: {certain} certain, {uncertain} uncertain, {tied} tied)"

    def __str__(self) -> str:
        """Return the number of cells that are certain, uncertain and tied, in words."""
        run, certain, uncertain, tied = self._counts
        return (
            f"majority of {len(self.spec.seeds)} seeds: {run} cells, "
            f"{certain} with the {self.confidence:.0%} interval above 1/2, "
            f"{uncertain} not, {tied} tied"
        )

    @property
    def _counts(self) -> tuple[int, int, int, int]:
        run = self.runs > 0
        uncertain = run & ~self.tied & ~self.certain
        return int(run.sum()), int(self.certain.sum()), int(uncertain.sum()), int(self.tied.sum())


def probability(
    spec: SweepSpec,
    phases: Labels,
    measured: Runs,
    of: Phase | str | Collection[Phase | str],
    confidence: float = 0.95,
) -> Probability:
    """Return the probability over seeds that a run of each cell is in one of the phases ``of``.

    The shares rho are estimated from all cells together and kept within 0 and 1. Where no cell
    disagrees they are unknown and count as 1: the effective runs are then about as many as splits.
    Where no two runs share a seed the interval is plain Wilson. With one split only it speaks of
    that split alone, over initialisations, and with one initialisation of that one alone.

    Parameters
    ----------
    spec
        The sweep.
    phases
        Integers of `Phase`, shape (axes..., seeds).
    measured
        Which runs count, same shape.
    of
        One phase or several, as `Phase` or by name.
    confidence
        Of the interval, between 0 and 1.

    Raises
    ------
    InputError
        If ``of`` holds no phase that a run can have, or ``confidence`` is not inside (0, 1).
    """
    chosen = as_phases(of)
    confidence = confidence_level(confidence)
    inside = np.isin(phases, chosen) & measured
    runs = measured.sum(-1)
    with np.errstate(invalid="ignore"):
        value = inside.sum(-1) / runs
    effective = effective_runs(inside, measured, spec.seeds)
    low, high = wilson_interval(value, effective, confidence)
    return Probability(chosen, value, low, high, runs, effective, confidence)


def probabilities(
    spec: SweepSpec, phases: Labels, measured: Runs, confidence: float = 0.95
) -> dict[Phase, Probability]:
    """Return the probability of each phase; see `probability`."""
    return {phase: probability(spec, phases, measured, phase, confidence) for phase in RUN_PHASES}


def majority(spec: SweepSpec, phases: Labels, measured: Runs, confidence: float = 0.95) -> Majority:
    """Return the commonest phase of each cell and how certain it is; see `probability`."""
    each = probabilities(spec, phases, measured, confidence)
    runs = each[RUN_PHASES[0]].runs
    shares = np.stack([each[phase].value for phase in RUN_PHASES], axis=-1)
    lows = np.stack([each[phase].low for phase in RUN_PHASES], axis=-1)
    share = shares.max(-1)
    leading = shares == share[..., np.newaxis]
    alone = leading.sum(-1) == 1
    commonest = np.where(alone, leading.argmax(-1), int(Phase.NOT_RUN)).astype(np.int8)
    low = np.where(leading, lows, np.inf).min(-1)
    low = np.where(runs > 0, low, np.nan)
    return Majority(spec, commonest, leading, share, low, runs, confidence)


def effective_runs(
    inside: NDArray[np.bool_], measured: NDArray[np.bool_], seeds: Sequence[Seed]
) -> Array:
    """Return the number of independent runs that would tell as much as those of each cell.

    Parameters
    ----------
    inside
        Whether each run is in the phases asked for, shape (axes..., seeds).
    measured
        Which runs count, same shape.
    seeds
        Their (split, initialisation) pairs.
    """
    used, seeds = of_used_seeds(measured, seeds)
    if not seeds:
        return np.zeros(measured.shape[:-1])
    inside, measured = inside[..., used], measured[..., used]
    effects = effects_of(inside[np.newaxis].astype(np.float64), measured, seeds)
    runs = measured.sum(-1)
    excess, design_effect = [], 1.0
    for numbers, share in zip(
        seed_groups(seeds), (effects.split, effects.initialisation), strict=True
    ):
        groups = np.eye(numbers.max() + 1)[numbers]
        with np.errstate(invalid="ignore"):
            excess.append(((measured @ groups) ** 2).sum(-1) / runs - 1)
        if groups.shape[1] > 1:
            design_effect = design_effect + excess[-1] * (
                1.0 if np.isnan(share) else np.clip(share, 0, 1)
            )
    # The shares of the two seeds add up to 1 at most.
    design_effect = np.minimum(design_effect, 1 + np.maximum(*excess))
    return np.where(runs > 0, runs / design_effect, 0.0)


def wilson_interval(value: Array, runs: Array, confidence: float) -> tuple[Array, Array]:
    """Return Wilson's interval of a share among a number of runs, whole or not; NaN for none.

    Its bounds are the p with |value - p| = z sqrt(p (1 - p) / runs) (Wilson, Journal of the
    American Statistical Association 22:209, 1927).
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = 1 + z**2 / runs
        centre = (value + z**2 / (2 * runs)) / scale
        half = z / scale * np.sqrt(value * (1 - value) / runs + z**2 / (4 * runs**2))
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)
