import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effective_theory import (
    Addition,
    CriticalFraction,
    Dataset,
    InputError,
    ModularAddition,
    critical_fraction,
    critical_training_sizes,
    degrees_of_freedom,
    fit_critical_size,
    gram_matrix,
    isolated_symbol_estimate,
    permutation_group,
    unique_line_curve,
    unique_line_probability,
)
from effective_theory.critical_size import sizes as sizes_of_orders
from effective_theory.kernels import elimination
from tests.effective_theory import enumeration


def size_of(task, order):
    left, right = np.ascontiguousarray(task.pairs.T)
    orders = np.array([order])
    sizes = elimination.critical_sizes(
        orders, left, right, task.labels, task.symbols, task.classes, 2
    )
    return sizes[0]


@settings(deadline=None, max_examples=60)
@given(p=st.integers(3, 7), seed=st.integers(0, 2**32))
def test_critical_size_is_where_enumeration_first_finds_the_line(p, seed) -> None:
    task = Addition(p)
    order = np.random.default_rng(seed).permutation(task.size)
    free = [
        enumeration.degrees_of_freedom(Dataset(task, order[:size])) for size in range(task.size + 1)
    ]
    assert size_of(task, order) == free.index(2)


@pytest.mark.parametrize("p", [40, 150])
def test_critical_size_agrees_with_the_eigenvalues(p) -> None:
    task = Addition(p)
    order = np.random.default_rng(p).permutation(task.size)
    critical = size_of(task, order)
    for size, free in ((critical - 1, 3), (critical, 2)):
        dataset = Dataset(task, order[:size])
        eigenvalues = np.linalg.eigvalsh(gram_matrix(dataset))
        assert (eigenvalues < 1e-9 * eigenvalues[-1]).sum() == free
        assert degrees_of_freedom(dataset) == free


def test_the_number_of_processes_does_not_matter() -> None:
    one = critical_training_sizes(10, orders=2500, rng=0, n_jobs=1)
    assert (critical_training_sizes(10, orders=2500, rng=0, n_jobs=2) == one).all()


def test_more_orders_begin_with_the_same() -> None:
    sizes = critical_training_sizes(10, orders=2500, rng=0)
    for orders in (1, 999, 1000, 1001):
        assert (critical_training_sizes(10, orders=orders, rng=0) == sizes[:orders]).all()
    assert (
        critical_training_sizes(Addition(10), orders=10, rng=np.random.SeedSequence(0))
        == sizes[:10]
    ).all()
    assert (critical_training_sizes(10, orders=100, rng=1) != sizes[:100]).any()
    assert len(np.unique(sizes)) > 10


def test_successive_calls_with_one_generator_differ() -> None:
    rng = np.random.default_rng(0)
    first = critical_training_sizes(10, orders=50, rng=rng)
    assert (critical_training_sizes(10, orders=50, rng=rng) != first).any()


def test_two_and_three_symbols() -> None:
    assert (critical_training_sizes(2, orders=5, rng=0) == 0).all()
    assert critical_fraction(2, np.zeros(5, np.int64)).value == 0.0
    # With three symbols the only parallelogram is {(0, 2), (1, 1)}.
    sizes = critical_training_sizes(3, orders=6000, rng=0)
    share = np.array([(sizes <= size).mean() for size in range(7)])
    wanted = np.array(
        [math.comb(4, size - 2) / math.comb(6, size) if size >= 2 else 0.0 for size in range(7)]
    )
    assert np.abs(share - wanted).max() < 4 * 0.5 / math.sqrt(6000)
    assert share[6] == 1.0


def test_probabilities_and_their_band() -> None:
    sizes = np.arange(56)
    curve = unique_line_probability(10, sizes, orders=400, rng=0)
    found = critical_training_sizes(10, orders=400, rng=0)
    assert curve.orders == 400
    np.testing.assert_array_equal(curve.probability, [(found <= size).mean() for size in sizes])
    # Wilson's interval solves |p - share| = z sqrt(p (1 - p) / n) for p.
    inside = (curve.probability > 0) & (curve.probability < 1)
    for bound in (curve.low[inside], curve.high[inside]):
        distance = np.abs(bound - curve.probability[inside])
        np.testing.assert_allclose(
            distance, 1.959964 * np.sqrt(bound * (1 - bound) / 400), rtol=1e-5
        )
    assert curve.low[0] == 0.0 < curve.high[0] < 0.02
    assert 0.98 < curve.low[-1] < 1.0 == curve.high[-1]


