"""The theory against the tables of the paper's authors."""

import csv

import numpy as np

from effective_theory import unique_line_probability
from tests.conftest import published_table


def test_probability_of_the_unique_line() -> None:
    with published_table("fig4a_unique_line.csv").open(newline="") as lines:
        rows = [{name: int(value) for name, value in row.items()} for row in csv.DictReader(lines)]
    sizes, draws, unique = (
        np.array([row[name] for row in rows]) for name in ("train_size", "draws", "unique")
    )
    assert sizes.tolist() == list(range(1, 56))
    orders = 10_000
    found = unique_line_probability(10, sizes, orders=orders, rng=0).probability
    # One success and one failure more keep sigma positive where both shares are 0 or 1.
    pooled = (found * orders + unique + 1) / (orders + draws + 2)
    sigma = np.sqrt(pooled * (1 - pooled) * (1 / orders + 1 / draws))
    assert (np.abs(found - unique / draws) <= 4 * sigma).all()
