"""The toy model's entry among the systems, which is the first."""

from collections.abc import Mapping
from typing import Any

from effective_theory import BinaryOperation, Dataset, Task, ToyModel, ideal_accuracy
from phase_diagrams.sweeps.registry import register_system
from phase_diagrams.sweeps.starts import register_start
from phase_diagrams.sweeps.systems import Field, FinalState, Measure, System
from phase_diagrams.toy.cost import ExpectedCost
from phase_diagrams.toy.engine import numba_engine
from phase_diagrams.toy.presets import register_toy_presets
from phase_diagrams.toy.published_starts import register_published_starts
from phase_diagrams.toy.starts import random_split, random_start

_FIELDS = {
    "embedding_lr": Field("embedding learning rate", "log", "smallest"),
    "decoder_lr": Field("decoder learning rate", "log", "smallest"),
    "embedding_weight_decay": Field("embedding weight decay"),
    "decoder_weight_decay": Field("decoder weight decay"),
    "embedding_scale": Field("scale of initial embeddings"),
    "batch_size": Field(none="full batch"),
    "steps": Field(longest="largest"),
}


def _has_rqi(task: Any) -> bool:
    return isinstance(task, BinaryOperation) and task.residual_threshold is not None


def _embeddings(model: ToyModel, task: BinaryOperation) -> tuple[int, int]:
    return task.symbols, model.embedding_dim


def _samples(model: ToyModel, task: Task, train_size: int) -> tuple[int, int]:
    return train_size, task.size - train_size


def _require_fit(task: BinaryOperation, values: Mapping[str, tuple[Any, ...]]) -> None:
    """Check embeddings that multiply."""
    for embedding_dim in values["embedding_dim"]:
        task.matrix_side(embedding_dim)


def _ideal_accuracy(dataset: Dataset) -> float | None:
    return ideal_accuracy(dataset, on="test") if dataset.operation.has_line else None


TOY = System(
    name="toy",
    settings=ToyModel,
    engine=numba_engine,
    plural="toy models",
    trains_on=(BinaryOperation, "a task such as Addition(10)"),
    fields={name: _FIELDS.get(name, Field()) for name in vars(ToyModel())},
    measures={
        "train": Measure("train accuracy", "train_threshold"),
        "test": Measure("test accuracy", "test_threshold"),
        "rqi": Measure("RQI", "rqi_threshold", ">", _has_rqi),
    },
    state=FinalState("embeddings", "symbol", _embeddings),
    samples=_samples,
    require_fit=_require_fit,
    ideal_accuracy=_ideal_accuracy,
    expected_seconds=ExpectedCost,
    shapes_start=(
        *("embedding_dim", "width", "target_dim", "loss"),
        *("embedding_scale", "decoder_scale"),
    ),
    fields_fit=True,
    batch_size="batch_size",
    rates=("embedding_lr", "decoder_lr"),
    later={"adam_epsilon": ToyModel().adam_epsilon},
    published_columns={
        "eta_repr": "embedding_lr",
        "eta_dec": "decoder_lr",
        "weight_decay": "decoder_weight_decay",
        # So the authors' HDF5 files name the decoder's rates.
        "lr": "decoder_lr",
        "wd": "decoder_weight_decay",
    },
    published_like=("loss",),
    in_identity=False,
)


def register_toy() -> None:
    """Make the toy model known: as a system, with its starts and its published diagrams."""
    register_system(TOY)
    register_start("random", random_start, split=random_split, system=TOY)
    register_published_starts(TOY)
    register_toy_presets()
