"""From the text of command-line options to values."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from effective_theory import InputError
from effective_theory.arguments import whole_number
from phase_diagrams.sweeps.axes import MOST_VALUES, Axis, axis_of
from phase_diagrams.sweeps.registry import none_words
from phase_diagrams.sweeps.spacing import spaced

_AXIS_FORM = (
    "write FIELD=LOW:HIGH:COUNT, FIELD=LOW:HIGH:COUNT:log or FIELD=VALUE,VALUE,..; "
    "for example decoder_lr=1e-5:1e-2:10:log"
)


def parse_axes(texts: Sequence[str]) -> dict[str, Axis | list[Any]]:
    """Return the axes of all ``--axis`` by field; values are counted before any is made.

    A range is an axis on the scale that it names; of single values the field decides on it.

    Raises
    ------
    InputError
        If a text has another form, a field is given twice, or the grid is too large.
    """
    parts = [_split(text) for text in texts]
    names = [name for name, _ in parts]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"axis {name} is given twice; give each axis once.")
    size = math.prod(_count(name, values) for name, values in parts)
    if size > MOST_VALUES:
        raise InputError(
            f"axes make {size} cells, more than {MOST_VALUES}; use fewer values, "
            "or refine where phases meet."
        )
    return {name: _axis(name, values) for name, values in parts}


def _split(text: str) -> tuple[str, str]:
    """Field and values; ranges have the form LOW:HIGH:COUNT or LOW:HIGH:COUNT:SCALE."""
    name, _, values = text.partition("=")
    parts = values.split(":")
    is_range = len(parts) in (3, 4) and all(parts) and parts[3:] in ([], ["log"], ["linear"])
    if not name or not values or (":" in values and not is_range):
        raise InputError(f"axis {text!r} is not understood: {_AXIS_FORM}.")
    return name.replace("-", "_"), values


def _count(name: str, values: str) -> int:
    if ":" not in values:
        return values.count(",") + 1
    text = values.split(":")[2]
    try:
        number = whole_number(text)
    except ValueError:
        raise InputError(f"axis {name} needs a whole number of values, not {text!r}.") from None
    if not 1 <= number <= MOST_VALUES:
        raise InputError(f"axis {name} must have 1 to {MOST_VALUES} values, not {number}.")
    return number


def _axis(name: str, values: str) -> Axis | list[Any]:
    if ":" not in values:
        return _whole([parse_value(part) for part in values.split(",")])
    low, high, _, *scale = values.split(":")
    try:
        first, last = float(low), float(high)
    except ValueError:
        raise InputError(f"axis {name} needs numbers as limits, not {low} and {high}.") from None
    if not (math.isfinite(first) and math.isfinite(last)):
        raise InputError(f"axis {name} must have finite limits, not {low} and {high}.")
    if scale == ["log"] and min(first, last) <= 0:
        raise InputError(f"axis {name} needs positive limits on a log scale.")
    kind: Literal["linear", "log"] = "log" if scale == ["log"] else "linear"
    return axis_of(name, _whole(spaced(first, last, _count(name, values), kind)), kind)


def parse_seeds(text: str) -> list[int | tuple[int, int]]:
    """Return the seeds of ``--seeds``, such as "0,1,5:8" or "0/1".

    A range such as 5:8 ends before its second number; 0/1 is split seed 0 and init seed 1.

    Raises
    ------
    InputError
        If the text has another form, or a range is empty or too long.
    """
    seeds: list[int | tuple[int, int]] = []
    for part in text.split(","):
        separator = next((mark for mark in "/:" if mark in part), None)
        try:
            numbers = [part] if separator is None else part.split(separator)
            first, *others = [whole_number(number) for number in numbers]
            (second,) = others if separator is not None else (first,)
        except ValueError:
            raise InputError(
                f"seeds {text!r} are not understood; write 0,1,2 or 0:20 or 0/1,0/2."
            ) from None
        if separator != ":":
            seeds.append(first if separator is None else (first, second))
            continue
        if not 0 < second - first <= MOST_VALUES:
            raise InputError(
                f"seeds {part} must be a range of 1 to {MOST_VALUES} seeds, such as 0:20."
            )
        seeds += range(first, second)
    return seeds


def parse_factors(text: str) -> int | dict[str, int]:
    """Return the factors of ``--to``: "8", or "decoder_lr=8,decoder_weight_decay=4"."""
    factors: dict[str, int] = {}
    for part in text.split(","):
        name, _, number = part.rpartition("=")
        try:
            factors[name.replace("-", "_")] = whole_number(number)
        except ValueError:
            raise InputError(
                f"to {text!r} is not understood; write 8 or FIELD=8,FIELD=4."
            ) from None
    if len(factors) != text.count(",") + 1 or ("" in factors and len(factors) > 1):
        raise InputError(f"to {text!r} is not understood; write 8 or FIELD=8,FIELD=4.")
    return factors.get("", factors)


def parse_place(option: str, text: str) -> tuple[int | tuple[int, int] | None, dict[str, Any]]:
    """Return the seed, or None, and the values of FIELD=VALUE,FIELD=VALUE,seed=SEED.

    Parameters
    ----------
    option
        Whose text it is, such as "cell".
    text
        The text.

    Raises
    ------
    InputError
        If the text has another form or names a field twice.
    """
    values: dict[str, Any] = {}
    for part in text.split(","):
        name, _, value = part.strip().partition("=")
        name = name.replace("-", "_")
        if not name or not value:
            raise InputError(
                f"{option} {text!r} is not understood; write FIELD=VALUE,FIELD=VALUE,..,seed=SEED, "
                "for example decoder_lr=1e-4,decoder_weight_decay=3,seed=0."
            )
        if name in values:
            raise InputError(f"{option} {text!r} has {name} twice; give each field once.")
        values[name] = value
    seeds = parse_seeds(values.pop("seed")) if "seed" in values else [None]
    if len(seeds) != 1:
        raise InputError(f"{option} {text!r} names several seeds; give one.")
    return seeds[0], {name: parse_value(value) for name, value in values.items()}


def parse_value(text: str) -> Any:
    """Return a number if the text is one, None for what stands for it, otherwise the text.

    "None" stands for it, and what tables write for it, such as "full batch".
    """
    if text in none_words():
        return None
    if text in ("True", "False"):
        return text == "True"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _whole(values: Iterable[Any]) -> list[Any]:
    """Integers where all numbers are whole, so that they suit counts as well as rates."""
    listed = list(values)
    numbers = [v for v in listed if isinstance(v, int | float)]
    whole = all(isinstance(v, int) or v.is_integer() for v in numbers)
    return [int(v) if whole and isinstance(v, float) else v for v in listed]
