"""The scaling law as a probability: what a run at one rate says of the same run at another.

A run at rate r reaches a threshold after n updates. At another rate R it does after X n r / R,
where X would be 1 under an exact law. It is not: X is taken as log-normal, with a mean that grows
with the rate (updates are steps, not a flow) and a spread. One X stretches the whole run, so each
phase is an interval of it: memorization that of X with train within the budget and test beyond it,
and so on.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phase_diagrams.phases import RUN_PHASES, Phase
from phase_diagrams.sweeps.systems import Budget

Probabilities = NDArray[np.float64]


@dataclass(frozen=True)
class Law:
    """How well runs at two rates agree, by the decades between the rates.

    The numbers are estimated from Figures 6a and 6b of the toy model, from ten random starts
    (docs/calibration.py).

    Attributes
    ----------
    slope
        Mean of ln X for each decade from the probe's rate up to the cell's.
    spread
        Standard deviation of ln X at one decade; it grows as the root of the decades.
    late_train
        Of a run that has not reached the train threshold at the time u, with u = 1 after one over
        the learning rate, the expected number of later crossings up to v is this number times
        1 / u - 1 / v: most come within some units of time, or never.
    late_train_width
        The accuracy, as a fraction, by which a run has to lack more of the threshold for this to be
        1/e of it.
    late_test
        Test accuracy of a run that has been trained, and that was not reached within a time, is
        reached within e times that time with about this probability.
    change
        Probability, for each decade, that the two runs do not reach the same thresholds.
    change_at_edge
        The same where a neighbouring cell reaches others.
    """

    slope: float = 0.258
    spread: float = 0.110
    late_train: float = 6.3
    late_train_width: float = 0.058
    late_test: float = 0.008
    change: float = 0.010
    change_at_edge: float = 0.184


@dataclass(frozen=True)
class Observed:
    """A probe in the unit of time of the cell that it speaks of.

    Attributes
    ----------
    train, test
        Time of each threshold; infinite if it was not reached.
    end
        Time at which the probe ended.
    decades
        log10 of the cell's rate over the probe's.
    rate
        The cell's learning rate, whose inverse is the unit of time.
    diverged
        Whether the probe diverged before it reached both.
    train_missing
        The train threshold less the best train accuracy so far, as a fraction; 0 where that is not
        known.
    """

    train: float
    test: float
    end: float
    decades: float
    rate: float
    diverged: bool = False
    train_missing: float = 0.0

    @property
    def generalises(self) -> bool:
        """Whether both thresholds were reached."""
        return max(self.train, self.test) < math.inf


def phase_probabilities(
    observed: Observed, budget: int, lag: int, at_edge: bool, law: Law
) -> Probabilities:
    """Return the probability of each of `RUN_PHASES` for a cell.

    Parameters
    ----------
    observed
        The probe, in updates of the cell.
    budget
        Updates of the cell's run.
    lag
        Updates of test after train that count as grokking.
    at_edge
        Whether a neighbour of the cell reaches other thresholds.
    law
        How well the law holds.
    """
    found = np.zeros(len(RUN_PHASES))
    if observed.diverged and observed.end <= budget:
        found[Phase.DIVERGED] = 1.0
    elif observed.generalises:
        found[:] = _generalising(observed, budget, lag, law)
    elif observed.train < math.inf:
        found[:] = _memorising(observed, budget, lag, law)
    else:
        trained = _late_train(observed, budget, law)
        found[_trained(observed, lag)], found[Phase.CONFUSION] = trained, 1 - trained
    by_decade = law.change_at_edge if at_edge else law.change
    changed = 1 - math.exp(-by_decade * abs(observed.decades))
    found *= 1 - changed
    found[_other(observed, lag)] += changed
    return found


def expected_length(observed: Observed, budget: Budget, law: Law) -> float:
    """Return about how many updates a cell's run takes: to what it stops for, or its budget."""
    if observed.diverged:
        return min(budget.steps, observed.end)
    stretch = math.exp(law.slope * observed.decades)
    if budget.stop_when != "never" and observed.generalises:
        return min(budget.steps, max(observed.train, observed.test) * stretch)
    return float(budget.steps)


def _generalising(observed: Observed, budget: int, lag: int, law: Law) -> Probabilities:
    found = np.zeros(len(RUN_PHASES))
    within = _below(budget / max(observed.train, 1), observed, law)
    both = _below(budget / max(observed.train, observed.test, 1), observed, law)
    gap = observed.test - observed.train
    short = both if gap <= 0 else min(both, _below(lag / gap, observed, law, strictly=True))
    found[Phase.COMPREHENSION], found[Phase.GROKKING] = short, both - short
    found[Phase.MEMORIZATION], found[Phase.CONFUSION] = within - both, 1 - within
    return found


def _memorising(observed: Observed, budget: int, lag: int, law: Law) -> Probabilities:
    found = np.zeros(len(RUN_PHASES))
    within = _below(budget / max(observed.train, 1), observed, law)
    later = within * _late_test(observed.end, budget, law)
    found[Phase.CONFUSION], found[Phase.MEMORIZATION] = 1 - within, within - later
    found[_generalised(observed.end - observed.train, lag)] = later
    return found


def _below(value: float, observed: Observed, law: Law, *, strictly: bool = False) -> float:
    """Return the probability that X is at most this value."""
    mean = law.slope * observed.decades
    deviation = law.spread * math.sqrt(abs(observed.decades))
    if deviation == 0:
        return float(value > 1 if strictly else value >= 1)
    return 0.5 * math.erfc((mean - math.log(value)) / (math.sqrt(2) * deviation))


def _late_train(observed: Observed, budget: int, law: Law) -> float:
    """Return the probability that the train threshold is reached after the probe's end."""
    if observed.end >= budget:
        return 0.0
    largest = law.late_train * math.exp(-observed.train_missing / law.late_train_width)
    expected = largest * (1 / observed.end - 1 / budget) / observed.rate
    return -math.expm1(-expected)


def _late_test(end: float, budget: int, law: Law) -> float:
    """Return the probability that the test threshold is reached after the probe's end."""
    return 1 - (end / budget) ** law.late_test if end < budget else 0.0


def _other(observed: Observed, lag: int) -> Phase:
    """Return the phase of a cell that does not reach what its probe did, or reaches more."""
    if observed.generalises:
        return Phase.MEMORIZATION
    if observed.train == math.inf:
        return _trained(observed, lag)
    return _generalised(observed.train, lag)


def _trained(observed: Observed, lag: int) -> Phase:
    """Return the phase of a cell that reaches the train threshold after the probe's end."""
    if observed.test < math.inf:
        return _generalised(observed.test - observed.end, lag)
    return Phase.MEMORIZATION


def _generalised(gap: float, lag: int) -> Phase:
    return Phase.GROKKING if gap >= lag else Phase.COMPREHENSION
