"""The tasks of the theory: addition, with and without modulus, and finite groups."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from effective_theory.checks import InputError, integer, refuse_masked
from effective_theory.task import BinaryOperation, read_only

#: Above this the table of samples alone would take gigabytes.
MOST_SYMBOLS = 10_000
#: Objects whose permutations are a task's symbols, 120 at most.
MOST_PERMUTED = 5
#: Above this the check that a table is associative alone would take gigabytes.
MOST_GROUP_ELEMENTS = 300


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
    n = integer("n", n, 1, MOST_PERMUTED)
    elements = list(itertools.permutations(range(n)))
    number = {element: k for k, element in enumerate(elements)}
    return FiniteGroup([[number[tuple(b[x] for x in a)] for b in elements] for a in elements])
