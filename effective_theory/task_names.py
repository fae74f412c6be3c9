"""What tasks are called on command lines."""

from typing import Literal

from effective_theory.checks import InputError, integer
from effective_theory.operations import ModularOperation, PermutationOperation
from effective_theory.task import BinaryOperation, Task
from effective_theory.tasks import (
    MOST_PERMUTED,
    Addition,
    FiniteGroup,
    ModularAddition,
    permutation_group,
)

TaskName = Literal[
    "addition",
    "modular_addition",
    "permutation_group",
    "modular_operation",
    "permutation_operation",
]

#: Of tasks that have one, where none is given.
USUAL_OPERATIONS = {"modular_operation": "x+y", "permutation_operation": "xy"}


def task_named(name: TaskName, p: int, operation: str | None = None) -> BinaryOperation:
    """Return the task that a command line means by a name, a number and an operation.

    Raises
    ------
    InputError
        If an operation is given to a task that has none, there is no such one, or p is out of the
        task's range.
    """
    if name.startswith("permutation"):
        # What classes call n is p on command lines.
        integer("p", p, 1 if name == "permutation_group" else 2, MOST_PERMUTED)
    if operation is not None and name not in USUAL_OPERATIONS:
        raise InputError(
            f"operation is for the tasks {' and '.join(USUAL_OPERATIONS)}; leave it out for {name}."
        )
    chosen = operation if operation is not None else USUAL_OPERATIONS.get(name, "")
    match name:
        case "addition":
            return Addition(p)
        case "modular_addition":
            return ModularAddition(p)
        case "permutation_group":
            return permutation_group(p)
        case "modular_operation":
            return ModularOperation(chosen, p)
        case "permutation_operation":
            return PermutationOperation(chosen, p)


def name_of_task(task: Task) -> tuple[TaskName, int, str | None]:
    """Return the name, the number and the operation by which a command line knows a task.

    Raises
    ------
    InputError
        If it is a group other than that of permutations, or a task of one's own.
    """
    if isinstance(task, Addition):
        return "addition", task.p, None
    if isinstance(task, ModularAddition):
        return "modular_addition", task.p, None
    if isinstance(task, ModularOperation) and task.ordered:
        return "modular_operation", task.p, task.operation
    if isinstance(task, PermutationOperation):
        return "permutation_operation", task.n, task.operation
    if isinstance(task, FiniteGroup):
        for n in range(1, 6):
            if task == permutation_group(n):
                return "permutation_group", n, None
    raise InputError(f"task {task!r} has no name on the command line; sweep it from Python.")