def test_curve_of_sizes_in_any_order() -> None:
    curve = unique_line_curve(np.array([3, 5, 5, 9]), np.array([9, 4, 0]))
    assert curve.probability.tolist() == [1.0, 0.25, 0.0]


def test_critical_fraction_interpolates() -> None:
    # P is 0.25 at 3, 0.75 at 5: it crosses 1/2 between 4 (still 0.25) and 5.
    assert critical_fraction(4, np.array([3, 5, 5, 9])).size == 4.5
    # Here P is exactly 1/2 from 3 to 6.
    assert critical_fraction(4, np.array([3, 3, 7, 9])).size == 4.5
    alone = critical_fraction(4, np.array([6]))
    assert (alone.size, alone.low, alone.high) == (5.5, 0.0, 1.0)
    assert alone.standard_error == np.inf


@pytest.mark.parametrize("orders", [1, 2, 3, 20])
def test_the_interval_of_a_few_orders_covers(orders: int) -> None:
    pool = critical_training_sizes(10, orders=400 * orders, rng=0)
    truth = critical_fraction(10, pool).value
    found = [critical_fraction(10, batch) for batch in pool.reshape(400, orders)]
    assert np.mean([r.low <= truth <= r.high for r in found]) >= 0.9


def test_the_interval_of_the_critical_fraction_covers() -> None:
    pool = critical_training_sizes(10, orders=20_000, rng=0)
    truth = critical_fraction(10, pool).value
    batches = pool.reshape(200, 100)
    found = [critical_fraction(10, batch) for batch in batches]
    covered = np.mean([r.low <= truth <= r.high for r in found])
    assert 0.90 <= covered <= 0.99
    spread = np.std([r.value for r in found])
    assert np.mean([r.standard_error for r in found]) == pytest.approx(spread, rel=0.2)
    wide = critical_fraction(10, batches[0], confidence=0.999)
    assert wide.low < found[0].low < found[0].value < found[0].high < wide.high


@pytest.mark.parametrize(
    ("p", "orders", "known"),
    [
        (10, 5000, 0.4088),
        (20, 5000, 0.2244),
        (40, 3000, 0.1259),
        (80, 2000, 0.0719),
        (160, 1000, 0.0403),
        (320, 400, 0.0221),
    ],
)
def test_critical_fractions_measured_before(p, orders, known) -> None:
    found = critical_fraction(p, critical_training_sizes(p, orders=orders, rng=0))
    error = math.hypot(found.standard_error, 0.01 * known)
    assert abs(found.value - known) <= 4 * error
    assert found.size == pytest.approx(found.value * p * (p + 1) / 2)


def fraction(value, error):
    return CriticalFraction(value, 0.0, 1.0, error, 0.0, 1)


def test_fit_recovers_a_law_and_its_errors() -> None:
    p = np.array([10, 20, 40, 80, 160])
    rng = np.random.default_rng(0)
    errors = np.array([0.01, 0.02, 0.01, 0.03, 0.02])
    fits = []
    for _ in range(400):
        ratio = 0.3 + 0.5 * np.log(p) + errors * rng.standard_normal(5)
        fractions = [
            fraction(r * 2 / (q + 1), e * 2 / (q + 1))
            for r, e, q in zip(ratio, errors, p, strict=True)
        ]
        fits.append(fit_critical_size(p, fractions))
    slopes, intercepts = [f.slope for f in fits], [f.intercept for f in fits]
    assert np.mean(slopes) == pytest.approx(0.5, abs=4 * fits[0].slope_error / 20)
    assert np.std(slopes) == pytest.approx(fits[0].slope_error, rel=0.15)
    assert np.mean(intercepts) == pytest.approx(0.3, abs=4 * fits[0].intercept_error / 20)
    assert np.std(intercepts) == pytest.approx(fits[0].intercept_error, rel=0.15)
    assert np.mean([f.chi_square for f in fits]) == pytest.approx(3.0, rel=0.25)
    fit = fits[0]
    np.testing.assert_allclose(fit.critical_size(p) / p + fit.residuals, fit.measured)


def expected_isolated(p, q):
    """The estimate's M by its definition, sample by sample."""
    task = Addition(p)
    samples = np.bincount(task.labels)
    missed = np.ones(p)
    for (i, j), label in zip(task.pairs, task.labels, strict=True):
        helps = q * (1 - (1 - q) ** (samples[label] - 1))
        for symbol in {i, j}:
            missed[symbol] *= 1 - helps
    return missed.sum()


