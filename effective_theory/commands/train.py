"""``train``: one run of the toy model."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from effective_theory.checks import integer
from effective_theory.dataset import Dataset
from effective_theory.files import require_picture, save_figure
from effective_theory.report import report
from effective_theory.task_names import TaskName, task_named
from effective_theory.toy_model import ToyModel
from effective_theory.training import train


@dataclass(frozen=True)
class ModelOptions(ToyModel):  # noqa: D101 (its text is the model's)
    __doc__ = ToyModel.__doc__

    def __post_init__(self) -> None:
        """Check nothing yet: `checked` does, and its error reaches the user in our own words."""

    def checked(self) -> ToyModel:
        """Return the model that the options describe."""
        return ToyModel(**dataclasses.asdict(self))


@dataclass(frozen=True)
class Train:
    """Train one toy model from a random start and say when it learned."""

    task: TaskName = "addition"
    """The task."""
    p: int = 10
    """Number of symbols; for permutations the number of permuted things."""
    operation: str | None = None
    """Of modular_operation, such as x-y or x^2+xy+y^2 (default: x+y), or of permutation_operation:
    xy, xyx^-1 or xyx."""
    train_size: int = 45
    """Number of training samples."""
    seed: int = 0
    """Seed of the split and of the start."""
    plot: Path | None = None
    """Picture of the run: accuracies, losses and embeddings against updates."""
    model: ModelOptions = field(default_factory=ModelOptions)

    def run(self) -> None:
        """Train, print and draw."""
        if self.plot is not None:
            require_picture(self.plot)
        split, start = np.random.SeedSequence(integer("seed", self.seed, 0)).spawn(2)
        task = task_named(self.task, self.p, self.operation)
        dataset = Dataset.split(task, self.train_size, split)
        model = self.model.checked()
        every = max(1, model.steps // 1000) if self.plot is not None else None
        result = train(model, dataset, rng=start, record_every=every)
        print(report(result))
        if self.plot is not None:
            about = f"{dataset!r}, seed {self.seed}, {model!r}"
            save_figure(result.plot(), self.plot, about)
            print(f"picture: {self.plot}")
