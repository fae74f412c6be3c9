"""Cells that are trained side by side: measure state k of each, make update k + 1, in chunks.

The same code runs as it stands on a CPU and is captured in a CUDA graph on a GPU, where launching
the small operations one by one would take longer than doing them.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from effective_theory import Dataset, InitialState, ToyModel
from effective_theory.minibatches import Draw, Minibatches
from phase_diagrams.runs.summary import RunSummary
from validation.engine.precision import full_precision
from validation.engine.stacked_adamw import StackedAdamW
from validation.engine.stacked_measurements import StackedMeasurements
from validation.engine.stacked_model import Shape, StackedModel
from validation.engine.stacked_rqi import StackedRqi
from validation.engine.streams import SideStream

#: Updates in one CUDA graph, and how often it is replayed before the host looks at the cells.
_UPDATES_IN_GRAPH, _REPLAYS = 25, 4


@dataclass
class _Stream:
    """The minibatches of cells that are at the same update."""

    minibatches: Minibatches
    draw: Draw


@dataclass
class _Place:
    """What the host knows of the cell in a place."""

    steps: int
    done: int
    stream: _Stream | None


class Batch:
    """Places for cells of one shape; a cell can be put in any free place at any time.

    Cells share nothing but the operations that advance them. One that has ended, diverged or not,
    is computed along until its place is used again, and nothing of that is read.

    Parameters
    ----------
    shape
        What the cells have in common.
    places
        Number of places.
    device, dtype
        Where the numbers lie, and their type.
    """

    def __init__(self, shape: Shape, places: int, device: torch.device, dtype: torch.dtype) -> None:
        self.shape, self.device, self.dtype = shape, device, dtype
        self.model = StackedModel(shape, places, device, dtype)
        embeddings = self.model.embeddings.detach()
        adamw = _adamw(device)
        begins = [begin for begin, _ in shape.decoder_parts]
        self.embedding_optimiser = adamw(embeddings.flatten(1))
        self.decoder_optimiser = adamw(self.model.decoder, begins)
        #: Updates made in each place, counted on after a cell has ended.
        self.updates = torch.zeros(places, device=device, dtype=torch.int64)
        self.rqi = StackedRqi(shape.task, shape.sizes[0], device)
        self.measurements = StackedMeasurements(shape.train_size, embeddings)
        self.penalty = torch.zeros(places, device=device, dtype=dtype)
        self.places: list[_Place | None] = [None] * places
        # Each training sample's share of the loss, for each update of a graph.
        updates = 1 if shape.batch_size is None else _UPDATES_IN_GRAPH
        share = 1.0 / shape.train_size
        sizes = updates, places, shape.train_size
        self._shares = torch.full(sizes, share, device=device, dtype=dtype)
        self._beside = SideStream(device)
        self._graph = self._captured() if device.type == "cuda" else None

    @property
    def state(self) -> list[Tensor]:
        """All that belongs to the cells, each with the places as its first dimension."""
        parts = (self.model, self.embedding_optimiser, self.decoder_optimiser, self.measurements)
        return [self.penalty, self.updates, *(tensor for part in parts for tensor in part.state)]

    @property
    def free(self) -> list[int]:
        """Places without a cell."""
        return [index for index, place in enumerate(self.places) if place is None]

    def load(self, index: int, model: ToyModel, dataset: Dataset, start: InitialState) -> None:
        """Put a cell in a free place."""
        self.model.load(index, dataset, start)
        self.embedding_optimiser.load(
            index, model.embedding_lr, model.embedding_weight_decay, model.adam_epsilon
        )
        self.decoder_optimiser.load(
            index, model.decoder_lr, model.decoder_weight_decay, model.adam_epsilon
        )
        self.measurements.load(index, model)
        self.penalty[index] = model.embedding_penalty
        self.updates[index] = 0
        self.places[index] = _Place(model.steps, 0, self._stream(dataset, start))

    def advance(self) -> int:
        """Train all cells for a chunk of updates and return its length.

        A cell that ends within it stays there.
        """
        # One more than the budget: the last state is measured, too.
        longest = max((p.steps + 1 - p.done for p in self.places if p is not None), default=0)
        if self._graph is None:
            updates = min(_UPDATES_IN_GRAPH, longest)
            self._chunk(updates)
            return updates
        replays = min(_REPLAYS, math.ceil(longest / _UPDATES_IN_GRAPH))
        for _ in range(replays):
            self._chunk(_UPDATES_IN_GRAPH)
        return replays * _UPDATES_IN_GRAPH

    def _chunk(self, updates: int) -> None:
        self._draw_minibatches(updates)
        if self._graph is None:
            with full_precision():
                self._update(updates)
        else:
            self._graph.replay()
        for place in self.places:
            if place is not None:
                place.done += updates

    def ended(self) -> Iterator[tuple[int, RunSummary]]:
        """Yield and free the places whose cells have ended, with what became of these."""
        is_running = self.measurements.is_running.tolist()
        over = [k for k, place in enumerate(self.places) if place is not None and not is_running[k]]
        if not over:
            return
        measured = self.measurements.to_host()
        for index in over:
            self.places[index] = None
            yield index, measured.summary(index)

    def smaller(self, places: int) -> tuple["Batch", list[int]]:
        """Return a batch with fewer places that goes on with these cells, and where they were."""
        taken = [index for index, place in enumerate(self.places) if place is not None]
        result = Batch(self.shape, places, self.device, self.dtype)
        for to, old in zip(result.state, self.state, strict=True):
            to[: len(taken)] = old[taken]
        result.places[: len(taken)] = [self.places[index] for index in taken]
        return result, taken

    def _update(self, updates: int) -> None:
        """Measure and update in turn; nothing here waits for the device or makes a new buffer.

        Measuring is many small operations, which a GPU does beside the update and the next one's
        outputs. The next parameters wait until it is done.
        """
        model, measurements, beside = self.model, self.measurements, self._beside
        # What is still read beside while the next update computes its own.
        held: tuple[Tensor, ...] = ()
        for k in range(updates):
            with torch.no_grad(), beside.after_main():
                embeddings, is_finite = model.embeddings.clone(), model.is_finite()
                parameters_read = beside.so_far()
                rqi = self.rqi(embeddings)
            outputs = model.outputs()
            losses = model.sample_losses(outputs)
            with torch.no_grad(), beside.after_main():
                is_right = model.is_right(outputs)
                measurements.take(embeddings, rqi, losses, is_right, is_finite)

            share = self._shares[k % len(self._shares)]
            loss = (losses[:, : self.shape.train_size] * share).sum(dim=1)
            if self.shape.is_penalised:
                loss = loss + self.penalty * model.embeddings.abs().mean(dim=(1, 2))
            of_embeddings, *of_decoder = model.gradients(loss)
            self.updates.add_(1)
            beside.main_waits(parameters_read)
            # Those of the update before have been measured: their memory may be used again.
            held = outputs, losses
            self.embedding_optimiser.step([of_embeddings], self.updates)
            self.decoder_optimiser.step(of_decoder, self.updates)
        beside.main_waits(beside.so_far())
        del held

    def _captured(self) -> torch.cuda.CUDAGraph:
        """Record some updates of the empty places; cells that come later find nothing of it."""
        with full_precision(), torch.cuda.device(self.device):
            stream, graph = torch.cuda.Stream(), torch.cuda.CUDAGraph()  # type: ignore[no-untyped-call]
            stream.wait_stream(torch.cuda.current_stream())
            # Libraries set themselves up at their first use on a stream, which cannot be recorded.
            with torch.cuda.stream(stream):
                self._update(3)
            torch.cuda.current_stream().wait_stream(stream)
            with torch.cuda.graph(graph, stream=stream):
                self._update(_UPDATES_IN_GRAPH)
        return graph

    def _stream(self, dataset: Dataset, start: InitialState) -> _Stream | None:
        """Return a new cell's minibatches: one stream for equal ones that begin together."""
        minibatches = start.minibatches
        if self.shape.batch_size is None or minibatches is None:
            return None
        for place in self.places:
            stream = place.stream if place is not None and place.done == 0 else None
            if stream is not None and stream.minibatches == minibatches:
                return stream
        return _Stream(minibatches, minibatches.begin(dataset, self.shape.batch_size))

    def _draw_minibatches(self, updates: int) -> None:
        """Draw the samples of the next updates as the simulator draws them."""
        size, samples = self.shape.batch_size, self.shape.train_size
        if size is None:
            return
        # From pinned memory it is copied to a GPU while the host goes on.
        sizes = _UPDATES_IN_GRAPH, len(self.places), samples
        shares = torch.zeros(sizes, dtype=self.dtype, pin_memory=self.device.type == "cuda")
        drawn: dict[int, Tensor] = {}
        for index, place in enumerate(self.places):
            if place is None or place.stream is None:
                continue
            if id(place.stream) not in drawn:
                part = np.zeros((updates, samples))
                np.put_along_axis(part, place.stream.draw(updates), 1.0 / size, axis=1)
                drawn[id(place.stream)] = torch.from_numpy(part)
            shares[:updates, index] = drawn[id(place.stream)]
        self._shares.copy_(shares, non_blocking=True)


def _adamw(device: torch.device) -> type[StackedAdamW]:
    """Return the optimiser for a device; only a GPU's needs Triton."""
    if device.type != "cuda":
        return StackedAdamW
    from validation.engine.fused_adamw import FusedAdamW

    return FusedAdamW
