"""What a sweep keeps of a run: scalars, its system's final state and a short learning curve."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from effective_theory.outcome import Status
from effective_theory.toy_model import AWAITED, StopWhen
from phase_diagrams.runs.origin import Origin
from phase_diagrams.sweeps.systems import System

#: What an outcome says of accuracies and RQI; NaN where it is not known.
FRACTIONS = (
    *("train_accuracy", "test_accuracy", "best_train_accuracy", "best_test_accuracy", "rqi"),
)

#: First crossings of the thresholds, and with divergence all steps that a run may have.
CROSSINGS = ("train_step", "test_step", "rqi_step")
STEPS = (*CROSSINGS, "diverged_step")

#: Columns of a learning curve.
CURVE_COLUMNS = ("update", "train_loss", "test_loss", "train_accuracy", "test_accuracy", "rqi")


def curve_columns(system: System) -> tuple[str, ...]:
    """Return the columns of the learning curves of a system's runs."""
    return (*CURVE_COLUMNS, *system.further)


def further_accuracies(system: System) -> list[tuple[int, str]]:
    """Return the place in a learning curve and the label of each accuracy beside the usual ones."""
    further = enumerate(system.further, len(CURVE_COLUMNS))
    return [(k, name.replace("_", " ")) for k, name in further if name.endswith("_accuracy")]


def curve_updates(steps: int, points: int = 64) -> NDArray[np.int64]:
    """Return about ``points`` updates from 0 to ``steps``, evenly spaced on a log scale."""
    spaced = np.geomspace(1, steps, points - 1)
    return np.unique(np.concatenate([[0], np.rint(spaced)])).astype(np.int64)


@dataclass(frozen=True, eq=False)
class RunSummary:
    """The result of one cell; steps are completed updates.

    Attributes
    ----------
    status
        "finished" (the budget was run), "stopped" (what stop_when waits for was reached) or
        "diverged" (the train loss or a parameter is not finite: lower the learning rate or weight
        decay).
    train_step, test_step, rqi_step
        First update with the accuracy at its threshold, or RQI above its own; None if that did not
        happen within ``steps_run``, or is not measured.
    diverged_step
        First update with a non-finite train loss or parameter; None unless diverged.
    steps_run
        Number of completed updates.
    train_accuracy, test_accuracy, rqi
        Of the last state; NaN after divergence, and where not defined or not known.
    best_train_accuracy, best_test_accuracy
        Over all states.
    state
        What the system keeps of the last state (see `FinalState`), such as the toy model's
        embeddings, shape (p, d); of size 0 where that is nothing.
    curve
        Learning curve, shape (points, columns). The columns are update, train_loss, test_loss,
        train_accuracy, test_accuracy, rqi and, behind them, those that the system has besides.
    origin
        What made the run; None if that is not known.
    """

    status: Status
    train_step: int | None
    test_step: int | None
    rqi_step: int | None
    diverged_step: int | None
    steps_run: int
    train_accuracy: float
    test_accuracy: float
    best_train_accuracy: float
    best_test_accuracy: float
    rqi: float
    state: NDArray[np.float32]
    curve: NDArray[np.float64]
    origin: Origin | None = None

    def column(self, name: str) -> NDArray[np.float64]:
        """Return one of CURVE_COLUMNS of the learning curve."""
        return self.curve[:, CURVE_COLUMNS.index(name)]

    def answers(self, steps: int, stop_when: StopWhen) -> bool:
        """Return whether this run tells all that a run with another budget would tell.

        It does if it went on for that long, or diverged before, or reached what the other run stops
        for.

        Parameters
        ----------
        steps
            Budget of the other run, in updates.
        stop_when
            When the other run stops before, as for `effective_theory.ToyModel`.
        """
        return (
            self.steps_run >= steps
            or self.status == "diverged"
            or self._stop(stop_when) is not None
        )

    def ends_like(self, steps: int, stop_when: StopWhen) -> bool:
        """Return whether a run with this budget would have ended in the same state.

        Parameters are those of `answers`. The learning curve of that run may have been recorded at
        other updates.
        """
        return self.answers(steps, stop_when) and self._end(steps, stop_when) == self.steps_run

    def within(self, steps: int, stop_when: StopWhen) -> "RunSummary":
        """Return the result that a run with this budget would have had, if this run `answers` it.

        Parameters are those of `answers`. Where the other run would have ended in another state,
        that state's accuracies, RQI and numbers are not known: they are NaN, and the curve ends
        with it.
        """
        ending = self.ending(steps, stop_when)
        end: int = ending["steps_run"]
        if all(getattr(self, name) == value for name, value in ending.items()) and (
            self.curve.size == 0 or self.column("update")[-1] <= end
        ):
            return self
        same = end == self.steps_run
        unknown: dict[str, Any] = {} if same else dict.fromkeys(FRACTIONS, math.nan)
        return dataclasses.replace(
            self,
            **ending,
            state=self.state if same else np.full_like(self.state, np.nan),
            curve=self.curve[self.column("update") <= end],
            **unknown,
        )

    def ending(self, steps: int, stop_when: StopWhen) -> dict[str, Any]:
        """Return the status, first crossings and end that `within` gives, by their names."""
        end, stop = self._end(steps, stop_when), self._stop(stop_when)
        reached = {name: getattr(self, name) for name in STEPS}
        within = {n: k if k is not None and k <= end else None for n, k in reached.items()}
        status: Status = "stopped" if stop is not None and stop <= steps else "finished"
        if within["diverged_step"] is not None:
            status = "diverged"
        return {"status": status, **within, "steps_run": end}

    def _stop(self, stop_when: StopWhen) -> int | None:
        """First update at which all that ``stop_when`` waits for is known."""
        steps = [getattr(self, name) for name in AWAITED[stop_when]]
        return None if None in steps else max(steps, default=None)

    def _end(self, steps: int, stop_when: StopWhen) -> int:
        """Last update of a run with this budget."""
        ends = (steps, self._stop(stop_when), self.diverged_step)
        return min(end for end in ends if end is not None)
