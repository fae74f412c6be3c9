"""What became of a training run, as text."""

import math

import numpy as np

from effective_theory.parallelograms import ideal_accuracy
from effective_theory.tasks import Dataset
from effective_theory.toy_model import ToyModel
from effective_theory.training import Outcome


def report(outcome: Outcome, model: ToyModel, dataset: Dataset) -> str:
    """Return what became of a run of ``model`` on ``dataset``, a line for each thing."""
    task = dataset.task
    ideal = f"{ideal_accuracy(dataset, on='test'):.2f}" if task.has_line else "not defined"
    lines = [
        f"{outcome.status} after {outcome.steps_run} updates",
        f"train accuracy >= {model.train_threshold:g}: {_step(outcome.train_step)}",
        f"test accuracy >= {model.test_threshold:g}: {_step(outcome.test_step)}"
        f" (ideal test accuracy: {ideal})",
    ]
    if outcome.diverged_step is not None:
        lines.append(
            f"diverged at update {outcome.diverged_step}: lower a learning rate or weight decay"
        )
    if task.residual_threshold is not None:
        undefined = outcome.status != "diverged" and bool(np.isfinite(outcome.embeddings).all())
        lines.append(
            f"RQI > {model.rqi_threshold:g}: {_step(outcome.rqi_step)} "
            f"(last: {_fraction(outcome.rqi, undefined=undefined)})"
        )
    lines.append(
        f"last accuracies: train {_fraction(outcome.train_accuracy)}, "
        f"test {_fraction(outcome.test_accuracy)}"
    )
    return "\n".join(lines)


def _step(value: int | None) -> str:
    return "never" if value is None else f"at update {value}"


def _fraction(value: float, *, undefined: bool = False) -> str:
    """Two digits, or why there is no number."""
    if math.isnan(value):
        return "not defined" if undefined else "not known"
    return f"{value:.2f}"
