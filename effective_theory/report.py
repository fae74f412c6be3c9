"""What became of a training run, as text."""

import math

import numpy as np

from effective_theory.dataset import Dataset
from effective_theory.outcome import Outcome
from effective_theory.parallelograms import ideal_accuracy
from effective_theory.toy_model import ToyModel


def report(outcome: Outcome, model: ToyModel, dataset: Dataset) -> str:
    """Return what became of a run of ``model`` on ``dataset``, a line for each thing."""
    task, absent = dataset.task, not_reached(outcome.steps_run, outcome.diverged_step)
    ideal = f"{ideal_accuracy(dataset, on='test'):.2f}" if task.has_line else "not defined"
    lines = [
        f"{outcome.status} after {outcome.steps_run} updates",
        f"train accuracy >= {model.train_threshold:g}: {crossing(outcome.train_step, absent)}",
        f"test accuracy >= {model.test_threshold:g}: {crossing(outcome.test_step, absent)}"
        f" (ideal test accuracy: {ideal})",
    ]
    if outcome.diverged_step is not None:
        lines.append(
            f"diverged at update {outcome.diverged_step}: lower a learning rate or weight decay"
        )
    if task.residual_threshold is not None:
        undefined = outcome.status != "diverged" and bool(np.isfinite(outcome.embeddings).all())
        lines.append(
            f"RQI > {model.rqi_threshold:g}: {crossing(outcome.rqi_step, absent)} "
            f"(last: {_fraction(outcome.rqi, undefined=undefined)})"
        )
    lines.append(
        f"last accuracies: train {_fraction(outcome.train_accuracy)}, "
        f"test {_fraction(outcome.test_accuracy)}"
    )
    return "\n".join(lines)


def crossing(step: int | None, absent: str) -> str:
    """Return when a threshold was reached, or ``absent``."""
    return absent if step is None else f"at update {step}"


def not_reached(steps_run: int, diverged_step: int | None = None) -> str:
    """Return in words that a run did not reach a threshold: not in its updates, at most."""
    if diverged_step is not None:
        return f"not before it diverged at update {diverged_step}"
    return f"not within {steps_run} updates"


def _fraction(value: float, *, undefined: bool = False) -> str:
    """Two digits, or why there is no number."""
    if math.isnan(value):
        return "not defined" if undefined else "not known"
    return f"{value:.2f}"
