"""Evenly spaced values of an axis: the same numbers on every processor, as a person writes them.

Libraries' powers and exponentials differ in the last bit between processors and versions. An
axis' values are part of what a run is known by, so they are made here from decimal arithmetic,
rounded once: 1e-05 and 0.3, not 9.999999999999999e-06 and 0.30000000000000004.
"""

from decimal import Decimal, localcontext
from typing import Literal

#: Digits of the decimal arithmetic, of which a float keeps 16.
_DIGITS = 40
#: An exponent so near a whole number is meant to be one: 1e-4, not 1.0000000000000002e-4.
_NEAR = 1e-9


def spaced(
    low: float, high: float, count: int, scale: Literal["linear", "log"] = "log"
) -> list[float]:
    """Return ``count`` values from ``low`` to ``high``, both to the bit, even on their scale.

    On a log scale the values are 10^e for evenly spaced e, as ``numpy.logspace`` has them but for
    the last bit; powers of ten are exact.

    Parameters
    ----------
    low, high
        First and last value; positive on a log scale.
    count
        Number of values; a single one is ``low``.
    scale
        "linear" or "log".

    Examples
    --------
    >>> spaced(1e-5, 1e-2, 4), spaced(0.0, 0.6, 3, "linear")
    ([1e-05, 0.0001, 0.001, 0.01], [0.0, 0.3, 0.6])
    """
    if count == 1:
        return [low]
    inner = range(1, count - 1)
    if scale == "linear":
        with localcontext(prec=_DIGITS):
            start, end = _written(low), _written(high)
            return [low, *(float(start + k * (end - start) / (count - 1)) for k in inner), high]
    first, last = _exponent(low), _exponent(high)
    step = (last - first) / (count - 1)
    return [low, *(_power(first + k * step) for k in inner), high]


def between(low: float, high: float, part: float, scale: Literal["linear", "log"]) -> float:
    """Return the value at ``part`` of the way from ``low`` to ``high`` on a scale."""
    if scale == "linear":
        return low + (high - low) * part
    first, last = _exponent(low), _exponent(high)
    return _power(first + (last - first) * part)


def _written(value: float) -> Decimal:
    """Return the number that a float is the nearest to as it is written."""
    return Decimal(repr(value))


def _exponent(value: float) -> float:
    """Return the decimal logarithm of the number as it is written, rounded once."""
    with localcontext(prec=_DIGITS):
        return float(_written(value).log10())


def _power(exponent: float) -> float:
    """Return ten to the exponent, rounded once."""
    whole = round(exponent)
    with localcontext(prec=_DIGITS):
        return float(Decimal(10) ** Decimal(whole if abs(exponent - whole) < _NEAR else exponent))
