"""What is measured of stacked cells after every update, kept where the cells are.

Nothing here asks for a number on the host: the same code runs on its own and inside a CUDA graph.
"""

import copy
import math
from typing import Self

import numpy as np
import torch
from torch import Tensor

from effective_theory import ToyModel
from effective_theory.outcome import Status
from effective_theory.toy_model import AWAITED
from phase_diagrams.runs.summary import CURVE_COLUMNS, RunSummary, curve_updates

#: Most rows of a learning curve: those of `curve_updates` and the last state.
_ROWS = 65
_NEVER = -1
#: What first_step holds.
_STEPS = ("train_step", "test_step", "rqi_step")


class StackedMeasurements:
    """First crossings, best accuracies and learning curves of stacked cells.

    Parameters
    ----------
    train_size
        Training samples of each cell.
    embeddings
        The cells' embeddings, (cells, p, d).

    Attributes
    ----------
    update
        Completed updates of each cell, (cells,).
    is_running
        Cells that have not ended, (cells,); the others' measurements stay as they are.
    """

    def __init__(self, train_size: int, embeddings: Tensor) -> None:
        cells, device = len(embeddings), embeddings.device

        def full(value: float, *sizes: int, dtype: torch.dtype = torch.float64) -> Tensor:
            return torch.full((cells, *sizes), value, device=device, dtype=dtype)

        self.train_size = train_size
        self.update, self.steps = (full(0, dtype=torch.int64) for _ in range(2))
        self.is_running, self.is_diverged = (full(False, dtype=torch.bool) for _ in range(2))
        self.thresholds = full(1.0, 3)
        self.spared = full(True, 3, dtype=torch.bool)
        self.awaits_any = full(False, dtype=torch.bool)
        self.first_step = full(_NEVER, 3, dtype=torch.int64)
        self.best = full(0.0, 2)
        # One row more than there can be takes what ended cells would write.
        self.curve = full(np.nan, _ROWS + 1, len(CURVE_COLUMNS))
        self.record_at = full(_NEVER, _ROWS + 1, dtype=torch.int64)
        self.row = full(0, dtype=torch.int64)
        self.embeddings = torch.zeros_like(embeddings, requires_grad=False)

    @property
    def state(self) -> list[Tensor]:
        """All that belongs to a cell, each with the cells as its first dimension."""
        of_run = [self.update, self.steps, self.is_running, self.is_diverged, self.thresholds]
        awaited = [self.spared, self.awaits_any]
        found = [*awaited, self.first_step, self.best, self.curve, self.record_at, self.row]
        return [*of_run, *found, self.embeddings]

    def load(self, cell: int, model: ToyModel) -> None:
        """Begin anew in a cell's place."""
        records = np.full(_ROWS + 1, _NEVER)
        updates = curve_updates(model.steps)
        records[: len(updates)] = updates
        self.record_at[cell] = torch.from_numpy(records)
        # RQI has to be greater than its threshold: at least the next number.
        least_rqi = math.nextafter(model.rqi_threshold, math.inf)
        limits = [model.train_threshold, model.test_threshold, least_rqi]
        self.thresholds[cell] = torch.tensor(limits, dtype=torch.float64)
        awaited = [step in AWAITED[model.stop_when] for step in _STEPS]
        self.spared[cell] = ~torch.tensor(awaited)
        self.awaits_any[cell] = any(awaited)
        self.steps[cell], self.update[cell], self.row[cell] = model.steps, 0, 0
        self.first_step[cell], self.best[cell], self.curve[cell] = _NEVER, 0.0, np.nan
        self.is_running[cell], self.is_diverged[cell] = True, False

    def take(
        self, embeddings: Tensor, rqi: Tensor, losses: Tensor, is_right: Tensor, is_finite: Tensor
    ) -> None:
        """Measure the state of the running cells, and find those that end with it.

        Parameters
        ----------
        embeddings
            Shape (cells, p, d).
        rqi
            RQI of the embeddings, (cells,).
        losses, is_right
            Of each sample, (cells, samples), training samples first.
        is_finite
            Whether a cell's parameters are finite, (cells,).
        """
        n, exact = self.train_size, torch.float64
        means = [part.mean(dim=1, dtype=exact) for part in (losses[:, :n], losses[:, n:])]
        counts = [part.sum(dim=1, dtype=exact) for part in (is_right[:, :n], is_right[:, n:])]
        shares = [counts[0] / n, counts[1] / (is_right.shape[1] - n)]
        running = self.is_running
        alive = running & is_finite & (means[0].abs() < math.inf)
        measured = torch.stack([self.update.double(), *means, *shares, rqi], dim=1)

        accuracies, crossing = measured[:, 3:5], measured[:, 3:6]
        is_better = alive[:, None] & (accuracies > self.best)
        torch.where(is_better, accuracies, self.best, out=self.best)
        is_first = alive[:, None] & (crossing >= self.thresholds) & (self.first_step < 0)
        torch.where(is_first, self.update[:, None], self.first_step, out=self.first_step)

        stops = ((self.first_step >= 0) | self.spared).all(dim=1) & self.awaits_any
        goes_on = alive & ~stops & (self.update < self.steps)
        self._record(measured, alive, goes_on)
        torch.where(running[:, None, None], embeddings, self.embeddings, out=self.embeddings)
        self.is_diverged.logical_or_(running & ~alive)
        self.is_running.copy_(goes_on)
        self.update.add_(goes_on)

    def _record(self, measured: Tensor, alive: Tensor, goes_on: Tensor) -> None:
        """Write each state over the one before, unless that was to be recorded."""
        row = self.row.masked_fill(~alive, _ROWS)[:, None]
        place = row[:, :, None].expand(-1, -1, measured.shape[1])
        self.curve.scatter_(1, place, measured[:, None])
        is_record = self.record_at.gather(1, row)[:, 0] == self.update
        self.row.add_(goes_on & is_record)

    def to_host(self) -> Self:
        """Return a copy in the host's memory."""
        result = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, Tensor):
                setattr(result, name, value.cpu())
        return result

    def summary(self, cell: int) -> RunSummary:
        """Return what became of an ended cell; asked of measurements on the host."""
        diverged = bool(self.is_diverged[cell])
        update = int(self.update[cell])
        first = [step if step >= 0 else None for step in self.first_step[cell].tolist()]
        spared = self.spared[cell].tolist()
        awaited = [step for step, is_spared in zip(first, spared, strict=True) if not is_spared]
        stopped = bool(awaited) and None not in awaited
        status: Status = "stopped" if stopped else "finished"
        # A diverged state has no measurements, and is not in the curve.
        row = int(self.row[cell])
        curve = self.curve[cell, : row if diverged else row + 1].numpy().copy()
        values = [math.nan] * len(CURVE_COLUMNS) if diverged else curve[-1].tolist()
        last = dict(zip(CURVE_COLUMNS, values, strict=True))
        best_train, best_test = self.best[cell].tolist()
        return RunSummary(
            status="diverged" if diverged else status,
            train_step=first[0],
            test_step=first[1],
            rqi_step=first[2],
            diverged_step=update if diverged else None,
            steps_run=update,
            train_accuracy=last["train_accuracy"],
            test_accuracy=last["test_accuracy"],
            best_train_accuracy=best_train,
            best_test_accuracy=best_test,
            rqi=last["rqi"],
            state=self.embeddings[cell].float().numpy().copy(),
            curve=curve,
        )
