"""Two engines from the same nudged starts: where rounding decides, only distributions compare."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from phase_diagrams import PhaseDiagram
from phase_diagrams.phases import RUN_PHASES

Cells = NDArray[np.bool_]
Values = NDArray[np.float64]

#: Random exchanges that a permutation test draws.
RESAMPLES = 9_999
#: Exchanges that are looked at together, for the sake of memory.
_AT_ONCE = 200


@dataclass(frozen=True, eq=False, repr=False)
class NudgedRuns:
    """Runs of two engines, a and b, from the same nudged starts.

    Attributes
    ----------
    phases
        Of a and of b, each of shape (nudges, axes..., seeds), stored integers of `Phase`.
    steps
        Of "train" and "test": of a and of b, in the same shape; infinite where never.
    """

    phases: tuple[NDArray[np.int8], NDArray[np.int8]]
    steps: Mapping[str, tuple[Values, Values]]

    @property
    def frequencies(self) -> tuple[Values, Values]:
        """Share of the nudged starts with each of RUN_PHASES, shape (phases, axes..., seeds)."""
        a, b = (
            np.stack([(labels == phase).mean(axis=0) for phase in RUN_PHASES])
            for labels in self.phases
        )
        return a, b

    @property
    def disjoint(self) -> Cells:
        """Cells whose two sets of labels have nothing in common."""
        a, b = self.frequencies
        return np.asarray(~((a > 0) & (b > 0)).any(axis=0))

    @property
    def distance(self) -> Values:
        """Total variation distance between the two engines' label frequencies, 0 to 1."""
        a, b = self.frequencies
        distance: Values = np.abs(a - b).sum(axis=0) / 2
        return distance

    @property
    def uncertainty(self) -> Values:
        """Share of nudged starts whose label is not the cell's commonest, mean of the engines.

        Where it is above zero one unit in the last place of the start decides.
        """
        a, b = (1.0 - each.max(axis=0) for each in self.frequencies)
        uncertainty: Values = (a + b) / 2
        return uncertainty

    def p_values(self, where: Cells, rng: int = 0) -> dict[str, float]:
        """Return how likely differences of this size are if both engines are one distribution.

        For each cell and nudge the two engines' runs are exchanged at random, all cells pooled.
        "label": sum over cells and phases of the difference in their number. "train" and "test":
        sum over cells of the squared difference of the steps' mean ranks, "never" ranking last.

        Parameters
        ----------
        where
            The cells to pool, shape (axes..., seeds).
        rng
            Seed of the exchanges.

        Returns
        -------
        dict
            The p-values by name; NaN where no cell is pooled.
        """
        values = {"label": _p_value(*self.phases, where, _label_difference, rng)}
        for name, (a, b) in self.steps.items():
            ranks = stats.rankdata(np.concatenate([a, b]), axis=0)
            values[name] = _p_value(ranks[: len(a)], ranks[len(a) :], where, _rank_difference, rng)
        return values

    def __repr__(self) -> str:
        """Return how many starts and cells there are."""
        return f"NudgedRuns({len(self.phases[0])} starts, {self.disjoint.size} cells)"

    def __str__(self) -> str:
        """Return how far the two engines' labels are apart, in one sentence."""
        changed, exclusive = int((self.uncertainty > 0).sum()), int(self.disjoint.sum())
        return (
            f"{len(self.phases[0])} nudged starts of {self.disjoint.size} cells: a nudge changes "
            f"the label in {changed} cells; the engines' frequencies of labels are apart by "
            f"{self.distance.mean():.2g} on average, and exclude each other in {exclusive} cells"
        )


def nudged_runs(a: list[PhaseDiagram], b: list[PhaseDiagram]) -> NudgedRuns:
    """Return the runs of two engines from the same nudged starts, a diagram for each."""
    return NudgedRuns(
        phases=(
            np.stack([diagram.phases for diagram in a]),
            np.stack([diagram.phases for diagram in b]),
        ),
        steps={
            name: (
                np.stack([steps_of(diagram, name) for diagram in a]),
                np.stack([steps_of(diagram, name) for diagram in b]),
            )
            for name in ("train", "test")
        },
    )


def steps_of(diagram: PhaseDiagram, name: str) -> NDArray[np.float64]:
    """Return the steps of "train" or "test" as floats, infinite where never."""
    steps: NDArray[Any] = getattr(diagram, f"{name}_step").astype(np.float64).filled(np.inf)
    return steps


Difference = Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]]


def _p_value(
    a: NDArray[Any], b: NDArray[Any], where: Cells, difference: Difference, rng: int
) -> float:
    """Exchange a and b at random, run by run, and compare the differences with the one measured."""
    if not where.any():
        return float("nan")
    pairs = a[:, where].T, b[:, where].T

    def statistic(x: NDArray[Any], y: NDArray[Any], axis: int) -> NDArray[Any]:
        # One pair of runs stands at each place of the last axis.
        shape = (*x.shape[:-1], *pairs[0].shape)
        return difference(x.reshape(shape), y.reshape(shape))

    result = stats.permutation_test(
        [each.ravel().astype(np.float64) for each in pairs],
        statistic,
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=_AT_ONCE,
        alternative="greater",
        axis=-1,
        rng=np.random.default_rng(rng),
    )
    return float(result.pvalue)


def _label_difference(x: NDArray[Any], y: NDArray[Any]) -> NDArray[Any]:
    """Return the sum over cells of label counts' differences; arrays are (.., cells, nudges)."""
    return np.asarray(
        sum(
            np.abs((x == phase).sum(axis=-1) - (y == phase).sum(axis=-1)).sum(axis=-1)
            for phase in RUN_PHASES
        )
    )


def _rank_difference(x: NDArray[Any], y: NDArray[Any]) -> NDArray[Any]:
    """Return the sum over cells of squared differences of mean ranks."""
    return np.asarray(np.square(x.mean(axis=-1) - y.mean(axis=-1)).sum(axis=-1))
