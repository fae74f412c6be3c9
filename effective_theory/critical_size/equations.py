"""The equations that decide when a training set is critical, with three unknowns in each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from effective_theory.checks import InputError
from effective_theory.kernels import elimination
from effective_theory.parallelograms import LINE
from effective_theory.task import BinaryOperation
from effective_theory.tasks import Addition, FiniteGroup

Indices = NDArray[np.int64]

#: Equations grow like the cube of a group's order and their elimination faster still: minutes here.
MOST_ELEMENTS = 120


@dataclass(frozen=True, eq=False)
class CriticalEquations:
    """Equations x_left + x_right = y_label, some for each sample of a task.

    Attributes
    ----------
    left, right, labels
        Unknowns of each equation; those of sample a are a * for_each_sample and the next ones.
    symbols, classes
        Number of unknowns x and y.
    for_each_sample
        Number of equations for each sample.
    least
        Dimension of the solutions x where all samples are given. A training set is critical where
        it leaves no more than that.
    """

    left: Indices
    right: Indices
    labels: Indices
    symbols: int
    classes: int
    for_each_sample: int
    least: int

    def in_order(self, orders: Indices) -> Indices:
        """Return the equations of samples in given orders: (.., n) becomes (.., n equations)."""
        if self.for_each_sample == 1:
            return orders
        equations = orders[..., None] * self.for_each_sample + np.arange(self.for_each_sample)
        return equations.reshape(*orders.shape[:-1], -1)


def as_operation(task: BinaryOperation | int) -> BinaryOperation:
    """Return the task that is meant: a number of symbols p is Addition(p)."""
    return task if isinstance(task, BinaryOperation) else Addition(task)


def require_critical_size(task: BinaryOperation) -> None:
    """Check that the critical training size of a task is defined, and within reach.

    Raises
    ------
    InputError
        If the task is modular addition (its group is FiniteGroup of its table) or a group of more
        than `MOST_ELEMENTS`.
    """
    if task.has_line:
        return
    if not isinstance(task, FiniteGroup):
        raise InputError(
            f"the critical training size is not defined for task {task.name}, which no line "
            "solves; use Addition or FiniteGroup."
        )
    if task.symbols > MOST_ELEMENTS:
        raise InputError(
            f"the critical training size of a group of order {task.symbols} would take hours; "
            f"use a group of at most {MOST_ELEMENTS} elements."
        )


def critical_equations(task: BinaryOperation, least: int | None = None) -> CriticalEquations:
    """Return the equations whose degrees of freedom define the critical training size of a task.

    Addition: E_i + E_j = c_s, which leave 2 degrees of freedom, the line's.

    A finite group has no line, but an exact representation: matrices M_a with M_a M_b = M_ab. Near
    it, with E_a = M_a (1 + X_a), the closed generalised parallelograms E_a E_b = C_ab read
    M_b^-1 X_a M_b + X_b = Y_ab to first order. Over the regular module, which holds every
    irreducible one, X_a is a function on the group and the equation X_a(b h) + X_b(h) = Y_ab(h) for
    all elements h. A training set is critical when its samples leave no more solutions than all
    samples do: the exact representation is then locally unique, up to symmetries of the problem.
    For addition this is the same definition, with the line as the representation.

    Parameters
    ----------
    task
        Addition or a finite group.
    least
        What all samples of a group leave, where it is known already: to find it takes as long as
        a random order.

    Raises
    ------
    InputError
        As by `require_critical_size`.
    """
    require_critical_size(task)
    if task.has_line:
        left, right = np.ascontiguousarray(task.pairs.T)
        # A writable copy: Numba would compile the kernel once more for a read-only array.
        labels = task.labels.copy()
        return CriticalEquations(left, right, labels, task.symbols, task.classes, 1, LINE)
    assert isinstance(task, FiniteGroup)
    order = task.symbols
    element = np.arange(order)
    a, b = task.pairs.T
    left = (a[:, None] * order + task.products[b]).ravel()
    right = (b[:, None] * order + element).ravel()
    labels = (task.labels[:, None] * order + element).ravel()
    unknowns = order * order
    if least is None:
        solutions, _ = elimination.null_space(
            np.arange(len(left)), left, right, labels, unknowns, unknowns, 0
        )
        least = len(solutions)
    return CriticalEquations(left, right, labels, unknowns, unknowns, order, least)
