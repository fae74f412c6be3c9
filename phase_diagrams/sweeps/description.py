"""What a sweep ran, in words: one description for terminals, pages, tables and pictures."""

from collections.abc import Mapping, Sequence
from typing import Any

from phase_diagrams.sweeps.axes import Axis
from phase_diagrams.sweeps.systems import BUDGET
from phase_diagrams.wording import describe, seed_text

#: Settings that are named whatever they are; others only where they are no default.
ALWAYS_NAMED = ("system", "version", "task", "train_size", "start", BUDGET, "lag")
#: Values and seeds that are written out; of more the first and the last are.
_LISTED = 4

#: Of what one of two sweeps has no field for.
_ABSENT = object()

Settings = Mapping[str, Any]


def settings_text(
    fixed: Settings,
    swept: Mapping[str, Axis],
    seeds: Sequence[tuple[int, int]],
    defaults: Settings,
) -> str:
    """Return what a sweep ran in one line.

    Its system, if that is not the first, its task, training size, start, budget and lag, what else
    is not as in ``defaults``, its seeds and its axes.
    """
    parts = [_words(name, value) for name, value in named_settings(fixed, defaults).items()]
    axes = [_words(name, axis) for name, axis in swept.items()]
    return f"{', '.join([*parts, _words('seeds', seeds)])}; swept: {'; '.join(axes)}"


def named_settings(fixed: Settings, defaults: Settings) -> dict[str, Any]:
    """Return what is not swept and has to be named: what always is, and what is no default."""
    unusual = [name for name in defaults if fixed.get(name, defaults[name]) != defaults[name]]
    names = dict.fromkeys([*ALWAYS_NAMED, *unusual])
    return {name: fixed[name] for name in names if name in fixed}


def change(before: Settings, after: Settings) -> tuple[str, str] | None:
    """Return in words what two sweeps of one name differ in: as it was, and as it is.

    None where the later one is the former, or extends it by values of its axes and seeds.

    Parameters
    ----------
    before, after
        All settings of the two, axes and seeds among them (`SweepSpec.settings`).
    """
    names = [
        name
        for name in dict.fromkeys([*before, *after])
        if not _is_kept(name, before.get(name, _ABSENT), after.get(name, _ABSENT))
    ]
    if not names:
        return None
    was, now = (
        ", ".join(_words(name, one[name]) for name in names if name in one)
        for one in (before, after)
    )
    return was, now


def _is_kept(name: str, old: Any, new: Any) -> bool:
    """Return whether a setting is the same, or axis or seeds still have all that they had."""
    if isinstance(old, Axis) and isinstance(new, Axis):
        return set(old.values) <= set(new.values)
    if name == "seeds":
        return set(old) <= set(new)
    return bool(old == new)


def _words(name: str, value: Any) -> str:
    """Return a setting with its name; of an axis or of seeds the first and last of many."""
    if isinstance(value, Axis):
        texts = list(value.texts)
    elif name == "seeds":
        texts = [seed_text(seed) for seed in value]
        name = "seed" if len(texts) == 1 else name
    else:
        texts = [describe([value])]
    if len(texts) > _LISTED:
        return f"{name} {texts[0]} to {texts[-1]} ({len(texts)} values)"
    return f"{name} {', '.join(texts)}"
