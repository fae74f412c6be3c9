"""What a sweep keeps of a run: scalars, the final embeddings and a short learning curve."""

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from effective_theory import TrainingRun
from effective_theory.toy_model import StopWhen
from effective_theory.training import Outcome, Status

#: Columns of a learning curve.
CURVE_COLUMNS = ("update", "train_loss", "test_loss", "train_accuracy", "test_accuracy", "rqi")


def curve_updates(steps: int, points: int = 64) -> NDArray[np.int64]:
    """Return about ``points`` updates from 0 to ``steps``, evenly spaced on a log scale."""
    spaced = np.geomspace(1, steps, points - 1)
    return np.unique(np.concatenate([[0], np.rint(spaced)])).astype(np.int64)


@dataclass(frozen=True, eq=False)
class RunSummary(Outcome):
    """The result of one cell.

    Attributes
    ----------
    curve
        Learning curve, shape (points, 6), with the columns of CURVE_COLUMNS.
    """

    curve: NDArray[np.float64]

    @classmethod
    def of(cls, run: TrainingRun) -> "RunSummary":
        """Summarise a run that recorded a history."""
        assert run.history is not None
        columns = [getattr(run.history, name) for name in CURVE_COLUMNS]
        kept = {field.name: getattr(run, field.name) for field in dataclasses.fields(Outcome)}
        return cls(**kept, curve=np.column_stack(columns).astype(np.float64))

    def answers(self, steps: int, stop_when: StopWhen) -> bool:
        """Return whether a run with this budget would have been known to this one.

        It is if this run went on for that long, or diverged before, or if what the shorter run
        stops for was reached.
        """
        if self.steps_run >= steps or self.status == "diverged":
            return True
        return self._stops_at(stop_when) is not None

    def _stops_at(self, stop_when: StopWhen) -> int | None:
        """First update at which all that ``stop_when`` waits for is known."""
        awaited = {
            "accuracies": (self.train_step, self.test_step),
            "all": (self.train_step, self.test_step, self.rqi_step),
            "never": (None,),
        }[stop_when]
        known = [step for step in awaited if step is not None]
        return max(known) if len(known) == len(awaited) else None

    def within(self, steps: int, stop_when: StopWhen) -> "RunSummary":
        """Return this run as the shorter request would have ended it.

        Crossings after its end become unknown and the status its own; accuracies, RQI, embeddings
        and the curve stay those of the longer run, as ``steps_run`` says.
        """
        stop = self._stops_at(stop_when)
        end = steps if stop is None else min(stop, steps)
        diverged = self.diverged_step is not None and self.diverged_step <= end

        def known(step: int | None) -> int | None:
            return step if step is not None and step <= end else None

        status: Status = "stopped" if stop is not None and stop <= steps else "finished"
        return dataclasses.replace(
            self,
            status="diverged" if diverged else status,
            train_step=known(self.train_step),
            test_step=known(self.test_step),
            rqi_step=known(self.rqi_step),
            diverged_step=self.diverged_step if diverged else None,
        )
