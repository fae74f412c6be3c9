"""Where a setting lies among the cells of a sweep, and how far they are from it."""

import math
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from effective_theory import InputError
from effective_theory.checks import shown
from phase_diagrams.sweeps.axes import Axis
from phase_diagrams.sweeps.spec import SweepSpec

Place = tuple[int, ...]


def containing(name: str, axis: Axis, value: Any) -> int:
    """Return the place of the cell that contains a value; the upper one on a border."""
    if axis.scale == "ordinal":
        try:
            return axis.index(value)
        except InputError as error:
            raise InputError(f"{name}: {error}") from None
    if isinstance(value, bool) or not isinstance(value, Real):
        raise InputError(f"{name} must be a number, as on its axis, not {shown(value)}.")
    number, edges = float(value), axis.edges
    if not edges[0] <= number <= edges[-1]:
        raise InputError(
            f"{name} {number:g} lies outside of the sweep, {edges[0]:.3g} to {edges[-1]:.3g}; "
            "sweep there first."
        )
    return min(int(np.searchsorted(edges, number, side="right")), len(axis)) - 1


def distances(spec: SweepSpec, asked: dict[str, Any]) -> NDArray[np.float64]:
    """Return the distance of every place of the axes from a setting."""
    squares = []
    for name, axis in spec.grid.items():
        if axis.scale == "ordinal":
            apart = axis.positions - axis.index(asked[name])
        elif axis.scale == "log":
            apart = np.log10(axis.positions) - math.log10(asked[name])
        else:
            apart = (axis.positions - asked[name]) / _step(spec, name)
        squares.append(apart**2)
    total: NDArray[np.float64] = np.sqrt(sum(np.ix_(*squares)))
    return total


def _step(spec: SweepSpec, name: str) -> float:
    """Return the mean step of a linear axis, before it was refined."""
    positions = spec.grid[name].positions[:: spec.refined.get(name, 1)]
    return float(np.diff(positions).mean()) if len(positions) > 1 else 1.0


def unit(spec: SweepSpec, name: str) -> str:
    """Return what a distance of 1 is on an axis."""
    scale = spec.grid[name].scale
    if scale == "log":
        return f"one decade of {name}"
    return f"{_step(spec, name):.3g} of {name}" if scale == "linear" else f"one place of {name}"


def place_at(values: NDArray[Any], number: int) -> Place:
    """Return the place of an element by its number in the flattened array."""
    return tuple(int(k) for k in np.unravel_index(number, values.shape))
