"""Training samples as a share of all: a sweep keeps the count that it stands for."""

from collections.abc import Mapping, Sequence
from typing import Any

from effective_theory import InputError, Task
from effective_theory.dataset import train_count
from phase_diagrams.sweeps.axes import Axis, axis_of

#: Training samples where neither their count nor their share is given.
DEFAULT_TRAIN_SIZE = 45


def settled_train_size(task: Task, size: int | None, share: float | None) -> int:
    """Return the number of training samples that one of the two stands for."""
    if share is None:
        return DEFAULT_TRAIN_SIZE if size is None else size
    if size is not None:
        raise InputError("train_size and train_fraction are both given; leave one out.")
    return train_count(task, share)


def settled_axes(
    task: Task, axes: Mapping[str, Axis | Sequence[Any]]
) -> dict[str, Axis | Sequence[Any]]:
    """Return axes with "train_fraction" as "train_size", in its place and on its scale."""
    if "train_fraction" not in axes:
        return dict(axes)
    if "train_size" in axes:
        raise InputError("train_size and train_fraction are both axes; leave one out.")
    shares = axis_of("train_fraction", axes["train_fraction"])
    counts = tuple(train_count(task, share) for share in shares.values)
    if len(set(counts)) < len(counts):
        raise InputError(
            f"axis train_fraction has values that are the same number of {task.size} samples; "
            "use fewer values."
        )
    sizes = {"train_fraction": ("train_size", Axis(counts, shares.scale))}
    return dict(sizes.get(name, (name, values)) for name, values in axes.items())
