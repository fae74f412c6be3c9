"""Power's operations by enumeration, and the mirrors of commutative ones."""

import itertools

import numpy as np
import pytest

from effective_theory import (
    Addition,
    Dataset,
    InputError,
    ModularOperation,
    PermutationOperation,
    is_commutative,
    strict_test,
)
from effective_theory.operations import MODULAR_OPERATIONS
from effective_theory.task_names import TaskName, name_of_task, task_named
from effective_theory.task_registry import task_from_configuration


def divided(x: int, y: int, p: int) -> int:
    """x / y by search."""
    return next(z for z in range(p) if z * y % p == x)


ORACLES = {
    "x+y": lambda x, y, p: (x + y) % p,
    "x-y": lambda x, y, p: (x - y) % p,
    "x/y": divided,
    "x/y if y odd else x-y": lambda x, y, p: divided(x, y, p) if y % 2 else (x - y) % p,
    "x^2+y^2": lambda x, y, p: (x * x + y * y) % p,
    "x^2+xy+y^2": lambda x, y, p: (x * x + x * y + y * y) % p,
    "x^2+xy+y^2+x": lambda x, y, p: (x * x + x * y + y * y + x) % p,
    "x^3+xy": lambda x, y, p: (x * x * x + x * y) % p,
    "x^3+xy^2+y": lambda x, y, p: (x * x * x + x * y * y + y) % p,
}


@pytest.mark.parametrize("operation", MODULAR_OPERATIONS)
def test_an_operation_is_what_its_formula_says(operation: str) -> None:
    task = ModularOperation(operation, 13)
    pairs = [
        (x, y) for x, y in itertools.product(range(13), repeat=2) if operation != "x/y" or y > 0
    ]
    assert task.pairs.tolist() == [list(pair) for pair in pairs]
    assert task.labels.tolist() == [ORACLES[operation](x, y, 13) for x, y in pairs]
    task.require_sound()
    assert task_from_configuration(task.configuration()) == task


@pytest.mark.parametrize("operation", MODULAR_OPERATIONS)
def test_the_counts_are_the_published_ones(operation: str) -> None:
    task = ModularOperation(operation, 97)
    assert (task.size, task.symbols, task.classes) == (9312 if operation == "x/y" else 9409, 97, 97)
    symmetric = all(
        ORACLES[operation](x, y, 7) == ORACLES[operation](y, x, 7)
        for x, y in itertools.product(range(1, 7), repeat=2)
    )
    assert is_commutative(task) is symmetric


@pytest.mark.parametrize("operation", ["xy", "xyx^-1", "xyx"])
def test_operations_on_permutations_are_those_of_tuples(operation: str) -> None:
    task = PermutationOperation(operation, 3)
    elements = list(itertools.permutations(range(3)))

    def then(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(b[k] for k in a)

    for (x, y), label in zip(task.pairs.tolist(), task.labels.tolist(), strict=True):
        a, b = elements[x], elements[y]
        inverse = tuple(np.argsort(a).tolist())
        third = {"xy": (0, 1, 2), "xyx^-1": inverse, "xyx": a}[operation]
        assert elements[label] == then(then(a, b), third)
    assert PermutationOperation(operation).size == 14400


def test_strict_samples_are_those_whose_mirror_was_not_seen() -> None:
    dataset = Dataset.split(ModularOperation("x+y", 11), 60, rng=3)
    pairs = dataset.operation.pairs.tolist()
    train = {tuple(pairs[k]) for k in dataset.train}
    expected = [k for k in dataset.test.tolist() if tuple(pairs[k][::-1]) not in train]
    found = strict_test(dataset)
    assert found is not None and found.tolist() == expected
    assert any(pairs[k][0] == pairs[k][1] for k in expected)  # (a, a) counts as unseen


def test_where_mirrors_tell_nothing_there_is_no_strict_test() -> None:
    assert strict_test(Dataset.split(ModularOperation("x-y", 11), 60, rng=0)) is None
    unordered = Dataset.split(ModularOperation("x+y", 11, ordered=False), 40, rng=0)
    assert np.array_equal(strict_test(unordered), unordered.test)  # type: ignore[arg-type]
    assert np.array_equal(
        strict_test(Dataset.split(Addition(10), 45, rng=0)),  # type: ignore[arg-type]
        Dataset.split(Addition(10), 45, rng=0).test,
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"operation": "x*y"}, "operation must be one of 'x.y'"),
        ({"operation": "x/y", "p": 12}, "p must be a prime for operation 'x/y', not 12"),
        ({"p": 1}, "p must be"),
        ({"operation": "x-y", "ordered": False}, "ordered must be True for operation 'x-y'"),
        ({"ordered": 1}, "ordered must be True or False"),
    ],
)
def test_what_is_no_operation_is_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        ModularOperation(**options)  # type: ignore[arg-type]


def test_what_is_no_operation_on_permutations_is_named() -> None:
    with pytest.raises(InputError, match="operation must be one of xy, "):
        PermutationOperation("yx")
    with pytest.raises(InputError, match="n must be"):
        PermutationOperation("xy", 6)


@pytest.mark.parametrize(
    ("name", "p", "operation"),
    [
        ("addition", 7, None),
        ("modular_addition", 7, None),
        ("permutation_group", 3, None),
        ("modular_operation", 7, "x-y"),
        ("permutation_operation", 3, "xyx"),
    ],
)
def test_a_command_line_knows_a_task_by_name_number_and_operation(
    name: TaskName, p: int, operation: str | None
) -> None:
    assert name_of_task(task_named(name, p, operation)) == (name, p, operation)


def test_an_operation_has_a_usual_one_and_is_refused_where_there_is_none() -> None:
    assert task_named("modular_operation", 7) == ModularOperation("x+y", 7)
    assert task_named("permutation_operation", 3) == PermutationOperation("xy", 3)
    with pytest.raises(InputError, match="operation is for the tasks modular_operation and"):
        task_named("addition", 7, "x+y")
    with pytest.raises(InputError, match="has no name on the command line"):
        name_of_task(ModularOperation("x+y", 7, ordered=False))
