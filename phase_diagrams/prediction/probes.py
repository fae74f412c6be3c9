"""Probes: the few short runs from which the rest of a diagram is predicted.

Which they are depends on nothing but the sweep and the outcomes of earlier probes, so that the same
sweep has the same probes, whatever lies in a store.
"""

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from phase_diagrams.prediction.groups import (
    SAME_RATE,
    Group,
    groups_of,
    unit_rate,
    with_steps,
)
from phase_diagrams.runs.summary import RunSummary
from phase_diagrams.sweeps.cell import Cell
from phase_diagrams.sweeps.rescaling import rescale
from phase_diagrams.sweeps.spec import SweepSpec
from phase_diagrams.sweeps.systems import Budget

#: What a probe is known by, and the results of probes.
Key = tuple[str, Budget]
Found = Mapping[Key, RunSummary]


@dataclass(frozen=True)
class Rule:
    """Which probes a group of cells has, and how long they are.

    Attributes
    ----------
    reference
        Rate of a group's first probe: ten times that at which the published diagrams begin.
    horizon
        Longest probe, in updates times its rate: the published diagrams reach their thresholds
        within 1, or never.
    least_share
        Share of its cell's budget that a probe has at large rates, whose horizon is shorter.
    least_steps
        Updates that it has at least: the moments of AdamW have a memory of some 1000 updates at any
        rate.
    stride
        Factor between the rates of a group's probes, where it has several.
    """

    reference: float = 1e-4
    horizon: float = 1.0
    least_share: float = 0.075
    least_steps: int = 1000
    stride: float = 10.0

    def first(self, group: Group) -> Cell:
        """Return a group's probe at the reference rate, or the smallest that it has above that.

        It is a cell of the group, shortened, of those at that rate the one with the largest budget;
        where all are slower it is the fastest one at larger rates.
        """
        for cell in group.cells:
            if unit_rate(cell) >= self.reference * (1 - SAME_RATE):
                return self._shortened(group.nearest(unit_rate(cell)))
        fastest = group.cells[-1]
        model = rescale(fastest.model, self.reference / unit_rate(fastest))
        return self._shortened(dataclasses.replace(fastest, model=model))

    def is_cut(self, group: Group, first: Cell) -> bool:
        """Return whether a group's first probe ends with its cell's budget, before the horizon.

        Faster cells then go on for a longer time, of which it says nothing.
        """
        time = first.budget.steps * unit_rate(first)
        return time < min(self.horizon, _longest(group)) * (1 - SAME_RATE)

    def faster(self, group: Group, first: Cell) -> Iterator[Cell]:
        """Yield a group's own cells a stride above the rate of its first probe, and so on."""
        rate = unit_rate(first) * self.stride
        # Half a stride beyond the fastest cell would be nearer to the probe before.
        while rate <= unit_rate(group.cells[-1]) * math.sqrt(self.stride):
            yield self._shortened(group.nearest(rate))
            rate *= self.stride

    def _shortened(self, cell: Cell) -> Cell:
        """Return a probe that ends at the horizon, or with its cell's budget."""
        least = max(self.least_share * cell.budget.steps, self.least_steps)
        end = max(self.horizon / unit_rate(cell), least)
        # A budget that went to and fro between units is a whole number but for its last bits.
        return with_steps(cell, min(math.ceil(end * (1 - SAME_RATE)), cell.budget.steps))


@dataclass(frozen=True)
class Probe:
    """A probe and how it ended.

    Attributes
    ----------
    cell
        The run: one of the sweep's with at most its budget, or one at larger rates.
    summary
        Its result.
    """

    cell: Cell
    summary: RunSummary

    @property
    def rate(self) -> float:
        """The learning rate that sets the unit of its time."""
        return unit_rate(self.cell)

    @property
    def diverged(self) -> bool:
        """Whether it diverged before it reached both thresholds."""
        reached = self.summary.train_step is not None and self.summary.test_step is not None
        return self.summary.status == "diverged" and not reached

    @property
    def outcome(self) -> tuple[bool, bool, bool]:
        """Whether it reached the train and the test threshold, and whether it diverged before."""
        train, test = self.summary.train_step, self.summary.test_step
        return train is not None, test is not None, self.diverged


class Plan:
    """The probes of a sweep: the first of each group, and those that their results ask for.

    Attributes
    ----------
    groups
        The groups of its cells.
    rule
        Which probes they have.

    Raises
    ------
    InputError
        As `groups_of`.
    """

    def __init__(self, spec: SweepSpec, rule: Rule | None = None) -> None:
        self.groups, self.rule = groups_of(spec), rule or Rule()
        self._rows: dict[object, list[tuple[Group, Cell]]] = {}
        for group in self.groups:
            row = self._rows.setdefault((group.held, group.ratios[1:]), [])
            row.append((group, self.rule.first(group)))
        for row in self._rows.values():
            row.sort(key=lambda pair: pair[0].ratios)

    def wanted(self, found: Found) -> Iterator[tuple[Group, Cell]]:
        """Yield the probes that the sweep needs, as far as the results of earlier ones say.

        The first of each group; and where those of neighbouring ratios end differently, or their
        budgets end them before the horizon, others of these groups a stride above, two strides and
        so on.
        """
        for row in self._rows.values():
            yield from row
            outcomes = [_outcome(found, cell) for _, cell in row]
            further = {k for k, (group, first) in enumerate(row) if self.rule.is_cut(group, first)}
            for (left, one), (right, other) in pairwise(enumerate(outcomes)):
                if one is not None and other is not None and one != other:
                    further |= {left, right}
            for place in sorted(further):
                group, first = row[place]
                for cell in self.rule.faster(group, first):
                    yield group, cell

    def missing(self, found: Found) -> list[Cell]:
        """Return the probes that are needed next; none once all is done."""
        wanted = {key_of(cell): cell for _, cell in self.wanted(found)}
        return [cell for key, cell in wanted.items() if key not in found]

    def follow(
        self, run: Callable[[list[Cell]], Iterable[tuple[Cell, RunSummary]]]
    ) -> dict[Key, RunSummary]:
        """Return the results of all probes, each lot of which follows from those before.

        Parameters
        ----------
        run
            Returns the results of probes, or of those that it can tell.
        """
        found: dict[Key, RunSummary] = {}
        while missing := self.missing(found):
            new = {key_of(cell): summary for cell, summary in run(missing)}
            if not new:
                break
            found |= new
        return found


def key_of(cell: Cell) -> Key:
    """Return what a probe is known by: its cell and its budget."""
    return cell.cell_id, cell.budget


def _longest(group: Group) -> float:
    """Return the longest time that a cell of the group may take, in units of its rate."""
    return max(cell.budget.steps * unit_rate(cell) for cell in group.cells)


def _outcome(found: Found, cell: Cell) -> tuple[bool, bool, bool] | None:
    summary = found.get(key_of(cell))
    return None if summary is None else Probe(cell, summary).outcome
