"""Phases: their limits, spellings and stored integers."""

import numpy as np
import pytest

from effective_theory import InputError
from phase_diagrams import Phase, classify


def test_the_limit_belongs_to_grokking() -> None:
    assert classify(100, 1099) is Phase.COMPREHENSION
    assert classify(100, 1100) is Phase.GROKKING
    assert classify(100, 1100, lag=2000) is Phase.COMPREHENSION
    assert classify(5000, 10) is Phase.COMPREHENSION
    assert classify(None, 10) is Phase.CONFUSION


def test_never_has_three_spellings() -> None:
    spellings = (None, -1, np.ma.masked)
    assert {classify(5, never) for never in spellings} == {Phase.MEMORIZATION}  # type: ignore[arg-type]


def test_stored_integers_stay() -> None:
    names = "COMPREHENSION GROKKING MEMORIZATION CONFUSION DIVERGED NOT_RUN".split()
    assert [Phase[name].value for name in names] == [0, 1, 2, 3, 4, -1]
    assert len({phase.letter for phase in Phase}) == len(Phase)


@pytest.mark.parametrize(
    ("train", "test", "lag"), [(-2, 5, 1), (1.5, 5, 1), (1, 5, 0), (1, "x", 1)]
)
def test_what_is_no_step_is_refused(train: object, test: object, lag: int) -> None:
    with pytest.raises(InputError):
        classify(train, test, lag=lag)  # type: ignore[arg-type]
