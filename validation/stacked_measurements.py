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
from effective_theory.tasks import Task
from effective_theory.training import Status
from phase_diagrams.summary import CURVE_COLUMNS, RunSummary, curve_updates
from validation.stacked_rqi import StackedRqi

#: Most rows of a learning curve: those of `curve_updates` and the last state.
_ROWS = 65
_NEVER = -1
#: What first_step waits for, in its order.
_AWAITED = {
    "accuracies": (True, True, False),
    "all": (True, True, True),
    "never": (False, False, False),
}


class StackedMeasurements:
    """First crossings, best accuracies and learning curves of stacked cells.

    Parameters
    ----------
    task, train_size
        What the cells have in common.
    embeddings
        The cells' embeddings, (cells, p, d).

    Attributes
    ----------
    rqi
        Returns the RQI of embeddings (cells, p, d), (cells,).
    update
        Completed updates of each cell, (cells,).
    is_running
        Cells that have not ended, (cells,); the others' measurements stay as they are.
    """

    def __init__(self, task: Task, train_size: int, embeddings: Tensor) -> None:
        cells, device = len(embeddings), embeddings.device

        def full(value: float, *sizes: int, dtype: torch.dtype = torch.float64) -> Tensor:
            return torch.full((cells, *sizes), value, device=device, dtype=dtype)

        self.train_size = train_size
        self.update, self.steps = (full(0, dtype=torch.int64) for _ in range(2))
        self.is_running, self.is_diverged = (full(False, dtype=torch.bool) for _ in range(2))
        self.thresholds = full(1.0, 3)
        self.awaited = full(False, 3, dtype=torch.bool)
        self.first_step = full(_NEVER, 3, dtype=torch.int64)
        self.best = full(0.0, 2)
        # One row more than there can be takes what ended cells would write.
        self.curve = full(np.nan, _ROWS + 1, len(CURVE_COLUMNS))
        self.record_at = full(_NEVER, _ROWS + 1, dtype=torch.int64)
        self.row = full(0, dtype=torch.int64)
        self.embeddings = torch.zeros_like(embeddings, requires_grad=False)
        self.rqi = StackedRqi(task, embeddings.shape[2], device)

    @property
    def state(self) -> list[Tensor]:
        """All that belongs to a cell, each with the cells as its first dimension."""
        of_run = [self.update, self.steps, self.is_running, self.is_diverged, self.thresholds]
        found = [self.awaited, self.first_step, self.best, self.curve, self.record_at, self.row]
        return [*of_run, *found, self.embeddings]

    def load(self, cell: int, model: ToyModel) -> None:
        """Begin anew in a cell's place."""
        records = np.full(_ROWS + 1, _NEVER)
        updates = curve_updates(model.steps)
        records[: len(updates)] = updates
        self.record_at[cell] = torch.from_numpy(records)
        limits = [model.train_threshold, model.test_threshold, model.rqi_threshold]
        self.thresholds[cell] = torch.tensor(limits, dtype=torch.float64)
        self.awaited[cell] = torch.tensor(_AWAITED[model.stop_when])
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
        n = self.train_size
        means = [part.double().mean(dim=1) for part in (losses[:, :n], losses[:, n:])]
        shares = [
            part.sum(dim=1).double() / part.shape[1] for part in (is_right[:, :n], is_right[:, n:])
        ]
        running = self.is_running
        alive = running & is_finite & (means[0].abs() < math.inf)
        measured = torch.stack([self.update.double(), *means, *shares, rqi], dim=1)

        accuracies, crossing = measured[:, 3:5], measured[:, 3:6]
        best = torch.maximum(self.best, accuracies)
        self.best.copy_(torch.where(alive[:, None], best, self.best))
        reached = torch.cat(
            [crossing[:, :2] >= self.thresholds[:, :2], crossing[:, 2:] > self.thresholds[:, 2:]], 1
        )
        is_first = alive[:, None] & reached & (self.first_step < 0)
        self.first_step.copy_(torch.where(is_first, self.update[:, None], self.first_step))

        stops = ((self.first_step >= 0) | ~self.awaited).all(dim=1) & self.awaited.any(dim=1)
        goes_on = alive & ~stops & (self.update < self.steps)
        self._record(measured, alive, goes_on)
        self.embeddings.copy_(torch.where(running[:, None, None], embeddings, self.embeddings))
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
        awaited = [step for step, waits in zip(first, self.awaited[cell], strict=True) if waits]
        stopped = bool(awaited) and None not in awaited
        status: Status = "stopped" if stopped else "finished"
        # A diverged state has no measurements, and is not in the curve.
        row = int(self.row[cell])
        curve = self.curve[cell, : row if diverged else row + 1].numpy().copy()
        last = np.full(len(CURVE_COLUMNS), np.nan) if diverged else curve[-1]
        best_train, best_test = self.best[cell].tolist()
        return RunSummary(
            status="diverged" if diverged else status,
            train_step=first[0],
            test_step=first[1],
            rqi_step=first[2],
            diverged_step=update if diverged else None,
            steps_run=update,
            train_accuracy=float(last[3]),
            test_accuracy=float(last[4]),
            best_train_accuracy=best_train,
            best_test_accuracy=best_test,
            rqi=float(last[5]),
            embeddings=self.embeddings[cell].float().numpy().copy(),
            curve=curve,
        )
