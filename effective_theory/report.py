"""What became of a training run, as text."""

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from effective_theory.outcome import Status, TrainingRun
from effective_theory.parallelograms import ideal_accuracy


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
        """First update with a non-finite train loss or parameter."""

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


def report(run: TrainingRun) -> str:
    """Return what became of a run, a line for each thing."""
    model, task = run.model, run.dataset.operation
    ideal = f"{ideal_accuracy(run.dataset, on='test'):.2f}" if task.has_line else "not defined"
    conditions = [
        Condition(f"train accuracy >= {model.train_threshold:g}", run.train_step),
        Condition(
            f"test accuracy >= {model.test_threshold:g}",
            run.test_step,
            f" (ideal test accuracy: {ideal})",
        ),
    ]
    if task.residual_threshold is not None:
        undefined = run.status != "diverged" and bool(np.isfinite(run.embeddings).all())
        last = f" (last: {fraction(run.rqi, undefined=undefined)})"
        conditions.append(Condition(f"RQI > {model.rqi_threshold:g}", run.rqi_step, last))
    return outcome_text(run, conditions)


def outcome_text(run: Ended, conditions: Sequence[Condition], unit: str = "update") -> str:
    """Return how a run ended, when it met conditions, and its last accuracies, line by line."""
    absent = not_reached(run.steps_run, run.diverged_step, unit)
    lines = [f"{run.status} after {run.steps_run} {unit}s"]
    lines += [f"{c.text}: {crossing(c.step, absent, unit)}{c.beside}" for c in conditions]
    if run.diverged_step is not None:
        lines.append(
            f"diverged at {unit} {run.diverged_step}: lower a learning rate or weight decay"
        )
    lines.append(
        f"last accuracies: train {fraction(run.train_accuracy)}, test {fraction(run.test_accuracy)}"
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
