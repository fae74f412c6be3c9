"""An engine that trains nothing: its runs obey the scaling law, exactly or nearly."""

import math
from collections.abc import Iterable, Iterator

from effective_theory import Addition, ToyModel
from phase_diagrams import Axis, Cell, RunSummary, SweepSpec
from tests.phase_diagrams.labelled import run_with


class LawEngine:
    """Runs whose times are numbers of the ratio of their rates, over the decoder's rate.

    ``slope`` is how much ln(time) grows with each decade of the rate; ``ran`` are the settings that
    were run, and after ``fail_after`` of them comes a Ctrl-C.
    """

    identity, version = "law", 1

    def __init__(self, slope: float = 0.0, fail_after: int | None = None) -> None:
        self.slope, self.fail_after = slope, fail_after
        self.ran: list[ToyModel] = []

    def run(self, cells: Iterable[Cell]) -> Iterator[tuple[Cell, RunSummary]]:
        for cell in cells:
            if len(self.ran) == self.fail_after:
                raise KeyboardInterrupt
            self.ran.append(cell.model)
            yield cell, self.ended(cell)

    def ended(self, cell: Cell) -> RunSummary:
        """Return the end of a cell's run: decay delays train, the ratio hastens test."""
        model = cell.model
        ratio = math.log10(model.embedding_lr / model.decoder_lr)
        unit = math.exp(self.slope * (math.log10(model.decoder_lr) + 4)) / model.decoder_lr
        train = 0.05 * (1 + model.decoder_weight_decay) * unit
        # Below a ratio of 2.8 nothing generalises, and well above it that is soon.
        test = train + 0.05 * unit / (ratio - 0.4) if ratio > 0.45 else math.inf
        steps = [math.ceil(t) if t <= model.steps else None for t in (train, test)]
        return run_with(*steps, steps=model.steps)


def rates(low: float, high: float, steps_in_decade: int = 4) -> Axis:
    """Return rates evenly spaced on a log scale."""
    count = round(steps_in_decade * math.log10(high / low))
    return Axis(tuple(low * 10 ** (k / steps_in_decade) for k in range(count + 1)), "log")


def rate_grid(seeds: tuple[int, ...] = (5,), steps: int = 100_000) -> SweepSpec:
    """Return a sweep over both rates, as that of the paper's Figure 6a."""
    axes = {"embedding_lr": rates(1e-5, 1e-2), "decoder_lr": rates(1e-5, 1e-2)}
    return SweepSpec(Addition(10), axes, ToyModel(width=2, steps=steps), seeds=seeds)


def decay_grid() -> SweepSpec:
    """Return a sweep over a rate and decays, as that of Figure 6b."""
    axes = {"decoder_lr": rates(1e-5, 1e-2), "decoder_weight_decay": [0.0, 2.0, 5.0, 8.0]}
    return SweepSpec(Addition(10), axes, ToyModel(width=2, steps=40_000), seeds=(5,))
