"""The outcome of a training run: how it ended, and its last state."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from effective_theory.checks import InputError
from effective_theory.dataset import Dataset
from effective_theory.files import png_of
from effective_theory.history import History
from effective_theory.toy_model import ToyModel

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float32]
Status = Literal["finished", "stopped", "diverged"]


@dataclass(frozen=True, eq=False)
class TrainingRun:
    """The outcome of one training run of the toy model; steps are completed updates.

    Attributes
    ----------
    status
        "finished" (the budget was run), "stopped" (what ``stop_when`` waits for was reached) or
        "diverged" (the train loss or a parameter is not finite: lower the learning rate or weight
        decay).
    train_step, test_step, rqi_step
        First update with the accuracy at its threshold (>=), or RQI above its own (>); None if that
        did not happen within ``steps_run``.
    diverged_step
        First update with a non-finite train loss or parameter; None unless diverged.
    steps_run
        Number of completed updates.
    train_accuracy, test_accuracy, rqi
        Of the last state, fractions; NaN after divergence, and for an undefined RQI.
    best_train_accuracy, best_test_accuracy
        Largest over all states, fractions.
    embeddings
        Of the last state, shape (p, d).
    model, dataset
        What was trained.
    weights, biases
        The decoder of the last state: three arrays each, shapes (out, in) and (out,).
    history
        Recorded measurements, the last state included; None if nothing was to be recorded.
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
    embeddings: Array
    model: ToyModel
    dataset: Dataset
    weights: tuple[Array, Array, Array]
    biases: tuple[Array, Array, Array]
    history: History | None = None

    def __repr__(self) -> str:
        """Return how the run ended and its first crossings."""
        return (
            f"TrainingRun({self.status} after {self.steps_run} updates: "
            f"train_step={self.train_step}, test_step={self.test_step}, rqi_step={self.rqi_step})"
        )

    def plot(
        self, *, title: str | None = None, figsize: tuple[float, float] | None = None
    ) -> "Figure":
        """Draw accuracies, losses, RQI and embeddings against the update number, on a log axis.

        Parameters
        ----------
        title
            Over the panels; by default none.
        figsize
            Width and height of the figure, in inches.

        Returns
        -------
        matplotlib.figure.Figure
            The figure, which pyplot does not know.

        Raises
        ------
        InputError
            If the run has no history.
        """
        if self.history is None:
            raise InputError("the run has no history; train with record_every=10 to plot it.")
        from effective_theory.plotting import plot_history

        crossings = {"train": self.train_step, "test": self.test_step, "rqi": self.rqi_step}
        return plot_history(self.history, crossings, title=title, figsize=figsize)

    def _repr_png_(self) -> bytes | None:
        """Return the learning curve that a notebook shows; None without a history."""
        return None if self.history is None else png_of(self.plot())
