"""Named specifications, one for each published diagram; every system may bring its own."""

from dataclasses import dataclass

from effective_theory import InputError
from effective_theory.checks import of_type, shown
from phase_diagrams.sweeps.description import change
from phase_diagrams.sweeps.registry import load_installed
from phase_diagrams.sweeps.spec import SweepSpec


@dataclass(frozen=True)
class Preset:
    """A named specification.

    Attributes
    ----------
    text
        What it is, in one line.
    spec
        The specification.
    """

    text: str
    spec: SweepSpec


_PRESETS: dict[str, Preset] = {}


def register_preset(name: str, text: str, spec: SweepSpec) -> None:
    """Make a specification known under a name, so that `preset` returns it.

    Parameters
    ----------
    name
        The preset's name.
    text
        What it is, in one line.
    spec
        The specification.

    Raises
    ------
    InputError
        If another specification has this name, or an argument is wrong.
    """
    of_type("spec", spec, SweepSpec, "a SweepSpec")
    known = _PRESETS.get(of_type("name", name, str, "text"))
    if known is not None and known.spec.to_json() != spec.to_json():
        raise InputError(f"preset {name} is registered already; choose another name.")
    _PRESETS[name] = Preset(of_type("text", text, str, "text"), spec)


def preset_names() -> dict[str, str]:
    """Return the names of all presets of installed systems, each with a line on what it is."""
    load_installed()
    return {name: known.text for name, known in _PRESETS.items()}


def preset(name: str) -> SweepSpec:
    """Return the specification of a preset, such as that of a published diagram.

    Parameters
    ----------
    name
        One of `preset_names`, such as "fig6b".

    Returns
    -------
    SweepSpec
        The specification.

    Raises
    ------
    InputError
        If there is no such preset.
    """
    if not isinstance(name, str) or (name not in _PRESETS and name not in preset_names()):
        raise InputError(f"preset {shown(name)} is unknown; known presets: {', '.join(_PRESETS)}.")
    return _PRESETS[name].spec


def preset_note(name: str | None, spec: SweepSpec) -> str | None:
    """Return how a sweep of a preset's name differs from the preset, or None.

    It may have been run with other options, or by a version whose preset was another.
    """
    if name is None or name not in _PRESETS:
        return None
    changed = change(spec.settings, preset(name).with_values_of(spec).settings)
    if changed is None:
        return None
    return (
        f"not the preset {name} of this version: it has {changed[0]}; the preset has {changed[1]}"
    )
