"""Whole grids in PyTorch: an engine that trains many cells at once, on a GPU or a CPU."""

import dataclasses
import importlib.util
import itertools
import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from effective_theory import ToyModel
from effective_theory.checks import InputError, RunError, integer, shown
from phase_diagrams.runs.engines import require_settings_of
from phase_diagrams.runs.summary import RunSummary
from phase_diagrams.sweeps.cell import Cell
from validation.engine.devices import device_named
from validation.engine.lane import Lane
from validation.engine.stacked_model import Shape
from validation.engine.torch_origin import torch_origin

#: Raised whenever the bits of a result change.
ENGINE_VERSION = 1

_DTYPES = {torch.float32: "float32", torch.float64: "float64"}
#: Cells that are looked at together for those of one shape: grids may have millions.
_CELLS_AT_ONCE = 20_000
#: Beyond these a core gains nothing, and the last of them wait for each other.
_CELLS_ON_CPU = 32
#: Memory for cells on a CPU, in bytes; on a GPU it is half of what is free.
_MEMORY_ON_CPU = 2**30
#: A GPU takes as long for fewer cells. PyTorch multiplies a single matrix in another way on a CPU,
#: so a cell that is alone has an empty place beside it: its bits are those it has in company.
_LEAST_PLACES = {"cpu": 2, "cuda": 32}
#: Batches that are trained at the same time, each on a stream of its own.
LANES = {"cpu": 1, "cuda": 2}


@dataclass(frozen=True)
class TorchEngine:
    """Stacked cells in PyTorch: products by baddbmm, derivatives by autograd.

    Attributes
    ----------
    device
        Where cells are trained.
    dtype
        Type of all numbers.
    cells_per_batch
        Cells of a batch; None for what suits the device and its memory.
    version
        Raised whenever the bits of a result change.
    """

    device: torch.device
    dtype: torch.dtype
    cells_per_batch: int | None = None
    version: int = ENGINE_VERSION

    @property
    def identity(self) -> str:
        """Name under which results are stored, such as "torch-cuda-float32"."""
        return f"torch-{self.device.type}-{_DTYPES[self.dtype]}"

    def run(self, cells: Iterable[Cell]) -> Iterator[tuple[Cell, RunSummary]]:
        """Yield each cell with its result as it comes.

        A GPU trains two batches at the same time. A free place is given to the next cell that
        waits. Where none waits and half of a batch's places are free, it goes on with fewer.

        Raises
        ------
        InputError
            If a cell is not one of a toy model.
        RunError
            If the device's memory does not suffice.
        """
        waiting, origin = iter(cells), torch_origin(self.device)
        while some := list(itertools.islice(waiting, _CELLS_AT_ONCE)):
            groups: dict[Shape, list[Cell]] = {}
            for cell in some:
                require_settings_of(cell, ToyModel, self.identity)
                shape = Shape.of(cell.model, cell.task, cell.train_size)
                groups.setdefault(shape, []).append(cell)
            for shape, group in groups.items():
                try:
                    for cell, summary in self._run_group(shape, group):
                        yield cell, dataclasses.replace(summary, origin=origin)
                except torch.OutOfMemoryError:
                    raise RunError(
                        f"the memory of {self.device} does not suffice; finished runs are kept: "
                        "run the same again with fewer cells_per_batch."
                    ) from None

    def _run_group(self, shape: Shape, cells: list[Cell]) -> Iterator[tuple[Cell, RunSummary]]:
        waiting = deque(cells)
        room, least = self.places(shape), _LEAST_PLACES[self.device.type]
        count = min(LANES[self.device.type], math.ceil(len(cells) / min(room, least)))
        places = max(2, min(room, math.ceil(len(cells) / count)))
        lanes = [Lane(shape, places, least, self.device, self.dtype, waiting) for _ in range(count)]
        for lane in lanes:
            lane.advance()
        while not all(lane.is_empty for lane in lanes):
            for lane in lanes:
                yield from lane.ended()
                lane.advance()

    def places(self, shape: Shape) -> int:
        """Return how many cells of a shape a batch has places for."""
        if self.cells_per_batch is not None:
            return self.cells_per_batch
        bytes_of_cell = _numbers(shape) * self.dtype.itemsize
        if self.device.type == "cuda":
            return max(2, _free_memory(self.device) // 2 // LANES["cuda"] // bytes_of_cell)
        return max(2, min(_CELLS_ON_CPU, _MEMORY_ON_CPU // bytes_of_cell))


def torch_engine(
    device: str | torch.device | None = None,
    dtype: torch.dtype = torch.float32,
    cells_per_batch: int | None = None,
) -> TorchEngine:
    """Return batched PyTorch training as an engine for `phase_diagrams.sweep`.

    What the simulator computes is computed here with PyTorch's products, derivatives and
    arithmetic: the two engines share the starts, the minibatches and the meaning of every number,
    and no formula. Results are stored under the engine's own name.

    Parameters
    ----------
    device
        "cpu" or "cuda", with a number if there are several; a GPU by default if there is one.
    dtype
        torch.float32 or torch.float64, type of all numbers. Matrices are never multiplied in TF32.
    cells_per_batch
        Cells of a batch, at least 2; by default what suits the device and its memory. On a GPU,
        which trains two batches at the same time, their number may decide how a product is summed,
        and so the last bits.

    Raises
    ------
    InputError
        If there is no such device, or another argument is wrong.

    Examples
    --------
    ``sweep(preset("released-5b"), engine=torch_engine("cuda"))``
    """
    if not isinstance(dtype, torch.dtype) or dtype not in _DTYPES:
        raise InputError(f"dtype must be torch.float32 or torch.float64, not {shown(dtype)}.")
    if cells_per_batch is not None:
        cells_per_batch = integer("cells_per_batch", cells_per_batch, 2)
    return TorchEngine(_device(device), dtype, cells_per_batch)


def _device(device: str | torch.device | None) -> torch.device:
    found = device_named(device)
    if found.type == "cuda" and importlib.util.find_spec("triton") is None:
        raise InputError(
            f'device "{found}" needs the package triton, which PyTorch has brought along on Linux '
            'only; install it, or choose "cpu".'
        )
    return found


def _free_memory(device: torch.device) -> int:
    """Bytes that a GPU has left, those included that PyTorch keeps for its next tensors."""
    cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return torch.cuda.mem_get_info(device)[0] + cached


def _numbers(shape: Shape) -> int:
    """Return about how many numbers one cell takes while it is trained."""
    d, width, _, outputs = shape.sizes
    task = shape.task
    # The parameters with both moments, the gradient in parts and whole, and two steps of AdamW.
    parameters = 7 * (shape.decoder_size + task.symbols * d)
    # Layers and their derivatives, autograd's in between included.
    samples = task.size * (8 * d + 10 * width + 8 * outputs + 2 * task.classes + 2 * task.symbols)
    pairs = 0
    if task.residual_threshold is not None:
        counts = np.bincount(task.labels)
        # In float64, which counts twice in float32.
        pairs = 2 * 4 * d * int((counts * (counts - 1) // 2).sum())
    return parameters + samples + pairs
