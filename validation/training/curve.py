"""What is known of a network at each evaluation, and when it reached its thresholds."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Columns of every curve, besides those of measures.
COLUMNS = (
    *("update", "train_loss", "test_loss"),
    *("train_accuracy", "plain_test_accuracy", "strict_test_accuracy"),
)


@dataclass(frozen=True)
class Crossings:
    """First evaluations that found a network at its thresholds, in updates; None for never.

    Attributes
    ----------
    train_step
        Train accuracy at its threshold.
    test_step
        Test accuracy at its threshold: the strict one where the operation is commutative,
        otherwise the plain one.
    plain_test_step
        Accuracy over all test samples, mirrors of training samples among them.
    stable_train_step, stable_test_step
        First of `Plan.in_a_row` evaluations in a row.
    """

    train_step: int | None
    test_step: int | None
    plain_test_step: int | None
    stable_train_step: int | None
    stable_test_step: int | None


def first_reached(
    updates: NDArray[Any], values: NDArray[Any], threshold: float, in_a_row: int = 1
) -> int | None:
    """Return the update of the first of some values in a row at a threshold; None for never.

    Parameters
    ----------
    updates, values
        Of the evaluations, shape (evaluations,).
    threshold
        What they are to reach, or exceed.
    in_a_row
        How many of them; fewer at the end do not count.
    """
    reached = np.asarray(values) >= threshold
    if len(reached) < in_a_row:
        return None
    windows = np.lib.stride_tricks.sliding_window_view(reached, in_a_row).all(axis=1)
    return int(updates[int(windows.argmax())]) if windows.any() else None


def crossings_of(
    curve: dict[str, NDArray[Any]],
    *,
    is_strict: bool,
    train_threshold: float,
    test_threshold: float,
    in_a_row: int,
) -> Crossings:
    """Return when a curve reached its thresholds.

    Parameters
    ----------
    curve
        The columns of a curve.
    is_strict
        Whether the strict test accuracy decides, as where the operation is commutative.
    train_threshold, test_threshold
        The thresholds.
    in_a_row
        Evaluations that make a crossing stable.
    """
    updates, train = curve["update"], curve["train_accuracy"]
    plain, test = curve["plain_test_accuracy"], decisive_accuracy(curve, is_strict)
    return Crossings(
        train_step=first_reached(updates, train, train_threshold),
        test_step=first_reached(updates, test, test_threshold),
        plain_test_step=first_reached(updates, plain, test_threshold),
        stable_train_step=first_reached(updates, train, train_threshold, in_a_row),
        stable_test_step=first_reached(updates, test, test_threshold, in_a_row),
    )


def decisive_accuracy(curve: dict[str, NDArray[Any]], is_strict: bool) -> NDArray[Any]:
    """Return the test accuracy that counts; NaN where it is the strict one of no sample."""
    return curve["strict_test_accuracy" if is_strict else "plain_test_accuracy"]
