"""Nudged starts: sets and frequencies of labels by hand, p-values by enumeration."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from phase_diagrams import Phase
from validation.judge.nudged_runs import NudgedRuns

C, G, M, X = Phase.COMPREHENSION, Phase.GROKKING, Phase.MEMORIZATION, Phase.CONFUSION


def runs(a: NDArray[np.int8], b: NDArray[np.int8]) -> NudgedRuns:
    """Runs with these labels, shape (nudges, cells); steps are far apart wherever labels are."""
    steps = tuple(np.where(each == X, np.inf, 100.0 * each) for each in (a, b))
    return NudgedRuns((a, b), {"train": (steps[0], steps[1])})


def labels(*cells: list[Phase]) -> NDArray[np.int8]:
    return np.array(cells, np.int8).T


def test_sets_and_frequencies() -> None:
    found = runs(labels([C, G], [C, C], [M, M]), labels([G, G], [M, X], [M, M]))
    assert found.disjoint.tolist() == [False, True, False]
    assert found.distance.tolist() == [0.5, 1.0, 0.0]
    assert found.uncertainty.tolist() == [0.25, 0.25, 0.0]


def enumerated(found: NudgedRuns, cells: list[int]) -> float:
    """Share of all exchanges whose difference of label counts is at least the one found."""
    a, b = (each[:, cells] for each in found.phases)

    def difference(swapped: NDArray[np.bool_]) -> int:
        x, y = np.where(swapped, b, a), np.where(swapped, a, b)
        return sum(int(abs((x == p).sum(0) - (y == p).sum(0)).sum()) for p in Phase)

    exchanges = [
        difference(np.array(bits).reshape(a.shape))
        for bits in itertools.product([False, True], repeat=a.size)
    ]
    return float(np.mean(np.array(exchanges) >= difference(np.zeros(a.shape, bool))))


def test_p_values_are_those_of_all_exchanges() -> None:
    a = labels([C, C, G], [M, X, M], [C, C, C])
    b = labels([G, G, G], [M, M, X], [X, X, X])
    found = runs(a, b)
    for cells in ([0, 1], [0, 1, 2], [1]):
        where = np.isin(np.arange(3), cells)
        assert found.p_values(where)["label"] == pytest.approx(enumerated(found, cells))
    assert np.isnan(found.p_values(np.zeros(3, bool))["label"])


def test_a_difference_is_found_and_sameness_is_not_blamed() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.choice([C, G, M], (2, 8, 30)).astype(np.int8)
    everywhere = np.ones(30, bool)
    same = runs(a, b).p_values(everywhere)
    assert same["label"] > 0.05 and same["train"] > 0.05
    other = rng.choice([C, G, M], (8, 30), p=[0.7, 0.2, 0.1]).astype(np.int8)
    assert max(runs(a, other).p_values(everywhere).values()) < 0.01
    assert runs(a, a).p_values(everywhere) == {"label": 1.0, "train": 1.0}
    assert runs(a, b).p_values(everywhere) == same


def test_p_values_are_uniform_where_engines_are_the_same() -> None:
    rng = np.random.default_rng(1)
    found = [
        runs(*rng.choice([C, G], (2, 4, 5)).astype(np.int8)).p_values(np.ones(5, bool))["train"]
        for _ in range(60)
    ]
    assert 0.35 < np.mean(found) < 0.7 and min(found) > 0.001
