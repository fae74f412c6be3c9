import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effective_theory import Addition, InputError, ModularAddition, rqi, standardise
from tests.effective_theory import enumeration


def line(p, dimensions=1):
    return np.arange(p)[:, None] * np.arange(1.0, dimensions + 1.0)


@pytest.mark.parametrize("p", [3, 4, 10, 31])
@pytest.mark.parametrize("dimensions", [1, 3])
def test_rqi_of_a_line_is_one(p, dimensions) -> None:
    assert rqi(line(p, dimensions), Addition(p)) == 1.0


@settings(deadline=None, max_examples=60)
@given(
    p=st.integers(3, 8),
    dimensions=st.integers(1, 3),
    noise=st.sampled_from([0.02, 0.1, 0.5]),
    seed=st.integers(0, 2**32),
)
def test_rqi_agrees_with_enumeration(p, dimensions, noise, seed) -> None:
    task = Addition(p)
    rng = np.random.default_rng(seed)
    embeddings = line(p, dimensions) + noise * rng.standard_normal((p, dimensions))
    everywhere = range(task.size)
    small = enumeration.small(task, embeddings, everywhere)
    assert rqi(embeddings, task) == len(small) / len(enumeration.parallelograms(task, everywhere))


@settings(deadline=None, max_examples=60)
@given(shift=st.floats(-5, 5), scale=st.floats(0.1, 10), seed=st.integers(0, 2**32))
def test_rqi_does_not_change_with_shift_and_scale(shift, scale, seed) -> None:
    task = Addition(10)
    embeddings = line(10) + 0.3 * np.random.default_rng(seed).standard_normal((10, 1))
    assert rqi(scale * embeddings + shift, task) == rqi(embeddings, task)
    assert rqi(-embeddings, task) == rqi(embeddings, task)


def test_the_threshold_is_strict_and_bounds_the_mean_over_dimensions() -> None:
    # Standardised, 0, 1, 3 leaves the single parallelogram {(0,2),(1,1)} the residual 1 / std.
    embeddings = np.array([[0.0], [1.0], [3.0]])
    square = 1.0 / embeddings.var(ddof=1)
    task = Addition(3)
    assert rqi(embeddings, task, threshold=square * (1 + 1e-9)) == 1.0
    assert rqi(embeddings, task, threshold=square * (1 - 1e-9)) == 0.0
    assert rqi(line(3), task, threshold=0.0) == 0.0
    half_closed = np.hstack([embeddings, line(3)])
    assert rqi(half_closed, task, threshold=square / 2 * (1 + 1e-9)) == 1.0
    assert rqi(half_closed, task, threshold=square / 2 * (1 - 1e-9)) == 0.0


@pytest.mark.parametrize(
    "embeddings",
    [
        np.ones((4, 1)),
        np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0], [3.0, 1.0]]),
        np.array([[0.0], [np.nan], [2.0], [3.0]]),
        np.array([[0.0], [np.inf], [2.0], [3.0]]),
        np.array([[0.0], [1e-320], [0.0], [0.0]]),
    ],
    ids=["constant", "one constant dimension", "NaN", "infinite", "too close together"],
)
def test_rqi_is_undefined_without_a_standard_form(embeddings) -> None:
    assert np.isnan(rqi(embeddings, Addition(4)))
    with pytest.raises(InputError):
        standardise(embeddings)


def test_rqi_is_undefined_without_a_parallelogram() -> None:
    assert np.isnan(rqi([[0.0], [1.0]], Addition(2)))


@pytest.mark.parametrize("embeddings", [np.zeros((4, 0)), np.zeros(4), np.zeros((5, 1)), "text"])
def test_rqi_refuses_a_wrong_shape(embeddings) -> None:
    with pytest.raises(InputError, match="embeddings"):
        rqi(embeddings, Addition(4))


def test_rqi_refuses_tasks_without_a_line() -> None:
    with pytest.raises(InputError, match="use Addition"):
        rqi(line(5), ModularAddition(5))


def test_standardise() -> None:
    standard = standardise(np.random.default_rng(0).standard_normal((7, 2)))
    np.testing.assert_allclose(standard.mean(axis=0), 0.0, atol=1e-15)
    np.testing.assert_allclose(standard.std(axis=0, ddof=1), 1.0)
