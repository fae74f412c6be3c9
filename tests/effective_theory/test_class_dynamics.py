"""The effective loss for classes beside loops, finite differences and scipy's ODE solver."""

import itertools
import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from effective_theory import (
    InputError,
    class_effective_flow,
    class_effective_loss,
    class_effective_trajectory,
)

LABELS = np.array([0, 0, 0, 1, 1, 4, 4, 4, 4, 7])


@pytest.fixture
def start() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(len(LABELS), 3))


def looped(array: np.ndarray) -> float:
    pairs = [(i, k) for i, k in itertools.combinations(range(len(LABELS)), 2)]
    same = [(i, k) for i, k in pairs if LABELS[i] == LABELS[k]]
    mean = np.mean([((array[i] - array[k]) ** 2).sum() for i, k in same])
    return float(mean / (array**2).sum())


def test_the_loss_is_the_mean_over_pairs_of_one_label(start: np.ndarray) -> None:
    assert class_effective_loss(start, LABELS) == pytest.approx(looped(start), rel=1e-12)
    assert class_effective_loss(5 * start, LABELS) == pytest.approx(looped(start), rel=1e-12)


def test_the_flow_is_downhill_by_finite_differences(start: np.ndarray) -> None:
    flow, step = class_effective_flow(start, LABELS), 1e-6
    for place in np.ndindex(start.shape):
        moved = np.zeros_like(start)
        moved[place] = step
        slope = (looped(start + moved) - looped(start - moved)) / (2 * step)
        assert flow[place] == pytest.approx(-slope, abs=1e-9)


def test_the_closed_form_is_the_flow_integrated(start: np.ndarray) -> None:
    times = np.array([0.0, 3.0, 40.0])
    solved = solve_ivp(
        lambda _, flat: class_effective_flow(flat.reshape(start.shape), LABELS).ravel(),
        (0, 40), start.ravel(), t_eval=times, rtol=1e-10, atol=1e-12,
    )  # fmt: skip
    found = class_effective_trajectory(start, LABELS, times)
    np.testing.assert_allclose(found.reshape(3, -1), solved.y.T, atol=1e-7)


def test_the_norm_is_kept_and_classes_end_as_distinct_points(start: np.ndarray) -> None:
    start = start - start.mean(axis=0)
    early, end = class_effective_trajectory(start, LABELS, [1.0, math.inf])
    for each in (early, end):
        assert (each**2).sum() == pytest.approx((start**2).sum())
        np.testing.assert_allclose(each.sum(axis=0), 0, atol=1e-12)
    assert class_effective_loss(end, LABELS) == pytest.approx(0, abs=1e-25)
    points = np.array([end[LABELS == label][0] for label in np.unique(LABELS)])
    apart = [np.linalg.norm(a - b) for a, b in itertools.combinations(points, 2)]
    assert min(apart) > 0.1


def test_classes_whose_means_are_zero_keep_their_slowest_deviations() -> None:
    """One class is at rest; of two the faster one, with more samples, is left behind."""
    alone = [[1.0], [-1.0]]
    found = class_effective_trajectory(alone, [0, 0], [0, 1, 1000, math.inf])
    np.testing.assert_allclose(found, np.tile(alone, (4, 1, 1)))
    two = np.array([[1.0], [-1.0], [1.0], [0.0], [-1.0]])
    *early, end = class_effective_trajectory(two, [0, 0, 1, 1, 1], [1.0, math.inf])
    solved = solve_ivp(
        lambda _, flat: class_effective_flow(flat[:, None], [0, 0, 1, 1, 1]).ravel(),
        (0, 1), two.ravel(), rtol=1e-10, atol=1e-12,
    )  # fmt: skip
    np.testing.assert_allclose(early[0].ravel(), solved.y[:, -1], atol=1e-8)
    np.testing.assert_allclose(end.ravel(), [2**0.5, -(2**0.5), 0, 0, 0])


def test_what_is_undefined_is_named(start: np.ndarray) -> None:
    assert math.isnan(class_effective_loss(np.zeros((2, 1)), [0, 0]))
    assert math.isnan(class_effective_loss(start, np.arange(len(LABELS))))
    with pytest.raises(InputError, match="no two samples have the same label"):
        class_effective_flow(start, np.arange(len(LABELS)))
    with pytest.raises(InputError, match="labels must be 10 whole numbers"):
        class_effective_loss(start, LABELS[:3])
    with pytest.raises(InputError, match="times must be"):
        class_effective_trajectory(start, LABELS, [-1.0])
    for wrong in (["a"], [1j], 3.0, [math.nan]):
        with pytest.raises(InputError, match="times must"):
            class_effective_trajectory(start, LABELS, wrong)
    with pytest.raises(InputError, match="times must have no masked"):
        class_effective_trajectory(start, LABELS, np.ma.array([0.0, 99.0], mask=[False, True]))
    with pytest.raises(InputError, match="labels must have no masked"):
        class_effective_loss(start, np.ma.array(LABELS, mask=LABELS == LABELS[0]))


def test_what_rounding_leaves_of_a_mean_of_zero_does_not_grow() -> None:
    one = np.array([[0.1], [0.2], [-0.3]])
    moved = class_effective_trajectory(one, [0, 0, 0], [10.0, math.inf])
    np.testing.assert_allclose(moved, [one, one], atol=1e-15)
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [20, 30])
    several = rng.normal(size=(50, 3))
    for label in (0, 1):
        several[labels == label] -= several[labels == label].mean(axis=0)
    (late,) = class_effective_trajectory(several, labels, [1e5])
    assert max(np.abs(late[labels == label].mean(axis=0)).max() for label in (0, 1)) < 1e-12


@pytest.mark.parametrize("size", [1e-90, 1e90])
def test_the_class_flow_scales_wherever_representations_are_allowed(size: float) -> None:
    start, labels = np.random.default_rng(0).normal(size=(6, 2)), [0, 0, 1, 1, 2, 2]
    loss, flow = class_effective_loss(start, labels), class_effective_flow(start, labels)
    assert class_effective_loss(start * size, labels) == pytest.approx(loss)
    np.testing.assert_allclose(class_effective_flow(start * size, labels), flow / size)
    with pytest.raises(InputError, match="representations must be between 1e-100 and 1e100"):
        class_effective_loss(start * 1e160, labels)
