"""Axes of a sweep: values with the scale that they are drawn on."""

import bisect
import contextlib
import math
import sys
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeGuard, get_args

import numpy as np
from numpy.typing import NDArray

from effective_theory import InputError
from effective_theory.checks import shown
from phase_diagrams.wording import describe, written_apart

#: No grid may have more cells, so no axis more values.
MOST_VALUES = 10**7

Scale = Literal["linear", "log", "ordinal"]


@dataclass(frozen=True)
class Axis:
    """The values of one swept field, and the scale on which they are drawn.

    Parameters
    ----------
    values
        Values in the order in which they are drawn; numbers must increase.
    scale
        "log", "linear" or "ordinal" (equal steps whatever the values). None takes "linear" for
        evenly spaced numbers and "ordinal" for all else.

    Raises
    ------
    InputError
        If values are missing, repeated, not increasing or not finite, or do not fit the scale.
    """

    values: tuple[Any, ...]
    scale: Scale | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.values, Iterable) or isinstance(self.values, str | bytes):
            raise InputError(f"axis values must be a sequence, not {shown(self.values)}.")
        values = tuple(v.item() if isinstance(v, np.generic) else v for v in self.values)
        object.__setattr__(self, "values", values)
        if not values:
            raise InputError("axis values are empty; give at least one.")
        if not all(isinstance(value, Hashable) for value in values):
            raise InputError("axis values must be plain numbers or names.")
        if len(set(values)) != len(values):
            raise InputError("axis values are repeated; give each value once.")
        numbers = self._are_numbers()
        if numbers and not all(abs(value) <= sys.float_info.max for value in values):
            raise InputError("axis values must be finite; remove NaN, infinity and huge integers.")
        if numbers and any(a > b for a, b in zip(values[:-1], values[1:], strict=True)):
            raise InputError("axis values must increase; sort them.")
        usual: Scale = "linear" if self._evenly_spaced() else "ordinal"
        scale = usual if self.scale is None else self.scale
        object.__setattr__(self, "scale", scale)
        if not isinstance(scale, str) or scale not in get_args(Scale):
            raise InputError(f"axis scale must be one of {get_args(Scale)}, not {shown(scale)}.")
        if not self.scale_suits(scale):
            raise InputError(
                f'axis scale "{scale}" does not suit the values: "linear" needs numbers, '
                '"log" positive ones; use "ordinal".'
            )

    def scale_suits(self, scale: Scale) -> bool:
        """Return whether the values can be drawn on a scale, "linear", "log" or "ordinal"."""
        if scale == "ordinal":
            return True
        return self._are_numbers() and (scale == "linear" or self.values[0] > 0)

    def __len__(self) -> int:
        """Return the number of values."""
        return len(self.values)

    @property
    def edges(self) -> NDArray[np.float64]:
        """Borders of the cells on the axis, shape (values + 1,): midpoints on its scale."""
        positions = self.positions
        if self.scale == "log":
            return np.asarray(np.exp(_midpoints(np.log(positions))), dtype=np.float64)
        return _midpoints(positions)

    @property
    def positions(self) -> NDArray[np.float64]:
        """Where the values lie on the axis: themselves, or 0, 1, 2, .. if ordinal."""
        if self.scale == "ordinal":
            return np.arange(len(self.values), dtype=np.float64)
        return np.array(self.values, dtype=np.float64)

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The values as pictures, maps and tables show them; no two look alike."""
        return tuple(written_apart(self.values))

    def text(self, value: Any) -> str:
        """Return a value of the axis as it is shown in pictures, maps and tables."""
        return self.texts[self.values.index(value)]

    def index(self, value: Any) -> int:
        """Return the place of a value; rates match to 1e-9 relative, or as they are printed.

        Raises
        ------
        InputError
            If no value matches; the message names the nearest, or lists all.
        """
        match = self.match(value)
        if match is not None:
            return match
        if not self._are_numbers() or not _is_number(value):
            raise InputError(
                f"{shown(value)} is not on the axis; its values are {describe(self.values)}."
            )
        # What a map or a table of ours shows has few digits, and finds its cell.
        for place, text in enumerate(self.texts):
            if same_number(float(text), value):
                return place
        raise InputError(
            f"{describe([value])} is not on the axis; the nearest value is "
            f"{describe([self._nearest(value)])}, all are {describe(self.values)}."
        )

    def match(self, value: Any) -> int | None:
        """Return the place of a value, numbers matched to 1e-9 relative; None if it has none."""
        if not isinstance(value, Hashable):  # an array, say
            return None
        if value in self.values:
            return self.values.index(value)
        if not self._are_numbers() or not _is_number(value):
            return None
        # Sorted: if one matches, it is a neighbour of where the value would stand.
        place = bisect.bisect_left(self.values, value)
        near = range(max(place - 1, 0), min(place + 1, len(self.values)))
        return next((k for k in near if same_number(self.values[k], value)), None)

    def _nearest(self, value: float) -> Any:
        """Return the value that is least far away, on a log scale by ratio."""
        if self.scale == "log" and value > 0:
            return min(self.values, key=lambda known: abs(math.log(known / value)))
        return min(self.values, key=lambda known: abs(known - value))

    def _are_numbers(self) -> bool:
        return all(isinstance(v, int | float) and not isinstance(v, bool) for v in self.values)

    def _evenly_spaced(self) -> bool:
        if not self._are_numbers():
            return False
        steps = np.diff(np.array(self.values, float))
        return len(steps) == 0 or bool(np.allclose(steps, steps[0], rtol=1e-6, atol=0))


def same_number(a: float, b: float) -> bool:
    """Return whether two numbers are the same but for rounding: to 1e-9 relative."""
    return math.isclose(a, b, rel_tol=1e-9)


def _is_number(value: Any) -> TypeGuard[float]:
    """Return whether a value is a number that a float can be: neither infinite nor NaN."""
    is_real = isinstance(value, int | float) and not isinstance(value, bool)
    return is_real and abs(value) <= sys.float_info.max


def axis_of(
    name: str, values: Sequence[Any] | NDArray[Any] | Axis, usual: Scale | None = None
) -> Axis:
    """Return ``values`` as an axis, on its field's usual scale if they suit that one."""
    if isinstance(values, Axis):
        return values
    if isinstance(values, str | bytes):
        raise InputError(f"axis {name} must be a sequence of values, not the text {values!r}.")
    if hasattr(values, "__len__") and len(values) > MOST_VALUES:
        raise InputError(f"axis {name} has {len(values)} values; give at most {MOST_VALUES}.")
    try:
        listed = tuple(values)
    except TypeError:
        raise InputError(
            f"axis {name} must be a sequence of values, not {shown(values)}."
        ) from None
    with named(name):
        axis = Axis(listed)
        return Axis(listed, usual) if usual is not None and axis.scale_suits(usual) else axis


@contextlib.contextmanager
def named(name: str) -> Iterator[None]:
    """Name the axis in what is said of its values."""
    try:
        yield
    except InputError as error:
        raise InputError(f"axis {name}: {error}") from None


def _midpoints(positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Midpoints between neighbours; the outer cells reach as far out as in."""
    if len(positions) == 1:
        return np.array([positions[0] - 0.5, positions[0] + 0.5])
    middle = (positions[:-1] + positions[1:]) / 2
    first, last = 2 * positions[0] - middle[0], 2 * positions[-1] - middle[-1]
    return np.concatenate([[first], middle, [last]])
