"""Diagrams with given labels, made without training."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from effective_theory import Addition, ToyModel
from phase_diagrams import Phase, PhaseDiagram, RunSummary, SweepSpec

#: A train and a test step for each phase.
STEPS: dict[Phase, tuple[int | None, int | None]] = {
    Phase.COMPREHENSION: (100, 200),
    Phase.GROKKING: (100, 5000),
    Phase.MEMORIZATION: (100, None),
    Phase.CONFUSION: (None, None),
}


def run_with(
    train_step: int | None, test_step: int | None, rqi_step: int | None = None, steps: int = 10_000
) -> RunSummary:
    """A run of ten symbols with these steps, which stops when both accuracies are reached."""
    stops = train_step is not None and test_step is not None
    end = max(train_step, test_step) if stops else steps
    train, test, rqi = (float(step is not None) for step in (train_step, test_step, rqi_step))
    return RunSummary(
        status="stopped" if stops else "finished",
        train_step=train_step,
        test_step=test_step,
        rqi_step=rqi_step,
        diverged_step=None,
        steps_run=end,
        train_accuracy=train,
        test_accuracy=test,
        best_train_accuracy=train,
        best_test_accuracy=test,
        rqi=rqi,
        state=np.zeros((10, 1), np.float32),
        curve=np.array([[0.0, 1.0, 1.0, 0.0, 0.0, 0.0], [end, 0.0, 0.0, train, test, rqi]]),
    )


def labelled(
    phases: ArrayLike,
    axes: Mapping[str, Any],
    seeds: Sequence[Any],
    **fields: Any,
) -> PhaseDiagram:
    """A diagram with these phases, shape (axes..., seeds); cells of -1 are not run."""
    spec = SweepSpec(Addition(10), axes, ToyModel(steps=10_000), seeds=seeds, **fields)
    diagram = PhaseDiagram(spec)
    for index, phase in np.ndenumerate(np.asarray(phases)):
        if phase != Phase.NOT_RUN:
            diagram.record(index, run_with(*STEPS[Phase(int(phase))]))
    return diagram
