"""Groups of cells that differ by the unit of time alone."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from effective_theory import InputError
from phase_diagrams.sweeps.cell import Cell
from phase_diagrams.sweeps.rescaling import merged_ratios, require_rates
from phase_diagrams.sweeps.spec import SweepSpec
from phase_diagrams.sweeps.systems import BUDGET

#: Rates that differ by less than this share, or share of a decade, are one.
SAME_RATE = 1e-9
#: log10 of each rate over the one that sets the unit of time.
Ratios = tuple[float, ...]


@dataclass(frozen=True)
class Group:
    """Cells of one seed with one ratio of rates, which share all but rates and budget.

    Attributes
    ----------
    held
        What the cells share: the seed's place and the values of the other axes.
    ratios
        log10 of each rate over the one that sets the unit.
    cells
        The cells, those with small rates first.
    """

    held: tuple[Any, ...]
    ratios: Ratios
    cells: tuple[Cell, ...]

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells the group from others of its sweep."""
        return self.held, self.ratios

    def nearest(self, rate: float) -> Cell:
        """Return the cell whose rate is nearest to this one on a log scale, to SAME_RATE.

        Of several at that rate it is the one with the largest budget, which tells of the others.
        """
        away = [abs(math.log(unit_rate(cell) / rate)) for cell in self.cells]
        nearest = [c for c, d in zip(self.cells, away, strict=True) if d <= min(away) + SAME_RATE]
        return max(nearest, key=lambda cell: cell.budget.steps)


def unit_rate(cell: Cell) -> float:
    """Return the learning rate that sets the unit of a run's time."""
    rate: float = getattr(cell.model, cell.system.rates[-1])
    return rate


def groups_of(spec: SweepSpec) -> list[Group]:
    """Return the groups of a sweep's cells, in the order of the cells.

    Raises
    ------
    InputError
        If the system names no rates, or one of the sweep's is 0.
    """
    system = require_rates(spec.system)
    apart = {*system.rates, BUDGET}
    keyed: list[tuple[tuple[Any, ...], Ratios, Cell]] = []
    for cell in spec.cells():
        rates = [getattr(cell.model, name) for name in system.rates]
        if not min(rates) > 0:
            raise InputError(
                f"{system.rates[rates.index(min(rates))]} must be above 0 to predict a diagram: "
                "it has no logarithm."
            )
        held = [v for name, v in spec.values_at(cell.index).items() if name not in apart]
        ratios = tuple(math.log10(rate / rates[-1]) for rate in rates[:-1])
        keyed.append(((cell.index[-1], *held), ratios, cell))
    merged = merged_ratios(ratio for _, ratios, _ in keyed for ratio in ratios)
    groups: dict[tuple[tuple[Any, ...], Ratios], list[Cell]] = {}
    for shared, ratios, cell in keyed:
        key = shared, tuple(merged[ratio] for ratio in ratios)
        groups.setdefault(key, []).append(cell)
    return [
        Group(*key, tuple(sorted(cells, key=lambda c: (unit_rate(c), c.budget.steps))))
        for key, cells in groups.items()
    ]


def with_steps(cell: Cell, steps: int) -> Cell:
    """Return the run with another budget."""
    return dataclasses.replace(cell, model=dataclasses.replace(cell.model, **{BUDGET: steps}))
