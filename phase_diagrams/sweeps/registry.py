"""The systems that are known here, by name and by their settings."""

import importlib.metadata
from typing import Any

from effective_theory import InputError
from effective_theory.checks import of_type, printable, shown
from phase_diagrams.sweeps.systems import System, UnknownSystem

#: Installed packages name modules here that register systems when they are imported.
ENTRY_POINTS = "grokking.systems"

SYSTEMS: dict[str, System] = {}


def register_system(system: System) -> System:
    """Make a system known by its name, so that its settings can be swept.

    A system that is registered again, as when a notebook's cell is run again, replaces the earlier
    one and keeps its starts.

    Parameters
    ----------
    system
        The system.

    Returns
    -------
    System
        The same system.

    Raises
    ------
    InputError
        If a system with other settings has that name, or another system has these settings.
    """
    of_type("system", system, System, "a System")
    known = SYSTEMS.get(system.name)
    if known is not None and _home(known.settings) != _home(system.settings):
        raise InputError(
            f'system "{system.name}" is registered already, by {known.settings.__module__}; '
            "choose another name."
        )
    for other in SYSTEMS.values():
        if other.name != system.name and other.settings is system.settings:
            raise InputError(
                f'settings {system.settings.__name__} are those of system "{other.name}"; give '
                "each system a class of its own."
            )
    if known is not None:
        system.starts.update(known.starts)
    SYSTEMS[system.name] = system
    return system


def _home(kind: type[Any]) -> tuple[str, str]:
    return kind.__module__, kind.__qualname__


def first_system() -> System:
    """Return the first system that was registered: the toy model."""
    return next(iter(SYSTEMS.values()))


def default_settings() -> Any:
    """Return the default settings of the first system."""
    return first_system().settings()


def system_of(settings: Any) -> System:
    """Return the system whose settings these are.

    Raises
    ------
    InputError
        If no system has such settings.
    """
    for system in SYSTEMS.values():
        if type(settings) is system.settings:
            return system
    kinds = ", ".join(system.settings.__name__ for system in SYSTEMS.values())
    again = any(type(settings).__name__ == system.settings.__name__ for system in SYSTEMS.values())
    hint = "; its class was defined again: make the settings anew" if again else ""
    raise InputError(f"model must be settings of a system ({kinds}), not {shown(settings)}{hint}.")


def none_words() -> set[str]:
    """Return the words that tables have for None, of the fields of all systems."""
    return {"None", *(each.none for one in SYSTEMS.values() for each in one.fields.values())}


def system_named(name: Any, brought_by: str = "") -> System:
    """Return the system of that name; installed packages that bring systems are asked for it.

    Parameters
    ----------
    name
        The name.
    brought_by
        What makes it known where it is not, as a stored sweep says.

    Raises
    ------
    UnknownSystem
        If it is not known here.
    """
    if name not in SYSTEMS:
        load_installed()
    if not isinstance(name, str) or name not in SYSTEMS:
        remedy = printable(brought_by) or f"known systems: {', '.join(SYSTEMS)}"
        raise UnknownSystem(f"system {shown(name)} is not known here; {remedy}.")
    return SYSTEMS[name]


def load_installed() -> None:
    """Import the modules of installed packages that register systems.

    One that cannot be imported, as without an extra that it needs, brings none.
    """
    for entry in importlib.metadata.entry_points(group=ENTRY_POINTS):
        try:
            entry.load()
        except ImportError:
            continue
