"""Probes: the few short runs from which the rest of a diagram is predicted.

The rule reads nothing but the sweep and the outcomes of earlier probes, so that the same sweep has
the same probes, whatever lies in a store. A probe ends after HORIZON in units of its learning rate:
the published diagrams reach their thresholds within 1 of them, or never. At large rates it goes on
for LEAST_STEPS, for the moments of AdamW have a memory of some 1000 updates at any rate.
"""

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from phase_diagrams.prediction.groups import Group, unit_rate, with_steps
from phase_diagrams.runs.summary import RunSummary
from phase_diagrams.sweeps.cell import Cell
from phase_diagrams.sweeps.rescaling import rescale

#: Rate of a group's first probe: ten times that at which the published diagrams begin.
REFERENCE = 1e-4
#: Longest probe: updates times rate, or updates where that is more.
HORIZON, LEAST_STEPS = 3.0, 3000
#: Factor between the rates of a group's probes, where it has several.
STRIDE = 10.0

Found = Mapping[str, RunSummary]


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
    def outcome(self) -> tuple[bool, bool]:
        """Whether it reached the train and the test threshold."""
        return self.summary.train_step is not None, self.summary.test_step is not None


def first_probe(group: Group) -> Cell:
    """Return a group's probe at the reference rate, or at the nearest that the group has above it.

    It is the group's own cell where one has about that rate, and the fastest one at larger rates
    where all are slower.
    """
    fastest, longest = group.cells[-1], _longest(group)
    if unit_rate(fastest) >= REFERENCE:
        return _shortened(group.nearest(REFERENCE), longest)
    factor = REFERENCE / unit_rate(fastest)
    return _shortened(dataclasses.replace(fastest, model=rescale(fastest.model, factor)), longest)


def wanted_probes(groups: Iterable[Group], found: Found) -> Iterator[tuple[Group, Cell]]:
    """Yield the probes of groups that a sweep needs, as far as the results of earlier ones say.

    The first of each group; and where those of neighbouring ratios end differently, others of the
    two groups at ten times the rate, a hundred times and so on.
    """
    rows: dict[object, list[Group]] = {}
    for group in groups:
        rows.setdefault((group.held, len(group.ratios) and group.ratios[1:]), []).append(group)
    for row in rows.values():
        row.sort(key=lambda group: group.ratios)
        firsts = [first_probe(group) for group in row]
        yield from zip(row, firsts, strict=True)
        outcomes = [_outcome(found, cell) for cell in firsts]
        at_edge = set()
        for (left, one), (right, other) in pairwise(enumerate(outcomes)):
            if one is not None and other is not None and one != other:
                at_edge |= {left, right}
        for place in sorted(at_edge):
            for cell in _faster_probes(row[place], firsts[place]):
                yield row[place], cell


def _faster_probes(group: Group, first: Cell) -> Iterator[Cell]:
    """Yield a group's own cells at ten times the rate of its first probe, and so on."""
    rate = unit_rate(first) * STRIDE
    # Half a stride beyond the fastest cell would be nearer to the probe before.
    while rate <= unit_rate(group.cells[-1]) * math.sqrt(STRIDE):
        yield _shortened(group.nearest(rate), _longest(group))
        rate *= STRIDE


def _longest(group: Group) -> float:
    """Return the longest time that a cell of the group may take, in units of its rate."""
    return max(cell.budget.steps * unit_rate(cell) for cell in group.cells)


def _shortened(cell: Cell, longest: float) -> Cell:
    """Return a probe that ends at the horizon, or when no cell of its group goes on."""
    rate = unit_rate(cell)
    end = min(max(HORIZON / rate, LEAST_STEPS), longest / rate)
    # A budget that went to and fro between units is a whole number but for its last bits.
    return with_steps(cell, max(1, math.ceil(end * (1 - 1e-12))))


def _outcome(found: Found, cell: Cell) -> tuple[bool, bool] | None:
    summary = found.get(cell.cell_id)
    return None if summary is None else Probe(cell, summary).outcome
