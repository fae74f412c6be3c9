"""A second system, as somebody may write it: a perceptron on numbers, learned by gradient descent.

Nothing of the packages knows it. What is imported here registers it, as an installed package's
entry point does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from effective_theory import Dataset, InputError, Task, register_task
from effective_theory.checks import integer
from phase_diagrams import (
    Field,
    FinalState,
    Measure,
    RunSummary,
    SweepSpec,
    System,
    register_preset,
    register_start,
    register_system,
)
from phase_diagrams.runs.engines import OneByOne
from phase_diagrams.sweeps.cell import Cell
from phase_diagrams.sweeps.seeds import Seed
from phase_diagrams.sweeps.starts import Recipe


@dataclass(frozen=True)
class UpperPart(Task):
    """Whole numbers below ``count``; label 1 has what is not below ``first``."""

    count: int = 60
    first: int = 20

    def __post_init__(self) -> None:
        integer("first", self.first, 1, integer("count", self.count, 2, 1000) - 1)

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """Whether a number is in the upper part."""
        return (np.arange(self.count) >= self.first).astype(np.int64)

    @property
    def features(self) -> NDArray[np.float64]:
        """A constant and the number from -1 to 1, shape (count, 2)."""
        return np.stack([np.ones(self.count), np.linspace(-1, 1, self.count)], axis=1)


@dataclass(frozen=True)
class Perceptron:
    """Hyper-parameters of the perceptron.

    Parameters
    ----------
    rate
        Learning rate.
    shrink
        Share of the weights that each update takes away; None for nothing.
    scale
        Of the weights at the start.
    steps
        Budget in updates.
    """

    rate: float = 0.1
    shrink: float | None = None
    scale: float = 1.0
    steps: int = 200
    train_level: float = 0.9
    test_level: float = 0.9

    def __post_init__(self) -> None:
        if not 0 < self.rate <= 100:
            raise InputError(f"rate must be from 0 to 100, not {self.rate}.")


def start(
    settings: Perceptron, task: UpperPart, train_size: int, seed: Seed
) -> tuple[Dataset, NDArray[np.float64]]:
    """Draw a split and weights."""
    weights = np.random.default_rng(seed[1]).normal(size=2) * settings.scale
    return Dataset.split(task, train_size, seed[0]), weights


def learn(cell: Cell, recipe: Recipe) -> RunSummary:
    """Learn by gradient descent until both accuracies are at their levels."""
    settings, (dataset, weights) = cell.model, cell.draw(recipe)
    sides, levels = (dataset.train, dataset.test), (settings.train_level, settings.test_level)
    features, signs = cell.task.features, 2.0 * cell.task.labels - 1
    crossings: list[int | None] = [None, None]
    curve: list[list[float]] = []
    for update in range(settings.steps + 1):
        margins = signs * (features @ weights)
        losses = [float(np.logaddexp(0, -margins[side]).mean()) for side in sides]
        accuracies = [float((margins[side] > 0).mean()) for side in sides]
        curve.append([update, *losses, *accuracies, np.nan])
        for k, (accuracy, level) in enumerate(zip(accuracies, levels, strict=True)):
            if crossings[k] is None and accuracy >= level:
                crossings[k] = update
        if None not in crossings or update == settings.steps:
            break
        pull = (signs / (1 + np.exp(margins)))[dataset.train]
        gradient = (pull[:, None] * features[dataset.train]).mean(axis=0)
        weights = weights * (1 - (settings.shrink or 0.0)) + settings.rate * gradient
    best = np.array(curve).max(axis=0)
    return RunSummary(
        status="finished" if None in crossings else "stopped",
        train_step=crossings[0],
        test_step=crossings[1],
        rqi_step=None,
        diverged_step=None,
        steps_run=update,
        train_accuracy=accuracies[0],
        test_accuracy=accuracies[1],
        best_train_accuracy=float(best[3]),
        best_test_accuracy=float(best[4]),
        rqi=np.nan,
        state=weights[:, None].astype(np.float32),
        curve=np.array(curve),
    )


@dataclass(frozen=True)
class PerceptronEngine(OneByOne):
    """Runs perceptrons one by one."""

    identity: str = "perceptron-numpy"
    version: int = 1

    def task(self) -> Callable[[Cell, Recipe], RunSummary]:
        """Return what learns a cell."""
        return learn


PERCEPTRON = System(
    name="perceptron",
    settings=Perceptron,
    engine=PerceptronEngine,
    plural="perceptrons",
    trains_on=(UpperPart, "a task such as UpperPart(60)"),
    fields={
        "rate": Field("learning rate", "log", "smallest"),
        "shrink": Field(none="no shrinking"),
        "scale": Field("initial scale", "log"),
        "steps": Field(longest="largest"),
    },
    measures={
        "train": Measure("train accuracy", "train_level"),
        "test": Measure("test accuracy", "test_level"),
    },
    stops_when="accuracies",
    state=FinalState("weights", "input", lambda settings, task: (2, 1)),
    samples=lambda settings, task, train_size: (train_size, task.size - train_size),
    shapes_start=("scale",),
    brought_by="install the package that has perceptrons",
)


def spec() -> SweepSpec:
    """Return a sweep over two fields and two seeds."""
    axes = {"rate": [0.01, 0.1, 1.0], "scale": [0.1, 1.0, 10.0]}
    return SweepSpec(UpperPart(60, 20), axes, Perceptron(), train_size=20, seeds=(0, 1), lag=10)


def register() -> None:
    """Make the task, the system, its start and its preset known."""
    register_task(UpperPart)
    register_system(PERCEPTRON)
    register_start("random", start, system=PERCEPTRON)
    register_preset("perceptrons", "learning rate x initial scale of perceptrons", spec())


register()
