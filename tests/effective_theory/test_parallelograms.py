import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effective_theory import (
    Addition,
    Dataset,
    InputError,
    ModularAddition,
    count_parallelograms,
    degrees_of_freedom,
    gram_matrix,
    ideal_accuracy,
    is_implied,
    null_space,
)
from effective_theory.kernels import elimination
from tests.effective_theory import enumeration


def everything(p):
    return Dataset(Addition(p), np.arange(Addition(p).size))


def from_pairs(p, pairs):
    task = Addition(p)
    table = task.pairs.tolist()
    return Dataset(task, [table.index(list(pair)) for pair in pairs])


@st.composite
def datasets(draw):
    task = Addition(draw(st.integers(2, 7)))
    samples = draw(st.sets(st.integers(0, task.size - 1)))
    return Dataset(task, sorted(samples))


@pytest.mark.parametrize(("p", "count"), [(2, 0), (4, 3), (6, 13), (8, 34), (10, 70)])
def test_number_of_parallelograms(p, count) -> None:
    assert count_parallelograms(everything(p)) == count


def test_counting_is_defined_for_every_task() -> None:
    task = ModularAddition(5)
    dataset = Dataset(task, range(0, task.size, 2))
    assert count_parallelograms(dataset) == len(enumeration.parallelograms(task, dataset.train))


@settings(deadline=None, max_examples=60)
@given(dataset=datasets())
def test_everything_agrees_with_enumeration(dataset) -> None:
    task = dataset.task
    rows = enumeration.matrix(task, dataset.train)
    assert count_parallelograms(dataset) == len(rows)
    assert (gram_matrix(dataset) == rows.T @ rows).all()
    assert degrees_of_freedom(dataset) == enumeration.degrees_of_freedom(dataset)
    everywhere = enumeration.parallelograms(task, range(task.size))
    wanted = enumeration.implied(dataset)
    first, second = np.array(everywhere, int).reshape(-1, 2).T
    assert is_implied(dataset, first, second).tolist() == [q in wanted for q in everywhere]
    reached = enumeration.closure(dataset, wanted)
    for on in ("all", "test"):
        expected = enumeration.accuracy(dataset, reached, on)
        assert ideal_accuracy(dataset, on=on) == pytest.approx(expected, nan_ok=True, abs=1e-15)


@pytest.mark.parametrize("p", [10, 30, 60])
def test_exact_rank_is_the_number_of_zero_eigenvalues(p) -> None:
    task = Addition(p)
    rng = np.random.default_rng(0)
    for size in rng.integers(0, 6 * p, 20):
        dataset = Dataset.split(task, min(int(size), task.size), rng)
        eigenvalues = np.linalg.eigvalsh(gram_matrix(dataset))
        assert degrees_of_freedom(dataset) == (eigenvalues < 1e-9 * max(eigenvalues[-1], 1)).sum()


@pytest.mark.parametrize("p", range(3, 31))
def test_full_data_leaves_only_the_line(p) -> None:
    dataset = everything(p)
    assert degrees_of_freedom(dataset) == 2
    assert ideal_accuracy(dataset) == 1.0
    if p % 2 == 0:
        third = np.linalg.eigvalsh(gram_matrix(dataset))[2]
        assert third == pytest.approx(p * (p + 2) / 4, rel=1e-12)


def test_published_examples_determine_the_line() -> None:
    four = from_pairs(4, [(0, 2), (1, 1), (0, 3), (1, 2), (1, 3), (2, 2)])
    six = from_pairs(6, [(0, 4), (1, 3), (1, 5), (2, 4), (0, 2), (1, 1), (3, 3)])
    assert degrees_of_freedom(four) == degrees_of_freedom(six) == 2
    # Two of the three parallelograms of the first suffice, one does not.
    assert degrees_of_freedom(from_pairs(4, [(0, 2), (1, 1), (0, 3), (1, 2)])) == 2
    assert degrees_of_freedom(from_pairs(4, [(0, 2), (1, 1), (0, 3), (2, 2)])) == 3


