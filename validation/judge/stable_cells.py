"""Cells in which rounding does not decide what becomes of a run."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from effective_theory import InputError
from effective_theory.checks import non_negative, shown
from phase_diagrams import SweepSpec

Cells = NDArray[np.bool_]

#: Largest values of presets' axes for which float32, float64 and nudged starts agree.
STABLE: dict[str, Mapping[str, float]] = {
    "released-5b": {"decoder_lr": 2.2e-4, "decoder_weight_decay": 6.0}
}


def stable_cells(spec: SweepSpec, bounds: Mapping[str, float]) -> Cells:
    """Return the cells up to some values of the axes, shape (axes..., seeds); none without a bound.

    Parameters
    ----------
    spec
        The sweep.
    bounds
        Largest value on each axis named.

    Raises
    ------
    InputError
        If a bound is no number, or on no axis, or on one that has no numbers.
    """
    if not isinstance(bounds, Mapping):
        raise InputError(
            f'stable must be a dictionary such as {{"decoder_lr": 2.2e-4}}, not {shown(bounds)}.'
        )
    for name, most in bounds.items():
        if name not in spec.grid:
            raise InputError(f"stable: {name} is not swept; the axes are {', '.join(spec.grid)}.")
        values = spec.grid[name].values
        if not all(isinstance(value, int | float) for value in values):
            raise InputError(f"stable: {name} has values that are no numbers; leave it out.")
        non_negative(f"stable: {name}", most)
    stable = [is_stable(spec.values_at(place), bounds) for place in np.ndindex(spec.shape)]
    return np.array(stable, bool).reshape(spec.shape)


def is_stable(values: Mapping[str, Any], bounds: Mapping[str, float]) -> bool:
    """Return whether values on the axes are up to the bounds; without a bound they are not."""
    return bool(bounds) and all(values[name] <= most for name, most in bounds.items())
