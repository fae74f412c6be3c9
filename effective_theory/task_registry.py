"""The tasks that stores know by name, one's own among them."""

import json
from typing import Any, TypeVar

from effective_theory.checks import InputError, shown
from effective_theory.task import Task
from effective_theory.tasks import Addition, FiniteGroup, ModularAddition

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
    if known.__module__ == Addition.__module__:
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
