"""The delay of generalisation in other units than updates, and the phases under each.

The paper's grokking is a lag of 1000 updates (Table 1), which a smaller learning rate alone can
make of a smaller lag. Two units are free of that: the run's own train step, and time, which is
updates times the learning rate.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from effective_theory import InputError
from effective_theory.checks import non_negative
from phase_diagrams.phases import GENERALISING, Phase
from phase_diagrams.sweeps.rescaling import require_rates
from phase_diagrams.sweeps.spec import SweepSpec

DelayUnit = Literal["updates", "train_step", "time"]
Delays = np.ma.MaskedArray[Any, np.dtype[np.float64]]
_Steps = np.ma.MaskedArray[Any, np.dtype[np.int64]]


def delays(spec: SweepSpec, train_step: _Steps, test_step: _Steps, unit: DelayUnit) -> Delays:
    """Return test step less train step, masked where one of them is.

    Parameters
    ----------
    spec
        The sweep.
    train_step, test_step
        Of its runs, in its shape.
    unit
        "updates"; "train_step" for multiples of it (at least 1 update); or "time", which is updates
        times the learning rate that sets the unit, of the toy model the decoder's.

    Raises
    ------
    InputError
        If there is no such unit, or the system names no rates.
    """
    lag: Delays = np.ma.asarray((test_step - train_step).astype(np.float64))
    if unit == "updates":
        return lag
    if unit == "train_step":
        return lag / np.ma.maximum(train_step, 1)
    if unit == "time":
        return lag * _rates(spec)
    raise InputError(f'unit must be "updates", "train_step" or "time", not {unit!r}.')


def phases_by_delay(
    phases: NDArray[np.int8], delay: Delays, least: float, measured: NDArray[np.bool_]
) -> NDArray[np.int8]:
    """Return phases with grokking where the delay is at least ``least``; NOT_RUN if not measured.

    Raises
    ------
    InputError
        If ``least`` is not above 0.
    """
    if not non_negative("least", least) > 0:
        raise InputError("least must be above 0: every later test is a delay of 0 or more.")
    late = np.where(delay.filled(0) >= least, Phase.GROKKING, Phase.COMPREHENSION)
    found = np.where(np.isin(phases, GENERALISING), late, phases)
    return np.where(measured, found, Phase.NOT_RUN).astype(np.int8)


def _rates(spec: SweepSpec) -> NDArray[np.float64]:
    """Return the rate that sets the unit of time, in a shape that fits the sweep's."""
    name = require_rates(spec.system).rates[-1]
    if name not in spec.grid:
        return np.array(float(getattr(spec.model, name)))
    place = list(spec.grid).index(name)
    shape = [1] * len(spec.shape)
    shape[place] = -1
    return np.array(spec.grid[name].values, float).reshape(shape)
