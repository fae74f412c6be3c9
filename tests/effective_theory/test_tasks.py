"""Tasks and their splits."""

import numpy as np
import pytest

from effective_theory import Addition, Dataset, InputError, ModularAddition
from effective_theory.task_registry import task_from_configuration


def test_addition_is_in_the_published_order() -> None:
    task = Addition(10)
    expected = [(i, j) for i in range(10) for j in range(i, 10)]
    assert task.pairs.tolist() == [list(pair) for pair in expected]
    assert task.labels.tolist() == [i + j for i, j in expected]
    assert (task.size, task.symbols, task.classes) == (55, 10, 19)


def test_modular_addition_wraps() -> None:
    task = ModularAddition(7)
    assert task.labels.tolist() == [(i + j) % 7 for i, j in task.pairs.tolist()]
    assert task.classes == 7


@pytest.mark.parametrize("task", [Addition(4), ModularAddition(5)])
def test_a_task_survives_its_configuration(task: Addition) -> None:
    assert task_from_configuration(task.configuration()) == task


@pytest.mark.parametrize("p", [1, 0, -3, 2.5, "ten", True, 10**9])
def test_a_bad_p_is_named(p: object) -> None:
    with pytest.raises(InputError, match="^p must be"):
        Addition(p)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "configuration", [{"name": "subtraction"}, {}, {"name": "addition", "q": 3}]
)
def test_an_unknown_task_is_refused(configuration: dict[str, object]) -> None:
    with pytest.raises(InputError, match="task"):
        task_from_configuration(configuration)


def test_a_dataset_splits_all_samples() -> None:
    dataset = Dataset(Addition(4), [7, 2, 3])
    assert dataset.train.tolist() == [2, 3, 7]
    assert sorted([*dataset.train, *dataset.test]) == list(range(10))
    assert dataset.train_fraction == 0.3


@pytest.mark.parametrize("train", [[0, 0], [-1], [10], [0.5], [[1]], ["a"], [[1], [1, 2]]])
def test_bad_training_indices_are_refused(train: list[object]) -> None:
    with pytest.raises(InputError, match="train"):
        Dataset(Addition(4), train)  # type: ignore[arg-type]


def test_splits_of_one_generator_state_are_nested() -> None:
    task = Addition(10)
    sets = [set(Dataset.split(task, size, rng=9).train.tolist()) for size in (5, 20, 45)]
    assert sets[0] < sets[1] < sets[2]


@pytest.mark.parametrize("size", [-1, 56, 4.5])
def test_a_bad_train_size_is_named(size: object) -> None:
    with pytest.raises(InputError, match="train_size"):
        Dataset.split(Addition(10), size, rng=0)  # type: ignore[arg-type]


@pytest.mark.parametrize("rng", [None, -1, "seed", 1.5])
def test_a_bad_rng_is_named(rng: object) -> None:
    with pytest.raises(InputError, match="rng"):
        Dataset.split(Addition(10), 5, rng=rng)  # type: ignore[arg-type]


def test_arrays_of_a_task_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        Addition(4).pairs[0] = 3
    assert isinstance(np.asarray(Addition(4).labels), np.ndarray)


def test_a_share_is_the_nearest_number_of_samples() -> None:
    task = Addition(10)
    by_share = Dataset.split(task, rng=3, train_fraction=0.45)
    assert by_share.train.tolist() == Dataset.split(task, 25, rng=3).train.tolist()
    for arguments in ({}, {"train_size": 5, "train_fraction": 0.5}):
        with pytest.raises(InputError, match="train_size or train_fraction must be given"):
            Dataset.split(task, rng=0, **arguments)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="rng is required"):
        Dataset.split(task, 5)
    with pytest.raises(InputError, match="train_fraction"):
        Dataset.split(task, rng=0, train_fraction=0.001)
