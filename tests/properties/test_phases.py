"""classify() is total and exclusive: for all inputs exactly one label, that of Table 1."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from phase_diagrams import Phase, classify
from phase_diagrams.phases import classify_all

step = st.one_of(st.none(), st.just(np.ma.masked), st.integers(-1, 10**6), st.just(10**12))


def is_never(value: object) -> bool:
    return value is None or value is np.ma.masked or value == -1


@given(step, step, st.booleans(), st.integers(1, 10**5))
@example(0, 0, False, 1)
@example(100, 1100, False, 1000)
@example(100, 1099, True, 1000)
@example(5000, 10, False, 1000)  # out of order
@example(None, 10, False, 1000)
@example(-1, None, True, 1000)
def test_each_run_has_exactly_one_phase(
    train: int | None, test: int | None, diverged: bool, lag: int
) -> None:
    """Table 1, line by line, as conditions that exclude each other."""
    both = not is_never(train) and not is_never(test)
    late = both and test - train >= lag  # type: ignore[operator]
    conditions = {
        Phase.COMPREHENSION: both and not late,
        Phase.GROKKING: both and late,
        Phase.DIVERGED: not both and diverged,
        Phase.MEMORIZATION: not both and not diverged and not is_never(train),
        Phase.CONFUSION: not both and not diverged and is_never(train),
    }
    assert sum(conditions.values()) == 1
    assert conditions[classify(train, test, diverged=diverged, lag=lag)]


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 10**5))
def test_divergence_after_both_crossings_changes_no_label(train: int, test: int, lag: int) -> None:
    assert classify(train, test, diverged=True, lag=lag) == classify(train, test, lag=lag)


@given(
    st.lists(st.tuples(st.integers(-1, 3000), st.integers(-1, 3000), st.booleans()), max_size=30),
    st.integers(1, 2000),
)
def test_many_runs_at_once_have_the_phase_of_each(
    runs: list[tuple[int, int, bool]], lag: int
) -> None:
    train, test = (np.array([run[k] for run in runs], np.int64) for k in (0, 1))
    diverged = np.array([run[2] for run in runs], bool)
    expected = [classify(a, b, diverged=c, lag=lag) for a, b, c in runs]
    assert classify_all(train, test, diverged, lag=lag).tolist() == expected
