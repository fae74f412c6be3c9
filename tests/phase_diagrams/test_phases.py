"""classify() is total and exclusive, and says what Table 1 says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from effective_theory import InputError
from phase_diagrams import Phase, classify

step = st.one_of(st.none(), st.integers(-1, 10**6))


def never(value: int | None) -> bool:
    return value is None or value == -1


@given(step, step, st.booleans(), st.integers(1, 10**5))
def test_each_run_has_exactly_one_phase(
    train: int | None, test: int | None, diverged: bool, lag: int
) -> None:
    """Table 1, line by line, as conditions that exclude each other."""
    both = not never(train) and not never(test)
    late = both and test - train >= lag  # type: ignore[operator]
    conditions = {
        Phase.COMPREHENSION: both and not late,
        Phase.GROKKING: both and late,
        Phase.DIVERGED: not both and diverged,
        Phase.MEMORIZATION: not both and not diverged and not never(train),
        Phase.CONFUSION: not both and not diverged and never(train),
    }
    assert sum(conditions.values()) == 1
    assert conditions[classify(train, test, diverged=diverged, lag=lag)]


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