@pytest.mark.parametrize("p", [3, 10, 25])
def test_isolated_symbol_estimate_solves_its_equation(p) -> None:
    q = isolated_symbol_estimate(p) / Addition(p).size
    assert expected_isolated(p, q) == pytest.approx(math.log(2), rel=1e-8)


def test_isolated_symbol_estimate_is_close_to_the_measured_size() -> None:
    found = critical_fraction(100, critical_training_sizes(100, orders=2000, rng=0))
    assert isolated_symbol_estimate(100) == pytest.approx(found.size, rel=0.03)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"orders": 0}, "orders must be at least 1"),
        ({"orders": 1.5}, "orders must be an integer"),
        ({"rng": None}, "rng is required"),
        ({"task": 0}, "p must be at least 2"),
        ({"task": "ten"}, "p must be an integer"),
        ({"task": ModularAddition(5)}, "use Addition"),
        ({"sizes": [56]}, "sizes must be at most the task's 55 samples, not 56"),
        ({"sizes": [-1]}, "sizes must be integers from 0"),
        ({"sizes": [0.5]}, "integers"),
        ({"sizes": [[1, 2], [3]]}, "sizes must hold sizes in one dimension"),
        ({"confidence": 1.0}, "confidence"),
        ({"confidence": math.nan}, "confidence"),
    ],
)
def test_bad_input(arguments, message) -> None:
    arguments = {"task": 10, "sizes": [20], "orders": 3, "rng": 0} | arguments
    with pytest.raises(InputError, match=message):
        unique_line_probability(**arguments)


def test_bad_input_of_the_other_functions() -> None:
    with pytest.raises(InputError, match="at least one size"):
        critical_fraction(10, np.array([], np.int64))
    with pytest.raises(InputError, match="at least two different p"):
        fit_critical_size([10], [fraction(0.4, 0.1)])
    with pytest.raises(InputError, match="one for each"):
        fit_critical_size([10, 20], [fraction(0.4, 0.1)])
    with pytest.raises(InputError, match="standard_error"):
        fit_critical_size([10, 20], [fraction(0.4, 0.0), fraction(0.2, 0.1)])
    with pytest.raises(InputError, match="p must be at least 3"):
        isolated_symbol_estimate(2)
    with pytest.raises(InputError, match="symbols must be positive"):
        fit_critical_size([10, 20], [fraction(0.4, 0.1), fraction(0.2, 0.1)]).critical_size(0)


def test_what_is_no_critical_size_is_named() -> None:
    beyond = np.array([2**63], np.uint64)
    for wrong in ([np.nan, 3.0], ["a"], [-5, -4], [[1, 2], [3]], beyond):
        with pytest.raises(InputError, match="critical_sizes must"):
            critical_fraction(10, wrong)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="at most the task's 55 samples, not 1001"):
        critical_fraction(10, np.array([1000, 1001]))
    with pytest.raises(InputError, match="sizes must be integers from 0"):
        unique_line_curve([3, 4], ["a"])  # type: ignore[arg-type, list-item]
    assert unique_line_curve([3, 4], [4]).sizes.dtype == np.int64  # type: ignore[arg-type]
    with pytest.raises(InputError, match="fractions must be what critical_fraction"):
        fit_critical_size([10, 20], [0.4, 0.2])  # type: ignore[list-item]
    with pytest.raises(InputError, match="symbols must be a sequence, not 10"):
        fit_critical_size(10, fraction(0.4, 0.1))
    with pytest.raises(InputError, match="orders must be at most 100000000"):
        critical_training_sizes(10, orders=10**12, rng=0)


def test_all_samples_of_a_group_are_solved_once(monkeypatch) -> None:
    """At the largest groups that takes as long as an order, of which each chunk holds one."""
    solved = []

    def counted(*arguments):
        solved.append(1)
        return null_space(*arguments)

    null_space = elimination.null_space
    monkeypatch.setattr(elimination, "null_space", counted)
    monkeypatch.setattr(sizes_of_orders, "_MOST_ORDERS_IN_CHUNK", 1)
    found = unique_line_probability(permutation_group(3), [36], orders=3, rng=0)
    assert found.probability.tolist() == [1.0] and len(solved) == 1
