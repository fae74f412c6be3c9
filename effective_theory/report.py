"""What became of a training run, as text."""

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from effective_theory.dataset import Dataset
from effective_theory.outcome import Outcome, Status
from effective_theory.parallelograms import ideal_accuracy
from effective_theory.toy_model import ToyModel


class Ended(Protocol):
    """What is known of every run that ended."""

    @property
    def status(self) -> Status:
        """How the run ended."""

    @property
    def steps_run(self) -> int:
        """Number of completed updates."""

    @property
    def diverged_step(self) -> int | None:
        """First update with a non-finite loss or parameter."""

    @property
    def train_accuracy(self) -> float:
        """Train accuracy of the last state."""

    @property
    def test_accuracy(self) -> float:
        """Test accuracy of the last state."""


class Condition(NamedTuple):
    """What was to be reached, the first update with it, and what is said beside."""

    text: str
    step: int | None
    beside: str = ""


def report(outcome: Outcome, model: ToyModel, dataset: Dataset) -> str:
    """Return what became of a run of ``model`` on ``dataset``, a line for each thing."""
    task = dataset.operation
    ideal = f"{ideal_accuracy(dataset, on='test'):.2f}" if task.has_line else "not defined"
    conditions = [
        Condition(f"train accuracy >= {model.train_threshold:g}", outcome.train_step),
        Condition(
            f"test accuracy >= {model.test_threshold:g}",
            outcome.test_step,
            f" (ideal test accuracy: {ideal})",
        ),
    ]
    if task.residual_threshold is not None:
        undefined = outcome.status != "diverged" and bool(np.isfinite(outcome.embeddings).all())
        last = f" (last: {fraction(outcome.rqi, undefined=undefined)})"
        conditions.append(Condition(f"RQI > {model.rqi_threshold:g}", outcome.rqi_step, last))
    return outcome_text(outcome, conditions)


def outcome_text(outcome: Ended, conditions: Sequence[Condition], unit: str = "update") -> str:
    """Return how a run ended, when it met conditions, and its last accuracies, line by line."""
    absent = not_reached(outcome.steps_run, outcome.diverged_step, unit)
    lines = [f"{outcome.status} after {outcome.steps_run} {unit}s"]
    lines += [f"{c.text}: {crossing(c.step, absent, unit)}{c.beside}" for c in conditions]
    if outcome.diverged_step is not None:
        lines.append(
            f"diverged at {unit} {outcome.diverged_step}: lower a learning rate or weight decay"
        )
    lines.append(
        f"last accuracies: train {fraction(outcome.train_accuracy)}, "
        f"test {fraction(outcome.test_accuracy)}"
    )
    return "\n".join(lines)


def crossing(step: int | None, absent: str, unit: str = "update") -> str:
    """Return when a threshold was reached, or ``absent``."""
    return absent if step is None else f"at {unit} {step}"


def not_reached(steps_run: int, diverged_step: int | None = None, unit: str = "update") -> str:
    """Return in words that a run did not reach a threshold: not in its updates, at most."""
    if diverged_step is not None:
        return f"not before it diverged at {unit} {diverged_step}"
    return f"not within {steps_run} {unit}s"


def fraction(value: float, *, undefined: bool = False) -> str:
    """Return two digits, or why there is no number."""
    if math.isnan(value):
        return "not defined" if undefined else "not known"
    return f"{value:.2f}"
