"""A masked array is never taken for what lies under its mask."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from effective_theory import (
    Addition,
    Dataset,
    FiniteGroup,
    InitialState,
    InputError,
    ToyModel,
    conserved_quantities,
    effective_flow,
    effective_loss,
    effective_trajectory,
    is_implied,
    predicted_accuracy,
    rqi,
    standardise,
    train,
    unique_line_probability,
)
from effective_theory.checks import finite_array, integer
from phase_diagrams import Axis, Phase, SweepSpec, classify
from phase_diagrams.runs.picture import state_coordinates

TASK, MODEL = Addition(5), ToyModel(width=4, target_dim=2, steps=3)
DATASET = Dataset.split(TASK, 10, rng=0)
STATE = InitialState.random(MODEL, TASK, rng=0)
LINE = np.arange(5.0)[:, None]
PARTS: dict[str, Any] = {
    "embeddings": STATE.embeddings,
    "weights": list(STATE.weights),
    "biases": list(STATE.biases),
    "targets": STATE.targets,
}


def masked(values: Any) -> Any:
    """The values with the first entry of an array masked."""
    array = np.ma.array(values)
    array[(0,) * array.ndim] = np.ma.masked
    return array


def start_with(name: str, value: Any) -> InitialState:
    return InitialState(**{**PARTS, name: value})


def sweep(axes: dict[str, Any], **fields: Any) -> SweepSpec:
    return SweepSpec(TASK, axes, train_size=9, **fields)


#: What takes arrays, with one that it takes.
TAKERS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "training set": (lambda value: Dataset(TASK, value), np.arange(4)),
    "embeddings": (lambda value: start_with("embeddings", value), STATE.embeddings),
    "weights": (
        lambda value: start_with("weights", [value, *STATE.weights[1:]]),
        STATE.weights[0],
    ),
    "biases": (lambda value: start_with("biases", [value, *STATE.biases[1:]]), STATE.biases[0]),
    "targets": (lambda value: start_with("targets", value), STATE.targets),
    "group table": (FiniteGroup, np.array([[0, 1], [1, 0]])),
    "records": (
        lambda value: train(MODEL, DATASET, STATE, record_at=value),
        np.array([0, 2]),
    ),
    "loss": (lambda value: effective_loss(value, DATASET), LINE),
    "flow": (lambda value: effective_trajectory(value, DATASET, [0.0]), LINE),
    "times": (lambda value: effective_trajectory(LINE, DATASET, value), np.array([0.0, 1.0])),
    "rqi": (lambda value: rqi(value, TASK), LINE),
    "predicted accuracy": (lambda value: predicted_accuracy(value, DATASET), LINE),
    "velocity": (lambda value: effective_flow(value, DATASET), LINE),
    "conserved": (conserved_quantities, LINE),
    "standardised": (standardise, LINE),
    "samples": (lambda value: is_implied(DATASET, value, [1]), np.array([1])),
    "sizes": (
        lambda value: unique_line_probability(TASK, value, orders=9, rng=0, progress=False),
        np.array([3, 9]),
    ),
    "coordinates": (state_coordinates, LINE),
    "axis": (Axis, np.array([1.0, 2.0])),
    "swept field": (lambda value: sweep({"width": value}), np.array([2, 3])),
    "seeds": (lambda value: sweep({"width": [2]}, seeds=value), np.array([2, 3])),
}


@pytest.mark.parametrize("name", TAKERS)
def test_masked_entries_are_refused_and_a_mask_of_nothing_is_not(name: str) -> None:
    take, value = TAKERS[name]
    take(value)
    take(np.ma.array(value))
    take(np.ma.array(value, mask=False))
    with pytest.raises(InputError) as refused:
        take(masked(value))
    assert str(refused.value).count("\n") == 0


@pytest.mark.parametrize("kind", [list, tuple])
def test_a_mask_within_a_sequence_is_seen(kind: type) -> None:
    rows = [np.ma.array([0, 1], mask=[0, 1]), np.ma.array([1, 0])]
    with pytest.raises(InputError, match="table must have no masked entries"):
        FiniteGroup(kind(rows))
    with pytest.raises(InputError, match="numbers must have no masked entries"):
        finite_array("numbers", kind(rows), (2, 2), np.float64)
    with pytest.raises(InputError, match="train must have no masked entries"):
        Dataset(TASK, kind([1, np.ma.masked]))


def test_a_masked_number_is_none() -> None:
    for value in (np.ma.masked, np.ma.array(5, mask=True)):
        with pytest.raises(InputError, match="steps must be an integer, not masked"):
            integer("steps", value)
        assert classify(value, 3) is Phase.CONFUSION
    assert integer("steps", np.ma.array(5)) == 5
