"""Axes of networks' presets and experiments."""

from collections.abc import Iterable

from phase_diagrams import Axis


def log_axis(values: Iterable[float], digits: int = 4) -> Axis:
    """Return values, rounded to so many digits, on a log scale."""
    return Axis(tuple(float(f"{value:.{digits}g}") for value in values), "log")
