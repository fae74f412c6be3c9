"""The phases of learning, and the one function that names them."""

from collections.abc import Collection
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from effective_theory import InputError
from effective_theory.checks import integer

#: Least number of updates between the two crossings that counts as grokking (Table 1).
LAG = 1000


class Phase(IntEnum):
    """The phases of learning with their stored integers.

    Comprehension, grokking, memorization and confusion are those of Liu et al. 2022 (Table 1);
    diverged and not run are added here. `classify` tells them apart.
    """

    COMPREHENSION = 0
    GROKKING = 1
    MEMORIZATION = 2
    CONFUSION = 3
    DIVERGED = 4
    NOT_RUN = -1

    @property
    def label(self) -> str:
        """Name as written in pictures and tables."""
        return self.name.lower().replace("_", " ")

    @property
    def letter(self) -> str:
        """One letter for phase maps in text."""
        return {Phase.CONFUSION: "X", Phase.NOT_RUN: "."}.get(self, self.name[0])


#: The phases that a run can have, in their fixed order.
RUN_PHASES = tuple(phase for phase in Phase if phase is not Phase.NOT_RUN)

#: The phases in which both accuracies reached their thresholds.
GENERALISING = (Phase.COMPREHENSION, Phase.GROKKING)


class Source(IntEnum):
    """Where a cell's phase comes from.

    Measured: from a run of the cell. Inferred: from cells around it that agree, which are measured
    or predicted (`refine`). Predicted: from runs at other learning rates (`predict`).
    """

    NOT_RUN = 0
    MEASURED = 1
    INFERRED = 2
    PREDICTED = 3

    @property
    def label(self) -> str:
        """Name as written in pictures and tables."""
        return self.name.lower().replace("_", " ")


def as_phases(of: "Phase | str | Collection[Phase | str]") -> tuple[Phase, ...]:
    """Return one phase or several, given as `Phase` or by name, as a sorted tuple.

    Raises
    ------
    InputError
        If there is none, or one that a run cannot have.

    Examples
    --------
    >>> as_phases(["grokking", Phase.COMPREHENSION])
    (<Phase.COMPREHENSION: 0>, <Phase.GROKKING: 1>)
    """
    try:
        phases = {_phase(one) for one in ((of,) if isinstance(of, int | str) else of)}
    except (KeyError, TypeError, ValueError):
        phases = set()
    if not phases or Phase.NOT_RUN in phases:
        names = ", ".join(phase.label for phase in RUN_PHASES)
        raise InputError(f"of must be phases that a run can have: {names}; not {of!r}.")
    return tuple(sorted(phases))


def _phase(one: Any) -> Phase:
    return Phase[one.upper().replace(" ", "_")] if isinstance(one, str) else Phase(one)


def classify(
    train_step: int | None,
    test_step: int | None,
    *,
    diverged: bool = False,
    lag: int = LAG,
) -> Phase:
    """Return the phase of a run from its first crossings (Liu et al. 2022, Table 1).

    Comprehension: both thresholds reached, test less than ``lag`` updates after train.
    Grokking: both reached, test at least ``lag`` updates after train. Memorization: only train
    reached. Confusion: train not reached, whatever test did. Diverged: a non-finite train
    loss or parameter before both were reached; afterwards divergence does not change the label, so
    that stopping early never does.

    Parameters
    ----------
    train_step, test_step
        First completed update at the threshold; None, -1 or masked if it was never reached.
    diverged
        Whether the run diverged.
    lag
        Least delay, in updates, that counts as grokking.

    Returns
    -------
    Phase
        The phase.

    Raises
    ------
    InputError
        If a step is neither "never" nor a number of updates, or ``lag`` is below 1.

    Examples
    --------
    >>> classify(1650, 2076).label, classify(900, None).label
    ('comprehension', 'memorization')
    """
    lag = integer("lag", lag, 1)
    train, test = _reached("train_step", train_step), _reached("test_step", test_step)
    if train is not None and test is not None:
        return Phase.COMPREHENSION if test - train < lag else Phase.GROKKING
    if diverged:
        return Phase.DIVERGED
    return Phase.CONFUSION if train is None else Phase.MEMORIZATION


def classify_all(
    train_step: NDArray[np.integer[Any]],
    test_step: NDArray[np.integer[Any]],
    diverged: NDArray[np.bool_],
    *,
    lag: int = LAG,
) -> NDArray[np.int8]:
    """Return the phases of many runs as `classify` names them; steps are -1 for never."""
    trained, generalised = train_step >= 0, test_step >= 0
    return np.select(
        [
            trained & generalised & (test_step - train_step < lag),
            trained & generalised,
            diverged,
            trained,
        ],
        [Phase.COMPREHENSION, Phase.GROKKING, Phase.DIVERGED, Phase.MEMORIZATION],
        Phase.CONFUSION,
    ).astype(np.int8)


def _reached(name: str, step: Any) -> int | None:
    if step is None or np.ma.is_masked(step):
        return None
    number = integer(name, step)
    if number < -1:
        raise InputError(f"{name} must be a number of updates, or -1 for never, not {number}.")
    return None if number == -1 else number
