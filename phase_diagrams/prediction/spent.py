"""What a predicted diagram took, beside the sweep that it stands for."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from effective_theory.toy_model import AWAITED
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.runs.summary import STEPS


@dataclass(frozen=True)
class Spent:
    """Updates of a predicted diagram.

    Attributes
    ----------
    probes
        Updates that the probes ran.
    measured
        Updates of the cells that were measured besides.
    whole
        Updates of the measured cells, as they were, and of the predicted ones, about.
    """

    probes: int
    measured: int
    whole: int

    @property
    def share(self) -> float:
        """What was spent over what these cells take; 0 where there is none."""
        return (self.probes + self.measured) / self.whole if self.whole else 0.0


def spent(diagram: PhaseDiagram) -> Spent:
    """Return what a predicted diagram took."""
    assert diagram.prediction is not None
    measured, prediction = diagram.measured, diagram.prediction
    lengths = np.where(measured, measured_lengths(diagram), np.nan_to_num(prediction.lengths))
    besides = measured & ~prediction.probed
    return Spent(prediction.updates, int(lengths[besides].sum()), round(lengths.sum()))


def measured_lengths(diagram: PhaseDiagram) -> NDArray[np.float64]:
    """Return how many updates measured cells ran, by what they stop for and their budgets."""
    steps = {name: getattr(diagram, name).filled(-1) for name in STEPS}
    lengths = np.zeros(diagram.spec.shape)
    for cell in diagram.spec.cells():
        budget, place = cell.budget, cell.index
        awaited = [int(steps[name][place]) for name in AWAITED[budget.stop_when]]
        diverged = int(steps["diverged_step"][place])
        lengths[place] = budget.steps if diverged < 0 else diverged
        if awaited and min(awaited) >= 0:
            lengths[place] = max(awaited)
    return lengths
