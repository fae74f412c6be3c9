"""A task with its training set; all other samples are the test set."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from effective_theory.checks import (
    InputError,
    RandomSource,
    fraction,
    integer,
    of_type,
    random_generator,
    refuse_masked,
)
from effective_theory.task import BinaryOperation, Task, read_only


@dataclass(frozen=True, eq=False)
class Dataset:
    """A task with its training set; all other samples are the test set.

    Parameters
    ----------
    task
        The task.
    train
        Indices of the training samples, shape (n,), from 0 to N - 1; kept sorted.

    Raises
    ------
    InputError
        If ``task`` is no task or an unsound one, or an index is no integer, masked, repeated or out
        of range.
    """

    task: Task
    train: NDArray[np.int64] = field(repr=False)

    def __init__(self, task: Task, train: ArrayLike) -> None:
        of_type("task", task, Task, "a task such as Addition(10)")  # type: ignore[type-abstract]
        task.require_sound()
        refuse_masked("train", train)
        try:
            indices = np.array(train)
        except ValueError:  # rows of different lengths
            indices = np.empty((0, 0))
        if indices.ndim != 1 or (indices.size and not np.issubdtype(indices.dtype, np.integer)):
            raise InputError("train must be a one-dimensional sequence of integer indices.")
        indices = np.sort(indices.astype(np.int64))
        if indices.size and (indices[0] < 0 or indices[-1] >= task.size):
            raise InputError(
                f"train must hold indices from 0 to {task.size - 1} of the task's samples."
            )
        if (indices[1:] == indices[:-1]).any():
            raise InputError("train holds an index twice; give each training sample once.")
        object.__setattr__(self, "task", task)
        object.__setattr__(self, "train", read_only(indices))

    def __repr__(self) -> str:
        """Return the task and how many of its samples are in the training set."""
        return f"Dataset({self.task!r}, {self.train_size} of {self.task.size} samples)"

    @classmethod
    def split(
        cls,
        task: Task,
        train_size: int | None = None,
        rng: RandomSource | None = None,
        *,
        train_fraction: float | None = None,
    ) -> Self:
        """Draw a random training set of a given number of samples, or a given share of them.

        With one generator state the sets of different sizes are nested: a sweep over
        ``train_size`` adds samples and never swaps them.

        Parameters
        ----------
        task
            The task.
        train_size
            Number of training samples, from 0 to N.
        rng
            Int, SeedSequence or Generator that draws them; it must be given.
        train_fraction
            Instead of ``train_size``: training samples as a share of all N. The nearest number of
            samples is taken, an even one where two are equally near.

        Returns
        -------
        Dataset
            The task with its training set.

        Raises
        ------
        InputError
            If ``task`` is no task, both or neither of ``train_size`` and ``train_fraction`` are
            given, ``rng`` is not given, or the number of training samples is out of range. A share
            must leave at least one training and one test sample.

        Examples
        --------
        >>> from effective_theory import ModularOperation
        >>> Dataset.split(ModularOperation("x+y", 97), rng=0, train_fraction=0.3).train_size
        2823
        """
        of_type("task", task, Task, "a task such as Addition(10)")  # type: ignore[type-abstract]
        if (train_size is None) == (train_fraction is None):
            raise InputError("train_size or train_fraction must be given, and not both.")
        if train_fraction is not None:
            train_size = train_count(task, train_fraction)
        size = integer("train_size", train_size, 0, task.size)
        return cls(task, random_generator(rng).permutation(task.size)[:size])

    @cached_property
    def test(self) -> NDArray[np.int64]:
        """Indices of the test samples, sorted."""
        return read_only(np.setdiff1d(np.arange(self.task.size), self.train, assume_unique=True))

    @property
    def operation(self) -> BinaryOperation:
        """The task, where it is an operation on symbols, as the toy model and its theory need.

        Raises
        ------
        InputError
            If the task is no operation on symbols.
        """
        if not isinstance(self.task, BinaryOperation):
            raise InputError(
                f"task must be an operation on symbols such as Addition(10), not {self.task!r}."
            )
        return self.task

    @property
    def train_size(self) -> int:
        """Number of training samples."""
        return len(self.train)

    @property
    def train_fraction(self) -> float:
        """Training samples as a fraction of all samples."""
        return self.train_size / self.task.size


def operation_of(dataset: Dataset) -> BinaryOperation:
    """Return the task of a user's dataset, as the toy model and its theory need it.

    Raises
    ------
    InputError
        If it is no Dataset, or its task no operation on symbols.
    """
    of_type("dataset", dataset, Dataset, "a Dataset such as Dataset.split() returns")
    return dataset.operation


def train_count(task: Task, share: Any) -> int:
    """Return the number of training samples nearest to a share; halves go to the even number.

    Raises
    ------
    InputError
        If the share is none, or leaves no training or no test sample.
    """
    count = round(fraction("train_fraction", share) * task.size)
    if not 1 <= count < task.size:
        raise InputError(
            f"train_fraction {share} is {count} of {task.size} samples; "
            "choose one that leaves training and test samples."
        )
    return count
