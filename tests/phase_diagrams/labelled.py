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
    train_step: int | None, test_step: int | None, rqi_step: int | None = None
) -> RunSummary:
    """A finished run with these steps."""
    return RunSummary(
        status="finished",
        train_step=train_step,
        test_step=test_step,
        rqi_step=rqi_step,
        diverged_step=None,
        steps_run=10_000,
        train_accuracy=1.0,
        test_accuracy=1.0,
        best_train_accuracy=1.0,
        best_test_accuracy=1.0,
        rqi=float("nan"),
        embeddings=np.zeros((10, 1), np.float32),
        curve=np.zeros((0, 6)),
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
