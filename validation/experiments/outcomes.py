"""Steps, counts and numbers of experiments, as records keep them and as they are told."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phase_diagrams import Phase


def or_infinite(steps: Any) -> NDArray[np.float64]:
    """Return steps of a diagram, masked where there is none, as numbers with infinity for never."""
    filled: NDArray[np.float64] = steps.astype(float).filled(np.inf)
    return filled


def gaps(train: Any, test: Any, budget: int) -> NDArray[np.float64]:
    """Return how many updates test is behind train, at least where the budget ended before test.

    Parameters
    ----------
    train, test
        Steps of a diagram, masked where there is none.
    budget
        Updates of each run.

    Returns
    -------
    numpy.ndarray
        Infinity where train was not reached: test is behind by an unknown number.
    """
    behind = test.astype(float).filled(budget) - or_infinite(train)
    return np.where(np.isinf(behind), np.inf, behind)


def gap_told(gap: float) -> str:
    """Return a median of `gaps` in words."""
    return "never fits" if math.isinf(gap) else f"{gap:g}"


def step_told(step: float) -> str:
    """Return a step of `or_infinite` in words."""
    return "never" if math.isinf(step) else str(int(step))


def or_none(value: float) -> float | None:
    """Return a number as JSON can have it: None for what is not finite."""
    return float(value) if math.isfinite(value) else None


def phase_counts(
    phases: NDArray[np.integer[Any]], kinds: Iterable[Phase] = tuple(Phase)
) -> dict[str, int]:
    """Return how many runs have each phase, by its label."""
    return {phase.label: int((phases == phase).sum()) for phase in kinds}


def counts_told(counts: dict[str, int]) -> str:
    """Return `phase_counts` in words, without phases that do not occur."""
    return ", ".join(f"{label} {n}" for label, n in counts.items() if n)
