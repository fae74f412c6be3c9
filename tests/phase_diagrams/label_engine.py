"""An engine that trains nothing: each run has the phase that a function of its setting says."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from effective_theory import Addition, ToyModel
from phase_diagrams import Axis, Cell, Phase, RunSummary, SweepSpec
from tests.phase_diagrams.labelled import run_with

#: Train and test steps that make each phase.
STEPS = {
    Phase.COMPREHENSION: (100, 300),
    Phase.GROKKING: (100, 4000),
    Phase.MEMORIZATION: (100, None),
    Phase.CONFUSION: (None, None),
}

Label = Callable[[float, float], int]


class LabelEngine:
    """Runs that end as ``label(x, y)`` says, in coarse steps of the axes of `grid`.

    ``ran`` are the settings that were run; after ``fail_after`` of them comes a Ctrl-C.
    """

    identity, version = "labels", 1

    def __init__(self, label: Callable[..., int], fail_after: int | None = None) -> None:
        self.label, self.fail_after = label, fail_after
        self.ran: list[tuple[float, float, int]] = []

    def run(self, cells: Iterable[Cell]) -> Iterator[tuple[Cell, RunSummary]]:
        for cell in cells:
            if len(self.ran) == self.fail_after:
                raise KeyboardInterrupt
            at = cell.model.decoder_lr, cell.model.decoder_weight_decay, cell.seed[0]
            self.ran.append(at)
            yield cell, ended(cell, self.phase(*at))

    def phase(self, rate: float, decay: float, seed: int) -> Phase:
        """Phase at a setting; on the lattice of eighths without the logarithm's rounding."""
        place = round(5 * (np.log10(rate) + 5) * 64) / 64, decay
        seeded = self.label.__code__.co_argcount == 3
        return Phase(self.label(*place, *([seed] if seeded else [])))


def ended(cell: Cell, phase: Phase) -> RunSummary:
    """Return a run that ended in a phase."""
    return run_with(*STEPS[phase], steps=cell.model.steps)


def grid(rows: int = 9, columns: int = 9, seeds: tuple[int, ...] = (5,)) -> SweepSpec:
    """Return a coarse sweep: rates from 1e-5 by fifths of a decade, decays 0, 1, 2, .."""
    rates = tuple(float(10 ** (-5 + k / 5)) for k in range(rows))
    axes = {
        "decoder_lr": Axis(rates, "log"),
        "decoder_weight_decay": Axis(tuple(range(columns)), "linear"),
    }
    return SweepSpec(Addition(10), axes, ToyModel(width=2, steps=10_000), seeds=seeds)
