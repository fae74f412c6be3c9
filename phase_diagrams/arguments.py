"""From the text of command-line options to values."""

from typing import Any

import numpy as np

from effective_theory import InputError
from phase_diagrams.axes import MOST_VALUES, Axis, Scale, default_axis

_AXIS_FORM = (
    "write FIELD=LOW:HIGH:COUNT, FIELD=LOW:HIGH:COUNT:log or FIELD=VALUE,VALUE,..; "
    "for example decoder_lr=1e-5:1e-2:10:log"
)


def parse_axis(text: str) -> tuple[str, Axis]:
    """Return the field and the axis of one ``--axis``.

    Raises
    ------
    InputError
        If the text has another form; the count is checked before values are made.
    """
    name, equals, values = text.partition("=")
    if not equals or not name or not values:
        raise InputError(f"axis {text!r} is not understood: {_AXIS_FORM}.")
    name = name.replace("-", "_")
    if ":" not in values:
        return name, default_axis(name, [parse_value(part) for part in values.split(",")])
    low, high, count, *rest = (*values.split(":"), "", "")
    scale: Scale = "log" if rest and rest[0] == "log" else "linear"
    if len(values.split(":")) > 4 or (rest[0] not in ("", "log", "linear")):
        raise InputError(f"axis {text!r} is not understood: {_AXIS_FORM}.")
    try:
        first, last, number = float(low), float(high), int(count)
    except ValueError:
        raise InputError(f"axis {text!r} is not understood: {_AXIS_FORM}.") from None
    if not 1 <= number <= MOST_VALUES:
        raise InputError(f"axis {name} must have 1 to {MOST_VALUES} values, not {number}.")
    if not (np.isfinite(first) and np.isfinite(last)):
        raise InputError(f"axis {name} must have finite limits, not {low} and {high}.")
    if scale == "log":
        if min(first, last) <= 0:
            raise InputError(f"axis {name} needs positive limits on a log scale.")
        return name, Axis(tuple(_whole(np.geomspace(first, last, number))), "log")
    return name, Axis(tuple(_whole(np.linspace(first, last, number))), "linear")


def parse_seeds(text: str) -> list[int | tuple[int, int]]:
    """Return the seeds of ``--seeds``: "0,1,2", or "0/1" for split seed 0 and init seed 1."""
    seeds: list[int | tuple[int, int]] = []
    for part in text.split(","):
        try:
            numbers = [int(number) for number in part.split("/")]
        except ValueError:
            numbers = []
        if len(numbers) not in (1, 2):
            raise InputError(f"seeds {text!r} are not understood; write 0,1,2 or 0/1,0/2.")
        seeds.append(numbers[0] if len(numbers) == 1 else (numbers[0], numbers[1]))
    return seeds


def parse_value(text: str) -> Any:
    """Return a number if the text is one, None for "None", otherwise the text."""
    if text == "None":
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _whole(values: Any) -> list[Any]:
    """Integers where all values are whole, so that they suit counts as well as rates."""
    return [int(v) for v in values] if all(float(v).is_integer() for v in values) else list(values)
