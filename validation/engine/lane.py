"""A batch that takes its cells from a queue; several of them share a GPU."""

from collections import deque

import torch

from phase_diagrams.runs.summary import RunSummary
from phase_diagrams.sweeps.cell import Cell
from validation.engine.batch import Batch
from validation.engine.stacked_model import Shape
from validation.engine.streams import new_stream, on_stream


class Lane:
    """Places that take waiting cells, train them, and become fewer when none waits.

    On a GPU each lane has a stream of its own: while one waits for memory, another multiplies.

    Parameters
    ----------
    shape
        What the cells have in common.
    places
        Most cells that are trained together.
    least
        Number of places below which fewer are not faster.
    device, dtype
        Where the numbers lie, and their type.
    waiting
        Cells to be trained, taken from the left; other lanes may take from it, too.
    """

    def __init__(
        self,
        shape: Shape,
        places: int,
        least: int,
        device: torch.device,
        dtype: torch.dtype,
        waiting: deque[Cell],
    ) -> None:
        self._waiting, self._least = waiting, least
        self._inside: dict[int, Cell] = {}
        self._stream = new_stream(device)
        with on_stream(self._stream):
            self._batch = Batch(shape, places, device, dtype)

    @property
    def is_empty(self) -> bool:
        """Whether no cell is inside."""
        return not self._inside

    def advance(self) -> int:
        """Fill free places from the queue, train all for a chunk of updates, return its length.

        A GPU is only told to, and is not waited for.
        """
        with on_stream(self._stream):
            for index in self._batch.free[: len(self._waiting)]:
                cell = self._inside[index] = self._waiting.popleft()
                self._batch.load(index, cell.model, *cell.draw())
            half = max(len(self._batch.places) // 2, self._least)
            if not self._waiting and 0 < len(self._inside) <= half < len(self._batch.places):
                self._batch, taken = self._batch.smaller(half)
                self._inside = {index: self._inside[old] for index, old in enumerate(taken)}
            return self._batch.advance() if self._inside else 0

    def ended(self) -> list[tuple[Cell, RunSummary]]:
        """Wait for the chunk, and return the cells that ended in it with what became of them."""
        with on_stream(self._stream):
            return [(self._inside.pop(index), summary) for index, summary in self._batch.ended()]
