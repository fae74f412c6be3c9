"""Checks of what the user gives: one sentence, the field's name, the remedy."""

import math
import operator
import reprlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: A source of randomness as users give it; global state is never used.
RandomSource = int | np.random.SeedSequence | np.random.Generator

Kind = TypeVar("Kind")


#: More workers than any machine has cores; joblib would make them.
MOST_JOBS = 10_000


class InputError(ValueError):
    """Bad input; the message is one sentence that names the field and the remedy."""


class RunError(RuntimeError):
    """Something outside the input went wrong; the message is one sentence that names the remedy."""


def printable(text: str) -> str:
    """Return text with line breaks and characters that no terminal shows written as escapes."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def integer(name: str, value: Any, minimum: int | None = None, maximum: int | None = None) -> int:
    """Return ``value`` as an int, or raise InputError if it is not one in its range."""
    if np.ma.is_masked(value):
        raise InputError(f"{name} must be an integer, not masked.")
    # Before operator.index, which warns of True in old versions of NumPy.
    if isinstance(value, bool | np.bool_):
        raise InputError(f"{name} must be an integer, not {shown(value)}.")
    try:
        result = operator.index(value)
    except TypeError:
        raise InputError(f"{name} must be an integer, not {shown(value)}.") from None
    if minimum is not None and result < minimum:
        raise InputError(f"{name} must be at least {minimum}, not {result}.")
    if maximum is not None and result > maximum:
        raise InputError(f"{name} must be at most {maximum}, not {result}.")
    return result


def non_negative(name: str, value: Any) -> float:
    """Return ``value`` as a float, or raise InputError if it is negative or not finite."""
    if isinstance(value, bool | np.bool_ | str | bytes | np.ndarray):
        raise InputError(f"{name} must be a number, not {shown(value)}.")
    try:
        result = float(value)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{name} must be a number, not {shown(value)}.") from None
    if not math.isfinite(result):
        raise InputError(f"{name} must be finite, not {result}.")
    if result < 0:
        raise InputError(f"{name} must be zero or positive, not {result}.")
    return result


def fraction(name: str, value: Any) -> float:
    """Return ``value`` as a float, or raise InputError if it is not in [0, 1]."""
    result = non_negative(name, value)
    if result > 1:
        raise InputError(f"{name} is a fraction and must be at most 1, not {result}.")
    return result


def confidence_level(value: Any) -> float:
    """Return a confidence strictly between 0 and 1, or raise InputError."""
    level = fraction("confidence", value)
    # Just below 1 the quantile that it asks for rounds to that of 1.
    if level == 0 or (1 + level) / 2 == 1:
        raise InputError(f"confidence must lie strictly between 0 and 1, not {level:g}.")
    return level


def refuse_masked(name: str, value: Any) -> None:
    """Raise InputError if an array, or one in a sequence, has masked entries.

    NumPy would take what lies under the mask for a value.
    """
    if isinstance(value, list | tuple):
        for part in value:
            refuse_masked(name, part)
    elif np.ma.is_masked(value):
        raise InputError(f"{name} must have no masked entries; leave them out, or fill them.")


def is_sequence(value: Any) -> bool:
    """Return whether a value is a sequence of values other than text."""
    if isinstance(value, np.ndarray):
        return value.ndim > 0
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def jobs(name: str, value: Any) -> int | None:
    """Return a number of workers as joblib counts them, or raise InputError; None stays."""
    if value is None:
        return None
    if integer(name, value, -MOST_JOBS, MOST_JOBS) == 0:
        raise InputError(f"{name} must not be 0; give 1 for one at a time.")
    return int(value)


def finite_array(
    name: str, value: ArrayLike, shape: tuple[int | None, ...], dtype: type[np.floating[Any]]
) -> NDArray[Any]:
    """Return a copy of ``value`` as `number_array` does, checked for NaN and inf."""
    array = number_array(name, value, shape, dtype)
    if not np.isfinite(array).all():
        raise InputError(f"{name} holds NaN or infinite numbers; give finite ones.")
    return array


def number_array(
    name: str, value: ArrayLike, shape: tuple[int | None, ...], dtype: type[np.floating[Any]]
) -> NDArray[Any]:
    """Return a copy of ``value`` as a contiguous array of real numbers, checked in shape.

    ``None`` in ``shape`` leaves that length free; no entry may be masked.
    """
    refuse_masked(name, value)
    try:
        with np.errstate(over="ignore"):  # what overflows is refused below, by name
            given = np.asarray(value)
            if np.iscomplexobj(given):
                raise TypeError
            array = np.array(given, dtype=dtype, order="C", copy=True)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{name} must be an array of numbers.") from None
    wanted = "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"
    fits = len(shape) == array.ndim and all(
        n is None or n == m for n, m in zip(shape, array.shape, strict=True)
    )
    if not fits:
        raise InputError(f"{name} must have shape {wanted}, not {array.shape}.")
    return array


def squared_norm(name: str, array: NDArray[np.float64]) -> float:
    """Return the sum of squares, or raise InputError where it leaves float64's range, or nearly."""
    largest = float(np.abs(array).max(initial=0.0))
    if largest != 0.0 and not 1e-100 < largest < 1e100:
        raise InputError(
            f"{name} must be between 1e-100 and 1e100 in size, not {largest:g}; rescale them."
        )
    return float((array**2).sum())


def above_rounding(rows: NDArray[np.float64], size: float) -> NDArray[np.bool_]:
    """Return which rows are more than what rounding leaves of sums of numbers of that size."""
    rounding = len(rows) * float(np.finfo(np.float64).eps) * size
    return np.asarray(np.abs(rows).max(axis=1, initial=0.0) > rounding)


def random_generator(rng: RandomSource | None, name: str = "rng") -> np.random.Generator:
    """Return the Generator that ``rng`` stands for; an absent one is an error, not a default."""
    if rng is None:
        raise InputError(f"{name} is required: give an int, a SeedSequence or a Generator.")
    if isinstance(rng, np.random.Generator | np.random.SeedSequence):
        return np.random.default_rng(rng)
    return np.random.default_rng(integer(name, rng, minimum=0))


def of_type(name: str, value: Any, kind: type[Kind], example: str) -> Kind:
    """Return a value of a type, or raise InputError that names it with an example."""
    if not isinstance(value, kind):
        raise InputError(f"{name} must be {example}, not {shown(value)}.")
    return value


def path_of(name: str, value: Any) -> Path:
    """Return a path, or raise InputError if the value is not one."""
    try:
        return Path(value)
    except TypeError:
        raise InputError(f"{name} must be the path of a file, not {shown(value)}.") from None


def shown(value: Any) -> str:
    """Return a short text of one line for a value in an error."""
    return printable(reprlib.repr(value))
