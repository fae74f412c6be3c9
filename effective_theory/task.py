"""A task: which samples exist and which label each has; operations on symbols above all."""

import dataclasses
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from effective_theory.checks import InputError, of_type


class Task(ABC):
    """What a network is to learn: samples, each with a label.

    A subclass defines ``labels``; everything else has a default. To be kept by sweeps it must be a
    frozen dataclass, so that a store can make it again from its fields, and be registered
    (`register_task`).

    Attributes
    ----------
    name
        Name by which stored configurations know the task; by default that of the class.
    """

    name: ClassVar[str]

    def __init_subclass__(cls, **options: Any) -> None:
        """Name the task after its class, unless it says its name."""
        super().__init_subclass__(**options)
        if "name" not in vars(cls):
            cls.name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()

    @property
    @abstractmethod
    def labels(self) -> NDArray[np.int64]:
        """Label of each sample, shape (N,), from 0 to classes - 1."""

    @property
    def size(self) -> int:
        """Number of samples N."""
        return len(self.labels)

    @property
    def classes(self) -> int:
        """Number of different labels, by default one more than the largest."""
        return int(self.labels.max()) + 1

    def configuration(self) -> dict[str, Any]:
        """Return the task as plain values from which `task_from_configuration` makes it again.

        Raises
        ------
        InputError
            If the task is no dataclass: the values are its fields.
        """
        if not dataclasses.is_dataclass(self):
            raise InputError(
                f"task {self.name} must be a frozen dataclass, from whose fields it can be made "
                "again; decorate its class with @dataclass(frozen=True)."
            )
        return {"name": self.name, **dataclasses.asdict(self)}

    def require_sound(self) -> None:
        """Check the samples, once for each task: compiled loops trust them.

        Raises
        ------
        InputError
            If labels, or the symbols of pairs, are no int64 array of the right shape, are out of
            range, or there is no sample.
        """
        if not vars(self).get("_is_sound", False):
            self._check()
            object.__setattr__(self, "_is_sound", True)

    def _check(self) -> None:
        self._require_indices("labels", self.labels, (), lambda: self.classes)

    def _require_indices(
        self, name: str, values: Any, columns: tuple[int, ...], count: Callable[[], int]
    ) -> None:
        # Defaults of `size` and of what `count` returns take for granted what is checked first.
        is_array = isinstance(values, np.ndarray) and values.dtype == np.int64
        if not is_array or values.size == 0 or values.shape != (self.size, *columns):
            shape = "(N, 2)" if columns else "(N,)"
            raise InputError(
                f"{name} of task {self.name} must be an int64 array of shape {shape}, such as "
                "np.array(..., dtype=np.int64) makes, with at least one sample."
            )
        if values.min() < 0 or values.max() >= count():
            raise InputError(f"{name} of task {self.name} must be from 0 to {count() - 1}.")


class BinaryOperation(Task):
    """A binary operation on symbols 0 .. symbols - 1, given as a table of samples.

    A subclass defines ``pairs`` and ``labels``; everything else has a default.

    Attributes
    ----------
    has_line
        Whether the linear representation E_k = a + k b solves the task. Theory that rests on it
        (n0 = 2, ideal accuracy, grokking rate) is not defined for other tasks.
    combination
        How a model combines two embeddings: their "sum", or the "product" of matrices.
    residual_threshold
        Mean square residual below which RQI counts a parallelogram, as in the released code; None
        where RQI is not defined.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from functools import cached_property
    >>> @dataclass(frozen=True)
    ... class Subtraction(BinaryOperation):
    ...     p: int = 5
    ...
    ...     @cached_property
    ...     def pairs(self):
    ...         return np.argwhere(np.ones((self.p, self.p)))
    ...
    ...     @cached_property
    ...     def labels(self):
    ...         return (self.pairs[:, 0] - self.pairs[:, 1]) % self.p
    >>> task = Subtraction()
    >>> task.name, task.size, task.symbols, task.classes
    ('subtraction', 25, 5, 5)
    """

    has_line: ClassVar[bool] = False
    combination: ClassVar[Literal["sum", "product"]] = "sum"
    residual_threshold: ClassVar[float | None] = None

    @property
    @abstractmethod
    def pairs(self) -> NDArray[np.int64]:
        """All samples, pairs of symbols, shape (N, 2), in the order of the published code."""

    @property
    def symbols(self) -> int:
        """Number of symbols, each with an embedding; by default one more than the largest."""
        return int(self.pairs.max()) + 1

    def _check(self) -> None:
        super()._check()
        self._require_indices("pairs", self.pairs, (2,), lambda: self.symbols)

    def matrix_side(self, embedding_dim: int) -> int:
        """Return the side n of the n x n matrices that embeddings are; 0 where they add.

        Parameters
        ----------
        embedding_dim
            Dimension d of an embedding, n^2 for a matrix.

        Returns
        -------
        int
            n, or 0 where embeddings are added.

        Raises
        ------
        InputError
            If embeddings multiply and ``embedding_dim`` is not a square.
        """
        if self.combination == "sum":
            return 0
        side = math.isqrt(embedding_dim)
        if side * side != embedding_dim:
            raise InputError(
                f"embedding_dim must be a square such as 4 or 9 for task {self.name}, whose "
                f"embeddings are matrices that multiply, not {embedding_dim}."
            )
        return side

    def require_residual_threshold(self, quantity: str) -> float:
        """Return `residual_threshold`, the bound on the residual that RQI counts as small.

        Parameters
        ----------
        quantity
            What needs it, as named in the error.

        Raises
        ------
        InputError
            If RQI is not defined for the task.
        """
        if self.residual_threshold is None:
            raise InputError(
                f"{quantity} is not defined for task {self.name}: no residual says that two "
                "samples agree modulo p; use Addition or FiniteGroup."
            )
        return self.residual_threshold

    def require_line(self, quantity: str) -> None:
        """Check that the linear representation E_k = a + k b solves the task.

        Parameters
        ----------
        quantity
            What needs it, as named in the error.

        Raises
        ------
        InputError
            If it does not.
        """
        if not self.has_line:
            raise InputError(
                f"{quantity} is not defined for task {self.name}: it rests on the line "
                "E_k = a + k b, which only addition without modulus has; use Addition."
            )


def require_operation(task: Any) -> None:
    """Raise InputError where a task that is given is no operation on symbols."""
    of_type("task", task, BinaryOperation, "a task such as Addition(10)")  # type: ignore[type-abstract]


def read_only(array: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return an array after it has been closed to writing."""
    array.flags.writeable = False
    return array
