"""The same run in another unit of time: learning rates times a factor, updates divided by it."""

import dataclasses
import math
from collections.abc import Iterable
from typing import Any, TypeVar

from effective_theory import InputError
from effective_theory.checks import non_negative
from phase_diagrams.sweeps.registry import system_of
from phase_diagrams.sweeps.systems import BUDGET, System

Settings = TypeVar("Settings")

#: Ratios of rates are one if the gap between their logarithms, to base 10, is at most this.
_SAME_RATIO = 1e-4


def rescale(model: Settings, factor: float) -> Settings:
    """Return settings with all learning rates times a factor and the budget divided by it.

    AdamW's updates have the size of the learning rate, and its weight decay enters times the rate.
    So for small rates the run nearly passes through the same states, ``factor`` times sooner.

    Parameters
    ----------
    model
        Settings of a system that names its rates, such as a ToyModel.
    factor
        Factor on the rates, positive.

    Returns
    -------
    same type as ``model``
        The changed settings; the budget, in updates, is rounded up.

    Raises
    ------
    InputError
        If the system names no rates, ``factor`` is not positive, or the changed settings are out of
        range.

    Examples
    --------
    >>> from effective_theory import ToyModel
    >>> faster = rescale(ToyModel(embedding_lr=1e-3, decoder_lr=1e-4, steps=10_000), 2)
    >>> faster.embedding_lr, faster.decoder_lr, faster.steps
    (0.002, 0.0002, 5000)
    """
    system = require_rates(system_of(model))
    if not non_negative("factor", factor) > 0:
        raise InputError("factor must be above 0.")
    updates = getattr(model, BUDGET) / factor
    if not math.isfinite(updates):
        raise InputError(f"factor {factor:g} is too small: the budget would be infinite.")
    changed: dict[str, Any] = {name: getattr(model, name) * factor for name in system.rates}
    changed[BUDGET] = max(1, math.ceil(updates))
    return dataclasses.replace(model, **changed)  # type: ignore[type-var]


def require_rates(system: System) -> System:
    """Return a system that names its learning rates.

    Raises
    ------
    InputError
        If it names none.
    """
    if not system.rates:
        raise InputError(
            f"{system.plural} name no learning rates that set their unit of time; give rates to "
            "the System, or sweep it."
        )
    return system


def merged_ratios(ratios: Iterable[float]) -> dict[float, float]:
    """Return for the log10 of each ratio the one that stands for all that are the same.

    Rates have been rounded: what the same ratio was differs in its last digits.
    """
    merged: dict[float, float] = {}
    last = first = -math.inf
    for ratio in sorted(set(ratios)):
        first = ratio if ratio - last > _SAME_RATIO else first
        last, merged[ratio] = ratio, first
    return merged
