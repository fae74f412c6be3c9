"""What `Rule` and `Law` are fixed by: parts of Figures 6a and 6b from the random starts 0 to 9.

`python docs/calibration.py` makes its section of docs/prediction.md: for probes of several lengths
what they cost, how many labels are right, and the constants of `Law` that go with them. The runs
are kept in docs/trials.csv; without it some 2 hours on 2 cores.
"""

import argparse
import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import optimize
from sections import markdown_table, write_section
from trials import Trial, fig6a, fig6b, with_some_decays, with_some_rates

from phase_diagrams.prediction.law import Law
from phase_diagrams.prediction.predicted_cells import edges_of, nearest_probes, observed_by
from phase_diagrams.prediction.probes import Rule

PAGE = Path(__file__).with_name("prediction.md")
STARTS = range(10)
#: Longest probes in units of time, and the share of its budget that each has at least.
RULES = tuple(
    Rule(horizon=horizon, least_share=share)
    for horizon, share in (
        (3.0, 0.15),
        (2.0, 0.1),
        (1.5, 0.075),
        (1.0, 0.075),
        (1.0, 0.05),
        (0.7, 0.05),
    )
)


def fig6a_trials(rule: Rule, law: Law) -> list[Trial]:
    """Return the trials of Figure 6a at decoder rates 1e-5, 1e-4 and 3.2e-4."""
    return [
        Trial(f"some of fig6a, start {k}", with_some_rates(fig6a(k), 1e-5, 1e-4, 3.2e-4), rule, law)
        for k in STARTS
    ]


def fig6b_trials(rule: Rule, law: Law) -> list[Trial]:
    """Return the trials of Figure 6b at every other weight decay."""
    return [
        Trial(f"some of fig6b, start {k}", with_some_decays(fig6b(k)), rule, law) for k in STARTS
    ]


def calibrated(rule: Rule) -> Law:
    """Return the constants of the law for a rule."""
    pairs, trained, generalised = [], [], []
    for trial in fig6a_trials(rule, Law()) + fig6b_trials(rule, Law()):
        exact = trial.exact
        _, nearest = nearest_probes(trial.plan, trial.found)
        edges = edges_of(trial.spec, nearest)
        for cell, probe in nearest:
            seen, budget = observed_by(probe, cell), cell.budget.steps
            crossings = [
                (then, steps.filled(-1)[cell.index])
                for then, steps in ((seen.train, exact.train_step), (seen.test, exact.test_step))
            ]
            if seen.decades:
                pairs.append(Pair(seen.decades, crossings, budget, seen.end, edges[cell.index]))
                continue
            train, test = (step >= 0 for _, step in crossings)
            if seen.train == np.inf:
                waited = (1 / seen.end - 1 / budget) / seen.rate
                trained.append((train, waited, seen.train_missing))
            elif seen.test == np.inf:
                generalised.append((test, np.log(budget / seen.end)))
    decades, logs = np.array([each for pair in pairs for each in pair.stretches()]).T
    slope = float(np.median(logs / decades))
    scaled = (logs - slope * decades) / np.sqrt(np.abs(decades))
    # That of a normal distribution with these quartiles: runs far off are another matter.
    spread = float(np.subtract(*np.percentile(scaled, [75, 25])) / 1.349)
    changes = {
        edge: rate(
            (pair.changed(slope, spread), abs(pair.decades)) for pair in pairs if pair.edge == edge
        )
        for edge in (False, True)
    }
    late = rate(generalised)
    return Law(slope, spread, *closeness(trained), late, changes[False], changes[True])


def closeness(seen: list[tuple[bool, float, float]]) -> tuple[float, float]:
    """Return the likeliest ``late_train`` and ``late_train_width`` for what was reached or not."""
    reached, waited, missing = np.array(seen, float).T

    def surprise(logs: NDArray[np.float64]) -> float:
        late, width = np.exp(logs)
        lasting = -waited * late * np.exp(-missing / width)
        within = np.maximum(-np.expm1(lasting), np.finfo(float).tiny)
        return float(-np.where(reached, np.log(within), lasting).sum())

    found = np.exp(optimize.minimize(surprise, np.log([5.0, 0.1]), method="Nelder-Mead").x)
    return float(found[0]), float(found[1])


def rate(seen: Iterable[tuple[bool, float]]) -> float:
    """Return events by exposure; half of one is added, for what was not seen may yet happen."""
    events, exposures = zip(*seen, strict=True)
    return float((sum(events) + 0.5) / sum(exposures))


@dataclass(frozen=True)
class Pair:
    """A probe and a cell at another rate: decades between them, crossings, budget and end."""

    decades: float
    crossings: list[tuple[float, int]]
    budget: int
    end: float
    edge: bool

    def stretches(self) -> Iterator[tuple[float, float]]:
        """Yield decades and the logarithm of measured over predicted step."""
        for then, step in self.crossings:
            if then < np.inf and step > 0:
                yield self.decades, float(np.log(step / then))

    def changed(self, slope: float, spread: float) -> bool:
        """Return whether one run reaches what the other does not, beyond three deviations."""
        deviations = 3 * spread * abs(self.decades) ** 0.5
        late, early = (np.exp(slope * self.decades + s * deviations) for s in (1, -1))
        return any(
            (then * late <= self.budget and step < 0)
            or (then == np.inf and 0 <= step < self.end * early)
            for then, step in self.crossings
        )


def costs(rule: Rule, law: Law) -> list[str]:
    """Return updates and agreement of a rule: medians over the starts of each figure."""
    cells = []
    for some in (fig6a_trials(rule, law), fig6b_trials(rule, law)):
        rows = [
            (trial.cost(diagram), trial.agreement(diagram))
            for trial in some
            for diagram in (trial.predicted, trial.measured)
        ]
        medians = np.median(np.reshape(rows, (len(some), 4)), axis=0)
        cells += [f"{median:.1%}" for median in medians]
    return cells


def table() -> str:
    """Return what each rule costs and how well it does, and the constants that go with it."""
    longest = ("longest probe", "of the budget")
    beside = ("updates", "right", "updates, doubtful measured", "right then")
    heads = [
        (*longest, *(f"{figure}: {each}" for figure in ("6a", "6b") for each in beside)),
        (*longest, *(field.name for field in dataclasses.fields(Law))),
    ]
    rows: list[list[list[str]]] = [[], []]
    for rule in RULES:
        first = [f"{rule.horizon:g}", f"{rule.least_share:.1%}"]
        law = calibrated(rule)
        rows[0].append(first + costs(rule, law))
        rows[1].append(first + [f"{value:.3f}" for value in dataclasses.astuple(law)])
    return "\n\n".join(map(markdown_table, heads, rows))


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    write_section(PAGE, "calibration", table())
