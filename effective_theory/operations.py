"""Operations that networks are trained on: Power's modulo p, and those on permutations."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from effective_theory.checks import InputError, integer, of_type, shown
from effective_theory.task import BinaryOperation, read_only
from effective_theory.task_registry import register_task
from effective_theory.tasks import MOST_PERMUTED, permutation_group

#: All pairs of more symbols would be a million samples.
MOST_SYMBOLS_IN_PAIRS = 1000

Integers = NDArray[np.int64]


def _inverse(y: Integers, p: int) -> Integers:
    """Return 1/y modulo a prime, 0 for 0."""
    inverses = np.array([0, *(pow(k, -1, p) for k in range(1, p))])
    return np.asarray(inverses[y], np.int64)


#: ``(x, y, p) -> label``, before it is taken modulo p (Power et al. 2022, appendix A.1.1).
_FORMULAS: dict[str, Callable[[Integers, Integers, int], Integers]] = {
    "x+y": lambda x, y, p: x + y,
    "x-y": lambda x, y, p: x - y,
    "x/y": lambda x, y, p: x * _inverse(y, p),
    "x/y if y odd else x-y": lambda x, y, p: np.where(y % 2 == 1, x * _inverse(y, p), x - y),
    "x^2+y^2": lambda x, y, p: x**2 + y**2,
    "x^2+xy+y^2": lambda x, y, p: x**2 + x * y + y**2,
    "x^2+xy+y^2+x": lambda x, y, p: x**2 + x * y + y**2 + x,
    "x^3+xy": lambda x, y, p: x**3 + x * y,
    "x^3+xy^2+y": lambda x, y, p: x**3 + x * y**2 + y,
}
#: The operations modulo p.
MODULAR_OPERATIONS = tuple(_FORMULAS)


@register_task
@dataclass(frozen=True)
class ModularOperation(BinaryOperation):
    """One of Power's operations on 0 .. p - 1, modulo p.

    Parameters
    ----------
    operation
        One of "x+y", "x-y", "x/y", "x/y if y odd else x-y", "x^2+y^2", "x^2+xy+y^2",
        "x^2+xy+y^2+x", "x^3+xy" and "x^3+xy^2+y" (Power et al. 2022, appendix A.1.1).
    p
        Number of symbols and modulus, from 2 to 1000; a prime for the operations that divide.
    ordered
        Whether (x, y) and (y, x) are two samples, as in the papers: p^2 of them, p (p - 1) for
        "x/y", whose y is not 0. Otherwise, for a commutative operation, x <= y: no sample then has
        a mirror that gives it away (see `strict_test`).

    Raises
    ------
    InputError
        If there is no such operation, or p or ``ordered`` does not fit it.

    Examples
    --------
    >>> ModularOperation("x+y", 97).size, ModularOperation("x/y", 97).size
    (9409, 9312)
    >>> ModularOperation("x+y", 97, ordered=False).size
    4753
    """

    operation: str = "x+y"
    p: int = 97
    ordered: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.operation, str) or self.operation not in _FORMULAS:
            raise InputError(
                f"operation must be one of {', '.join(map(repr, _FORMULAS))}, "
                f"not {shown(self.operation)}."
            )
        object.__setattr__(self, "p", integer("p", self.p, 2, MOST_SYMBOLS_IN_PAIRS))
        of_type("ordered", self.ordered, bool, "True or False")
        if "/" in self.operation and not _is_prime(self.p):
            raise InputError(f"p must be a prime for operation {self.operation!r}, not {self.p}.")
        if not self.ordered and not self._is_symmetric():
            raise InputError(
                f"ordered must be True for operation {self.operation!r}, in which (x, y) and "
                "(y, x) are not the same."
            )

    def _is_symmetric(self) -> bool:
        x, y = np.triu_indices(self.p)
        formula = _FORMULAS[self.operation]
        return bool(((formula(x, y, self.p) - formula(y, x, self.p)) % self.p == 0).all())

    @property
    def symbols(self) -> int:
        """Number of symbols p."""
        return self.p

    @property
    def classes(self) -> int:
        """Number of residues, p."""
        return self.p

    @cached_property
    def pairs(self) -> Integers:
        """All pairs (x, y), shape (N, 2), x first: (0, 0), (0, 1), .."""
        x, y = np.indices((self.p, self.p)).reshape(2, -1)
        there = np.ones(len(x), bool) if self.ordered else x <= y
        if self.operation == "x/y":
            there &= y != 0
        return read_only(np.column_stack([x[there], y[there]]).astype(np.int64))

    @cached_property
    def labels(self) -> Integers:
        """The results modulo p, shape (N,)."""
        x, y = self.pairs.T
        found = _FORMULAS[self.operation](x, y, self.p) % self.p
        return read_only(found.astype(np.int64))


#: The operations on permutations.
PERMUTATION_OPERATIONS = ("xy", "xyx^-1", "xyx")


@register_task
@dataclass(frozen=True)
class PermutationOperation(BinaryOperation):
    """An operation on the permutations of n things, all ordered pairs (Power et al. 2022).

    x y is x first, then y, as in `permutation_group`.

    Parameters
    ----------
    operation
        "xy", "xyx^-1" or "xyx".
    n
        Number of things, from 2 to 5.

    Raises
    ------
    InputError
        If there is no such operation, or n is out of range.

    Examples
    --------
    >>> PermutationOperation("xyx", 5).size
    14400
    """

    operation: str = "xy"
    n: int = 5

    def __post_init__(self) -> None:
        if not isinstance(self.operation, str) or self.operation not in PERMUTATION_OPERATIONS:
            raise InputError(
                f"operation must be one of {', '.join(PERMUTATION_OPERATIONS)}, "
                f"not {shown(self.operation)}."
            )
        object.__setattr__(self, "n", integer("n", self.n, 2, MOST_PERMUTED))

    @cached_property
    def _products(self) -> Integers:
        return permutation_group(self.n).products

    @property
    def symbols(self) -> int:
        """Number of permutations, n!."""
        return len(self._products)

    @property
    def classes(self) -> int:
        """Number of permutations, n!."""
        return self.symbols

    @cached_property
    def pairs(self) -> Integers:
        """All ordered pairs, shape (N, 2)."""
        return read_only(np.argwhere(self._products >= 0).astype(np.int64))

    @cached_property
    def labels(self) -> Integers:
        """The results, shape (N,)."""
        products, (x, y) = self._products, self.pairs.T
        xy = products[x, y]
        if self.operation == "xy":
            return read_only(xy.copy())
        # The identity is the first permutation, that of all things in their order.
        inverses = np.argmin(products, axis=1)
        return read_only(products[xy, x if self.operation == "xyx" else inverses[x]].copy())


def _is_prime(number: int) -> bool:
    return all(number % divisor for divisor in range(2, int(number**0.5) + 1))
