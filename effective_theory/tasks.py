"""Tasks: which samples exist and which label each has."""

import dataclasses
import itertools
import json
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from effective_theory.checks import (
    InputError,
    integer,
    refuse_masked,
    shown,
)

#: Above this the table of samples alone would take gigabytes.
MOST_SYMBOLS = 10_000
#: Above this the check that a table is associative alone would take gigabytes.
MOST_GROUP_ELEMENTS = 300


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
        self._require_indices("labels", self.labels, (self.size,), self.classes)

    def _require_indices(self, name: str, values: Any, shape: tuple[int, ...], count: int) -> None:
        is_array = isinstance(values, np.ndarray) and values.dtype == np.int64
        if not is_array or values.shape != shape or values.size == 0:
            raise InputError(
                f"{name} of task {self.name} must be an int64 array of shape {shape}, such as "
                "np.array(..., dtype=np.int64) makes, with at least one sample."
            )
        if values.min() < 0 or values.max() >= count:
            raise InputError(f"{name} of task {self.name} must be from 0 to {count - 1}.")


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
        self._require_indices("pairs", self.pairs, (self.size, 2), self.symbols)

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


def read_only(array: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return an array after it has been closed to writing."""
    array.flags.writeable = False
    return array


@dataclass(frozen=True)
class _UnorderedSums(BinaryOperation):
    """What the two additions share: symbols 0 .. p - 1, and i + j and j + i are one sample."""

    p: int = 10

    def __post_init__(self) -> None:
        object.__setattr__(self, "p", integer("p", self.p, 2, MOST_SYMBOLS))

    @property
    def symbols(self) -> int:
        """Number of symbols p."""
        return self.p

    @cached_property
    def pairs(self) -> NDArray[np.int64]:
        """All pairs i <= j, shape (N, 2): (0, 0), (0, 1), .., (0, p-1), (1, 1), .."""
        return read_only(np.column_stack(np.triu_indices(self.p)).astype(np.int64))


@dataclass(frozen=True)
class Addition(_UnorderedSums):
    """Addition of two symbols without modulus; i + j and j + i are one sample.

    N = p (p + 1) / 2 samples and 2 p - 1 labels (Liu et al. 2022, section 2).

    Parameters
    ----------
    p
        Number of symbols, from 2 to 10 000.

    Raises
    ------
    InputError
        If p is not such an integer.

    Examples
    --------
    >>> task = Addition(p=10)
    >>> task.size, task.classes
    (55, 19)
    """

    name: ClassVar[str] = "addition"
    has_line: ClassVar[bool] = True
    residual_threshold: ClassVar[float | None] = 0.01

    @property
    def classes(self) -> int:
        """Number of sums, 2 p - 1."""
        return 2 * self.p - 1

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """The sums i + j, shape (N,)."""
        return read_only(self.pairs.sum(axis=1))


@dataclass(frozen=True)
class ModularAddition(_UnorderedSums):
    """Addition modulo p; i + j and j + i are one sample.

    N = p (p + 1) / 2 samples and p labels. No line solves it, so RQI and ideal accuracy are not
    defined.

    Parameters
    ----------
    p
        Number of symbols and modulus, from 2 to 10 000.

    Raises
    ------
    InputError
        If p is not such an integer.
    """

    name: ClassVar[str] = "modular_addition"
    has_line: ClassVar[bool] = False

    @property
    def classes(self) -> int:
        """Number of residues, p."""
        return self.p

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """The residues (i + j) mod p, shape (N,)."""
        return read_only(self.pairs.sum(axis=1) % self.p)


@dataclass(frozen=True)
class FiniteGroup(BinaryOperation):
    """Multiplication in a finite group; samples are ordered pairs (a, b) with label a b.

    N = g^2 samples and g labels, g the order of the group. An embedding is a square matrix, written
    row by row, and the decoder sees the product E_a E_b (Liu et al. 2022, appendix H).

    Parameters
    ----------
    table
        Cayley table, shape (g, g), g at most 300: table[a][b] is the element a b; elements are
        0 .. g - 1.

    Raises
    ------
    InputError
        If the table is not that of a group, or too large.

    Examples
    --------
    >>> FiniteGroup([[0, 1], [1, 0]]).size
    4
    """

    table: Sequence[Sequence[int]] = field(repr=False)
    name: ClassVar[str] = "finite_group"
    has_line: ClassVar[bool] = False
    combination: ClassVar[Literal["sum", "product"]] = "product"
    residual_threshold: ClassVar[float | None] = 0.5

    def __post_init__(self) -> None:
        refuse_masked("table", self.table)
        try:
            products = np.array(self.table)
        except ValueError:  # rows of different lengths
            products = np.empty(0)
        order = len(products) if products.ndim else 0
        if products.shape != (order, order) or not np.issubdtype(products.dtype, np.integer):
            raise InputError("table must be a square table of integers.")
        integer("order of the group", order, 1, MOST_GROUP_ELEMENTS)
        elements = np.arange(order)
        rows, columns = np.sort(products, axis=1), np.sort(products, axis=0).T
        if not ((rows == elements).all() and (columns == elements).all()):
            raise InputError(
                f"table must hold each element 0 to {order - 1} once in every row and column."
            )
        # (a b) c = a (b c); a Latin square that is associative is a group.
        if (products[products] != products[:, products]).any():
            raise InputError("table must be associative: (a b) c = a (b c) for all elements.")
        object.__setattr__(self, "table", tuple(tuple(row) for row in products.tolist()))

    def __repr__(self) -> str:
        """Return the order of the group; its table would fill pages."""
        return f"FiniteGroup(order {self.symbols})"

    @property
    def symbols(self) -> int:
        """Order of the group, g."""
        return len(self.table)

    @property
    def classes(self) -> int:
        """Order of the group, g."""
        return len(self.table)

    @cached_property
    def products(self) -> NDArray[np.int64]:
        """The Cayley table as an array, (g, g); read-only."""
        return read_only(np.array(self.table, dtype=np.int64))

    @cached_property
    def pairs(self) -> NDArray[np.int64]:
        """All ordered pairs, shape (N, 2): (0, 0), (0, 1), .., (0, g-1), (1, 0), .."""
        return read_only(np.argwhere(self.products >= 0).astype(np.int64))

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """The products a b, shape (N,)."""
        return read_only(self.products.ravel())


def permutation_group(n: int) -> FiniteGroup:
    """Return the group of permutations of n things; a b is a first, then b.

    Elements are numbered in lexicographic order; with a and b as tuples a b is b[a[x]] for each x
    (Liu et al. 2022, appendix H, with n = 3).

    Parameters
    ----------
    n
        Number of things, from 1 to 5; the table of n! elements is written out.

    Returns
    -------
    FiniteGroup
        The group, of order n!.

    Raises
    ------
    InputError
        If n is not such an integer.

    Examples
    --------
    >>> permutation_group(3).size
    36
    """
    n = integer("n", n, 1, 5)
    elements = list(itertools.permutations(range(n)))
    number = {element: k for k, element in enumerate(elements)}
    return FiniteGroup([[number[tuple(b[x] for x in a)] for b in elements] for a in elements])


_TASKS: dict[str, type[Task]] = {
    kind.name: kind for kind in (Addition, ModularAddition, FiniteGroup)
}
Kind = TypeVar("Kind", bound=type[Task])


def register_task(kind: Kind) -> Kind:
    """Make a class of tasks known by its name, so that stored sweeps of it can be read.

    Use it as a decorator of the class. A class that is defined again, as when a notebook's cell is
    run again, replaces the earlier one.

    Parameters
    ----------
    kind
        A subclass of `Task`.

    Returns
    -------
    type
        The same class.

    Raises
    ------
    InputError
        If it is no subclass of `Task`, or its name is that of another class.
    """
    if not (isinstance(kind, type) and issubclass(kind, Task)):
        raise InputError(f"task must be a class such as Addition, not {shown(kind)}.")
    known = _TASKS.get(kind.name, kind)
    if (known.__module__, known.__qualname__) != (kind.__module__, kind.__qualname__):
        raise InputError(
            f"task {kind.name!r} is registered already, by {known.__module__}; give the class "
            "another name."
        )
    _TASKS[kind.name] = kind
    return kind


def require_registered(task: Task) -> None:
    """Raise InputError unless a store can make the task again."""
    known = _TASKS.get(task.name)
    if known is not type(task):
        raise InputError(
            f"task {task.name} is not registered, so that no store could make it again; decorate "
            f"its class with @register_task."
        )
    if known.__module__ == __name__:
        return
    configuration = task.configuration()
    try:
        kept = json.loads(json.dumps(configuration))
    except (TypeError, ValueError):
        raise InputError(
            f"task {task.name} has a field that is no number, text or list of them, so that no "
            "store could keep it."
        ) from None
    if task_from_configuration(kept) != task:
        raise InputError(
            f"task {task.name} is not what its fields make again; let equal fields mean an equal "
            "task, as @dataclass(frozen=True) does, and make lists what they are to be."
        )


def task_from_configuration(configuration: dict[str, Any]) -> Task:
    """Return the task that `Task.configuration` described.

    Raises
    ------
    InputError
        If the name is unknown or a field is wrong.
    """
    fields = dict(configuration)
    name = fields.pop("name", None)
    if name not in _TASKS:
        raise InputError(
            f"task {name!r} is unknown; known tasks: {', '.join(_TASKS)}; one of your own is known "
            "once its class is registered with register_task."
        )
    try:
        return _TASKS[name](**fields)
    except TypeError:
        raise InputError(f"task {name} has no such fields: {', '.join(fields)}.") from None