def test_null_space_is_orthonormal_and_solves_the_equations() -> None:
    dataset = Dataset.split(Addition(12), 25, rng=1)
    basis = null_space(dataset)
    rows = enumeration.matrix(dataset.task, dataset.train)
    assert basis.shape == (12, enumeration.degrees_of_freedom(dataset))
    np.testing.assert_allclose(basis.T @ basis, np.eye(basis.shape[1]), atol=1e-12)
    np.testing.assert_allclose(rows @ basis, 0.0, atol=1e-12)


def test_mean_third_eigenvalue_of_random_training_sets() -> None:
    # SPEC 5; both tables are means over random training sets, rounded to three digits.
    wanted = {
        20: (0.083, 0.0014),
        22: (0.261, 0.0043),
        25: (0.720, 0.0106),
        28: (1.69, 0.0202),
        30: (2.38, 0.0253),
        35: (4.89, 0.0384),
        40: (8.59, 0.0513),
        45: (13.5, 0.0642),
        50: (20.1, 0.0770),
        55: (30.0, 0.0952),
    }
    rng = np.random.default_rng(0)
    for size, published in wanted.items():
        draws = []
        for _ in range(1 if size == 55 else 1000):
            dataset = Dataset.split(Addition(10), size, rng)
            third = max(float(np.linalg.eigvalsh(gram_matrix(dataset))[2]), 0.0)
            draws.append((third, 2 * third / (count_parallelograms(dataset) * 9)))
        mean = np.mean(draws, axis=0)
        # The table's own error is that of at least as many draws.
        error = np.std(draws, axis=0) * np.sqrt(2 / len(draws))
        rounding = 0.005 * np.array(published)
        assert (np.abs(mean - published) <= 4 * error + rounding).all(), (size, mean, published)


def test_a_thousand_symbols_fit_in_memory() -> None:
    task = Addition(1000)
    dataset = Dataset.split(task, task.size // 2, rng=0)
    assert degrees_of_freedom(dataset) == 2
    assert 0.99 < ideal_accuracy(dataset, on="test") <= 1.0
    gram = gram_matrix(dataset)
    line = np.arange(1000.0)
    assert np.abs(gram @ line).max() == 0.0 == np.abs(gram.sum(axis=0)).max()


@pytest.mark.parametrize("p", [2, 5])
def test_without_training_samples_everything_is_free(p) -> None:
    dataset = Dataset(Addition(p), [])
    assert degrees_of_freedom(dataset) == p
    assert ideal_accuracy(dataset) == 0.0
    assert count_parallelograms(dataset) == 0
    assert not is_implied(everything(2), [], []).size


def test_ideal_accuracy_of_an_empty_test_set_is_undefined() -> None:
    assert np.isnan(ideal_accuracy(everything(4), on="test"))


@pytest.mark.parametrize("function", [gram_matrix, degrees_of_freedom, null_space, ideal_accuracy])
def test_tasks_without_a_line_are_refused(function) -> None:
    with pytest.raises(InputError, match="use Addition"):
        function(Dataset(ModularAddition(5), [0, 1]))


@pytest.mark.parametrize(
    ("samples", "others", "message"),
    [
        ([0], [1], "same label"),
        ([0, 2], [0], "same length"),
        ([99], [99], "0 to 9"),
        ([0.5], [0.5], "indices"),
        ([[0]], [[0]], "indices"),
    ],
)
def test_is_implied_refuses_what_is_no_parallelogram(samples, others, message) -> None:
    with pytest.raises(InputError, match=message):
        is_implied(everything(4), samples, others)


def test_ideal_accuracy_refuses_an_unknown_set() -> None:
    with pytest.raises(InputError, match='"all" or "test"'):
        ideal_accuracy(everything(4), on="train")


@given(st.integers(0, 2**62 - 1))
@settings(deadline=None)
def test_remainder(number) -> None:
    assert elimination.remainder(number) == number % (2**31 - 1)


@given(st.integers(1, 2**31 - 2))
@settings(deadline=None)
def test_inverse(number) -> None:
    assert number * elimination.inverse(number) % (2**31 - 1) == 1
