"""What a sweep ran, in words: one description for terminals, pages, tables and pictures."""

import dataclasses
from typing import Any

from effective_theory import ToyModel
from phase_diagrams.sweeps.axes import Axis
from phase_diagrams.sweeps.spec import MODEL_FIELDS, SweepSpec
from phase_diagrams.wording import describe, seed_text

#: Settings that are named whatever they are; others of the model only where they are no default.
ALWAYS_NAMED = ("task", "train_size", "start", "steps", "lag")
#: Values and seeds that are written out; of more the first and the last are.
_LISTED = 4


def fixed_settings(spec: SweepSpec) -> dict[str, Any]:
    """Return all that a sweep does not sweep, by field: the model's, then those of the sweep."""
    settings = {name: getattr(spec.model, name) for name in MODEL_FIELDS}
    settings |= {name: getattr(spec, name) for name in ("train_size", "start", "lag", "task")}
    return {name: value for name, value in settings.items() if name not in spec.grid}


def settings_text(spec: SweepSpec) -> str:
    """Return what a sweep ran in one line.

    Its task, training size, start, budget and lag, what else of the model is no default, its seeds
    and its axes.
    """
    fixed = fixed_settings(spec)
    defaults = {field.name: field.default for field in dataclasses.fields(ToyModel)}
    unusual = [name for name in defaults if fixed.get(name, defaults[name]) != defaults[name]]
    named = dict.fromkeys([*ALWAYS_NAMED, *unusual])
    parts = [_words(name, fixed[name]) for name in named if name in fixed]
    swept = [_words(name, axis) for name, axis in spec.grid.items()]
    return f"{', '.join([*parts, _words('seeds', spec.seeds)])}; swept: {'; '.join(swept)}"


def change(before: SweepSpec, after: SweepSpec) -> tuple[str, str] | None:
    """Return in words what two sweeps of one name differ in: as it was, and as it is.

    None where the later one is the former, or extends it by values of its axes and seeds.
    """
    old, new = (
        {**fixed_settings(spec), **spec.grid, "seeds": spec.seeds} for spec in (before, after)
    )
    names = [name for name, value in old.items() if not _is_kept(value, new[name])]
    if not names:
        return None
    was, now = (", ".join(_words(name, found[name]) for name in names) for found in (old, new))
    return was, now


def _is_kept(old: Any, new: Any) -> bool:
    """Return whether a setting is the same, or axis or seeds still have all that they had."""
    if isinstance(old, Axis) and isinstance(new, Axis):
        return set(old.values) <= set(new.values)
    if isinstance(old, tuple):
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
