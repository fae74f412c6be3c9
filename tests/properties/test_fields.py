"""Fields of configurations: anything at all is accepted as what it is, or refused by name.

What is accepted trains: no value reaches the compiled code in a type that it does not know.
"""

import dataclasses
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from effective_theory import (
    Addition,
    Dataset,
    InitialState,
    InputError,
    ModularAddition,
    ToyModel,
    permutation_group,
    train,
)
from phase_diagrams import SweepSpec

numbers = st.one_of(
    st.integers(-3, 12),
    st.sampled_from([10**12, 10**13, 2**63, 10**400, -(10**400)]),
    st.floats(),
    st.floats(0, 1e-3),
    st.sampled_from([np.float32(1e-3), np.float64(0.5), np.int8(3), np.uint64(2**64 - 1)]),
    st.sampled_from([np.float16(2), np.bool_(True), Decimal("0.1"), Fraction(1, 3), 1j]),
)
others = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=4),
    st.binary(max_size=4),
    st.sampled_from(["mse", "cross_entropy", "all", "never", "accuracies", "1", "nan"]),
    st.just(np.array(3)),
    st.just(np.array([0.1])),
    st.just(np.array([1, 2])),
    st.just(np.ma.masked),
    st.just(np.array("mse")),
    st.just(object()),
    st.lists(st.integers(0, 2), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=1),
)
anything = st.one_of(numbers, numbers, others)
FIELDS = [field.name for field in dataclasses.fields(ToyModel)]
SMALL: dict[str, Any] = {"width": 3, "target_dim": 2, "steps": 2}
TASKS = (Addition(4), ModularAddition(4), permutation_group(2))


def is_named(error: InputError, *names: str) -> bool:
    message = str(error)
    return any(name in message for name in names) and message.endswith(".")


@settings(max_examples=400)
@given(st.dictionaries(st.sampled_from(FIELDS), anything, min_size=1, max_size=2))
def test_any_model_is_refused_by_name_or_trains(fields: dict[str, Any]) -> None:
    try:
        model = ToyModel(**{**SMALL, **fields})
    except InputError as error:
        assert is_named(error, *fields)
        return
    assume(max(model.width, model.embedding_dim, model.target_dim, model.steps) <= 12)
    # Fields are plain numbers of their own type, from which identities are made.
    kinds = {name: type(getattr(model, name)) for name in FIELDS}
    plain = {int, float, str} if model.batch_size is not None else {int, float, str, type(None)}
    assert set(kinds.values()) <= plain
    try:
        run = train(model, Dataset(TASKS[0], [0, 1, 2, 3, 4, 5]), rng=0)
    except InputError as error:
        assert is_named(error, *FIELDS, "biases", "weights", "embeddings", "targets")
        return
    assert run.status in ("finished", "stopped", "diverged")


@settings(max_examples=300)
@given(
    st.dictionaries(
        st.sampled_from(["task", "axes", "model", "train_size", "seeds", "start", "lag"]),
        anything,
        min_size=1,
        max_size=2,
    )
)
def test_any_sweep_is_refused_by_name_or_made(fields: dict[str, Any]) -> None:
    given_first = {"task": TASKS[0], "axes": {"decoder_lr": [1e-3]}, "train_size": 5}
    try:
        spec = SweepSpec(**{**given_first, **fields})
    except InputError as error:
        assert is_named(error, *fields, "axis", "seed")
        return
    assert SweepSpec.from_json(spec.to_json()) == spec


@settings(max_examples=300)
@given(st.sampled_from([*FIELDS, "train_size", "momentum"]), st.lists(anything, max_size=3))
def test_any_axis_is_refused_by_name_or_made(name: str, values: list[Any]) -> None:
    try:
        spec = SweepSpec(TASKS[0], {name: values}, ToyModel(**SMALL), train_size=5)
    except InputError as error:
        assert is_named(error, name)
        return
    assert SweepSpec.from_json(spec.to_json()) == spec
    assert len({cell.cell_id for cell in spec.cells()}) == len(values) or name in (
        *("steps", "stop_when"),
    )


@settings(max_examples=300)
@given(st.sampled_from(["embeddings", "weights", "biases", "targets", "batch_seed"]), anything)
def test_any_start_is_refused_by_name(name: str, value: Any) -> None:
    model = ToyModel(**SMALL, batch_size=2)
    state = InitialState.random(model, TASKS[0], rng=0)
    try:
        changed = dataclasses.replace(state, **{name: value})
        run = train(model, Dataset.split(TASKS[0], 5, rng=0), changed)
    except InputError as error:
        assert is_named(error, name, "weights and biases")
        return
    assert name == "batch_seed" and run.status in ("finished", "stopped", "diverged")


@settings(max_examples=300)
@given(st.sampled_from(["rng", "record_every", "record_at", "initial_state"]), anything)
def test_any_argument_of_train_is_refused_by_name(name: str, value: Any) -> None:
    dataset = Dataset.split(TASKS[0], 5, rng=0)
    try:
        run = train(ToyModel(**SMALL), dataset, **{"rng": 0, name: value})
    except InputError as error:
        assert is_named(error, name)
        return
    assert run.steps_run == 2


@settings(max_examples=200)
@given(anything)
def test_any_task_and_any_split_is_refused_by_name_or_made(value: Any) -> None:
    for make, names in (
        (lambda: Addition(value), ("p must",)),
        (lambda: ModularAddition(value), ("p must",)),
        (lambda: Dataset(TASKS[0], value), ("train",)),
        (lambda: Dataset.split(TASKS[0], value, rng=0), ("train_size",)),
        (lambda: Dataset.split(TASKS[0], 5, rng=value), ("rng",)),
    ):
        try:
            make()
        except InputError as error:
            assert is_named(error, *names)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_each_task_trains_at_the_smallest_sizes(task: Any) -> None:
    for loss in ("mse", "cross_entropy"):
        model = ToyModel(width=1, target_dim=1, steps=1, loss=loss)
        for size in (1, task.size - 1):
            assert train(model, Dataset.split(task, size, rng=0), rng=0).steps_run == 1
