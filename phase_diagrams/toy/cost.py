"""How long a run takes at most, and chunks of cells of about the same length."""

import dataclasses
import time
from collections.abc import Iterable, Iterator

from effective_theory import train
from effective_theory.training import compile_kernels
from phase_diagrams.sweeps.cell import Cell

_TRIAL_UPDATES = 50
#: More cells than that in one message would wait long for the first result.
_MOST_CELLS_IN_A_CHUNK = 1000


class ExpectedCost:
    """Seconds that a run takes on this machine if it does not stop early.

    A short trial for each shape of network and data gives the time of an update; the rest of the
    fields do not matter to it.
    """

    def __init__(self) -> None:
        self._trials: dict[tuple[object, ...], tuple[float, float]] = {}

    def __call__(self, cell: Cell) -> float:
        """Return the seconds of one cell."""
        model = cell.model
        shape = (*model.layer_sizes(cell.task), model.loss, model.batch_size, cell.train_size)
        if shape not in self._trials:
            self._trials[shape] = _trial(cell)
        drawing, update = self._trials[shape]
        steps: int = cell.model.steps
        return drawing + steps * update


def _trial(cell: Cell) -> tuple[float, float]:
    """Seconds of drawing a cell's start, and of one update."""
    compile_kernels()
    model = dataclasses.replace(cell.model, steps=_TRIAL_UPDATES, stop_when="never")
    began = time.perf_counter()
    start = cell.draw()
    drawn = time.perf_counter()
    run = train(model, *start)
    return drawn - began, (time.perf_counter() - drawn) / max(run.steps_run, 1)


def in_chunks(cells: Iterable[Cell], seconds: float) -> Iterator[list[Cell]]:
    """Yield lists of cells that are expected to take ``seconds``; a longer cell stands alone."""
    cost = ExpectedCost()
    chunk: list[Cell] = []
    expected = 0.0
    for cell in cells:
        more = cost(cell)
        if chunk and (expected + more > seconds or len(chunk) == _MOST_CELLS_IN_A_CHUNK):
            yield chunk
            chunk, expected = [], 0.0
        chunk.append(cell)
        expected += more
    if chunk:
        yield chunk
