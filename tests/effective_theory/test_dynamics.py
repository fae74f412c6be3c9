import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from effective_theory import (
    Addition,
    Dataset,
    InputError,
    ModularAddition,
    ToyModel,
    conserved_quantities,
    dynamics,
    effective_flow,
    effective_loss,
    effective_trajectory,
    grokking_rate,
    grokking_steps,
    grokking_time,
    standardise,
    train,
)
from phase_diagrams.toy.published_starts import released_start
from tests.effective_theory import enumeration

PAPER = {"parallelograms": "train", "average": True}
RELEASED = {"parallelograms": "all", "average": False}
CONVENTIONS = [PAPER, RELEASED]
NAMES = ["paper", "released"]


def example(dimensions=1, centred=True, seed=0, size=45):
    """A training set that determines the line, and a random start."""
    rng = np.random.default_rng(seed)
    dataset = Dataset.split(Addition(10), size, rng)
    start = rng.uniform(-0.5, 0.5, (10, dimensions))
    return dataset, standardise(start) if centred else start + 0.3


def everything(p):
    return Dataset(Addition(p), range(Addition(p).size))


@settings(deadline=None, max_examples=50)
@given(
    p=st.integers(3, 8),
    dimensions=st.integers(1, 3),
    share=st.floats(0, 1),
    seed=st.integers(0, 2**32),
)
def test_loss_agrees_with_enumeration(p, dimensions, share, seed) -> None:
    rng = np.random.default_rng(seed)
    task = Addition(p)
    dataset = Dataset.split(task, int(share * task.size), rng)
    embeddings = rng.standard_normal((p, dimensions))
    for samples, name in ((dataset.train, "train"), (range(task.size), "all")):
        summed = enumeration.summed_loss(task, embeddings, samples) / (embeddings**2).sum()
        count = len(enumeration.parallelograms(task, samples))
        mean = summed / count if count else math.nan
        found = effective_loss(embeddings, dataset, parallelograms=name, average=False)
        assert found == pytest.approx(summed, rel=1e-12, abs=1e-14)
        found = effective_loss(embeddings, dataset, parallelograms=name)
        assert found == pytest.approx(mean, rel=1e-12, abs=1e-14, nan_ok=True)


def test_loss_keeps_its_relative_precision_as_it_vanishes() -> None:
    dataset, _ = example()
    line, departure = np.arange(10.0)[:, None], np.zeros((10, 1))
    departure[4] = 1e-9
    rows = enumeration.matrix(dataset.task, dataset.train) @ departure
    expected = (rows**2).sum() / (line**2).sum()
    found = effective_loss(line + departure, dataset, average=False)
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("convention", CONVENTIONS, ids=NAMES)
@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("dimensions", [1, 2])
def test_flow_is_the_negative_gradient(convention, centred, dimensions) -> None:
    dataset, start = example(dimensions, centred)
    step = 1e-5
    gradient = np.empty_like(start)
    for index in np.ndindex(*start.shape):
        shift = np.zeros_like(start)
        shift[index] = step
        up = effective_loss(start + shift, dataset, **convention)
        down = effective_loss(start - shift, dataset, **convention)
        gradient[index] = (up - down) / (2 * step)
    flow = effective_flow(start, dataset, **convention)
    np.testing.assert_allclose(flow, -gradient, rtol=1e-6, atol=1e-7 * np.abs(flow).max())


@pytest.mark.parametrize("convention", CONVENTIONS, ids=NAMES)
@pytest.mark.parametrize("centred", [True, False])
def test_right_hand_side_obeys_the_conservation_laws(convention, centred) -> None:
    dataset, start = example(2, centred)
    flow = effective_flow(start, dataset, **convention)
    norm, centre = (start**2).sum(), start.sum(axis=0)
    scale = np.abs(flow).sum()
    assert abs(2 * (start * flow).sum()) < 1e-13 * scale
    # dC/dt = (2 l0 / Z0^2) C, and l0 / Z0 is the effective loss.
    growth = 2 * effective_loss(start, dataset, **convention) / norm
    np.testing.assert_allclose(flow.sum(axis=0), growth * centre, rtol=1e-12, atol=1e-13 * scale)
    if not centred:
        assert np.abs(flow.sum(axis=0)).min() > 1e-3 * scale / 10


def test_conserved_quantities() -> None:
    _, start = example(2, centred=False)
    found = conserved_quantities(start)
    assert found.norm == pytest.approx((start**2).sum())
    np.testing.assert_allclose(found.centre, start.sum(axis=0))
    assert conserved_quantities(standardise(start)).norm == pytest.approx(2 * 9)


@pytest.mark.parametrize("convention", CONVENTIONS, ids=NAMES)
@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("dimensions", [1, 2])
def test_closed_form_agrees_with_integration(convention, centred, dimensions) -> None:
    dataset, start = example(dimensions, centred)
    norm = conserved_quantities(start).norm
    times = np.linspace(0, 5 * grokking_time(dataset, norm=norm, **convention), 11)

    def right_hand_side(_, flat):
        return effective_flow(flat.reshape(start.shape), dataset, **convention).ravel()

    solution = solve_ivp(
        right_hand_side,
        (0, times[-1]),
        start.ravel(),
        method="DOP853",
        t_eval=times,
        rtol=1e-10,
        atol=1e-10,
    )
    found = effective_trajectory(start, dataset, times, **convention)
    expected = solution.y.T.reshape(found.shape)
    difference = np.abs(found - expected).max(axis=(1, 2)) / np.abs(expected).max(axis=(1, 2))
    assert difference.max() <= 1e-8
    np.testing.assert_allclose((found**2).sum(axis=(1, 2)), norm, rtol=1e-12)
    if centred:
        np.testing.assert_allclose(found.sum(axis=1), 0.0, atol=1e-12)


def test_euler_meets_the_published_losses() -> None:
    model = ToyModel(steps=1)
    dataset, state = released_start(model, Addition(10), 45, (58, 58))
    start = standardise(train(model, dataset, state).embeddings)

    def summed_losses(method, step):
        trajectory = effective_trajectory(
            start, dataset, [0.0, 1.0, 2.0], method=method, step=step, **RELEASED
        )
        return [
            effective_loss(embeddings, dataset, **RELEASED) * conserved_quantities(embeddings).norm
            for embeddings in trajectory
        ]

    euler = summed_losses("euler", 1e-3)
    assert euler[0] == pytest.approx(397.767, abs=5e-4)
    assert euler[1] == pytest.approx(3.198e-2, abs=5e-6)
    assert euler[2] == pytest.approx(4e-8, abs=5e-9)
    assert summed_losses("exact", None)[1] == pytest.approx(2.91e-2, abs=5e-5)


@pytest.mark.parametrize("step", [1e-19, 1e-310])
def test_a_step_that_would_take_forever_is_refused(step) -> None:
    dataset = Dataset(Addition(4), range(10))
    start = np.arange(4.0)[:, None] ** 2
    with pytest.raises(InputError, match="too short"):
        effective_trajectory(start, dataset, [1.0], method="euler", step=step)


@pytest.mark.parametrize("convention", CONVENTIONS, ids=NAMES)
def test_euler_approaches_the_closed_form_with_its_step(convention) -> None:
    dataset, start = example()
    exact = effective_trajectory(start, dataset, [0.2], **convention)
    errors = [
        np.abs(
            effective_trajectory(start, dataset, [0.2], method="euler", step=step, **convention)
            - exact
        ).max()
        for step in (1e-3, 5e-4)
    ]
    assert errors[0] / errors[1] == pytest.approx(2.0, rel=0.05)


@pytest.mark.parametrize("method", ["exact", "euler"])
def test_times_come_in_any_order(method) -> None:
    dataset, start = example()
    step = None if method == "exact" else 0.5
    found = effective_trajectory(start, dataset, [3.0, 0.0, 3.0], method=method, step=step)
    np.testing.assert_allclose(found[1], start, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(found[0], found[2], rtol=1e-12)
    assert effective_trajectory(start, dataset, [], method=method, step=step).shape == (0, 10, 1)


def test_late_embeddings_are_the_line() -> None:
    dataset, start = example()
    # So late that a rounding error in a zero eigenvalue would have moved the line.
    for late in effective_trajectory(start, dataset, [1e6, 1e20])[:, :, 0]:
        assert np.diff(late) == pytest.approx((late[-1] - late[0]) / 9)
        assert late.mean() == pytest.approx(0.0, abs=1e-9)


def test_times_up_to_the_largest_number() -> None:
    dataset, start = example()
    last = effective_trajectory(start, dataset, [1e308])[0]
    np.testing.assert_allclose(last, effective_trajectory(start, dataset, [1e6])[0], atol=1e-9)
    assert np.isfinite(effective_trajectory(1e-90 * start, dataset, [1e308])).all()


def test_a_start_without_any_line_in_it_does_not_underflow() -> None:
    # Exactly no line: the slowest mode that is there stays, however fast it is.
    attraction, start = np.diag([0.0, 0.0, 1.0, 2.0]), np.array([[0.0], [0.0], [0.0], [3.0]])
    trajectory = dynamics._closed_form(start, attraction, 2, 9.0, np.array([0.0, 1e9]))
    np.testing.assert_allclose(trajectory, [start, start])


@pytest.mark.parametrize("convention", CONVENTIONS, ids=NAMES)
def test_the_slowest_departure_from_the_line_decays_with_the_grokking_rate(convention) -> None:
    dataset, _ = example()
    rows = enumeration.matrix(
        dataset.task, dataset.train if convention is PAPER else range(dataset.task.size)
    )
    slowest = np.linalg.eigh(rows.T @ rows).eigenvectors[:, [2]]
    start = standardise(np.arange(10.0)[:, None]) + 1e-4 * slowest
    time = grokking_time(dataset, **convention)
    late = effective_trajectory(start, dataset, [0.0, time], **convention)
    losses = [effective_loss(embeddings, dataset, **convention) for embeddings in late]
    assert math.log(losses[0] / losses[1]) == pytest.approx(2.0, rel=1e-6)


def test_grokking_rate_of_the_full_data() -> None:
    dataset = everything(10)
    assert grokking_rate(dataset, **RELEASED) == pytest.approx(20 / 3, rel=1e-12)
    assert grokking_steps(dataset, 1e-3, **RELEASED) == pytest.approx(150, rel=1e-12)
    assert grokking_rate(dataset) == pytest.approx(2 * 30 / (70 * 9), rel=1e-12)
    assert grokking_rate(dataset, norm=18.0) == pytest.approx(30 / (70 * 9), rel=1e-12)
    for p in (4, 6, 20):
        rate = grokking_rate(everything(p), norm=2.0, **RELEASED)
        assert rate == pytest.approx(p * (p + 2) / 4, rel=1e-12)


def test_the_rate_is_exactly_zero_where_the_line_is_not_alone() -> None:
    rng = np.random.default_rng(0)
    rates = [grokking_rate(Dataset.split(Addition(10), 22, rng)) for _ in range(50)]
    datasets = np.random.default_rng(0)
    free = [
        enumeration.degrees_of_freedom(Dataset.split(Addition(10), 22, datasets)) for _ in range(50)
    ]
    assert [rate == 0.0 for rate in rates] == [n0 > 2 for n0 in free]
    assert 0 < sum(rate == 0.0 for rate in rates) < 50
    nothing = Dataset(Addition(10), [])
    assert grokking_rate(nothing) == 0.0
    assert grokking_time(nothing) == math.inf
    assert grokking_steps(nothing, 1e-3) == math.inf
    assert grokking_steps(everything(10), 0.0) == math.inf


def test_two_symbols_have_no_rate() -> None:
    assert math.isnan(grokking_rate(everything(2)))
    assert math.isnan(grokking_time(everything(2)))
    assert math.isnan(grokking_steps(everything(2), 0.0))


def test_undefined_losses() -> None:
    dataset, start = example()
    assert math.isnan(effective_loss(np.zeros((10, 1)), dataset))
    assert math.isnan(effective_loss(start, Dataset(Addition(10), [0])))
    assert effective_loss(start, Dataset(Addition(10), [0]), average=False) == 0.0
    assert effective_loss(np.ones((10, 1)), dataset) == 0.0
    assert math.isnan(effective_loss([[0.0], [1.0]], everything(2)))


@pytest.mark.parametrize("function", [effective_flow, lambda e, d: effective_trajectory(e, d, [0])])
def test_a_flow_that_does_not_exist_is_refused(function) -> None:
    dataset, start = example()
    with pytest.raises(InputError, match="all zero"):
        function(np.zeros((10, 1)), dataset)
    with pytest.raises(InputError, match="no parallelogram"):
        function(start, Dataset(Addition(10), [0]))


def test_constant_embeddings_stay() -> None:
    dataset, _ = example()
    trajectory = effective_trajectory(np.ones((10, 1)), dataset, [0.0, 100.0])
    np.testing.assert_allclose(trajectory, 1.0, rtol=1e-12)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"times": [-1.0]}, "times"),
        ({"times": [math.nan]}, "times"),
        ({"times": 1.0}, "times"),
        ({"embeddings": np.full((10, 1), math.nan)}, "embeddings holds NaN"),
        ({"embeddings": np.zeros((9, 1))}, "embeddings must have shape"),
        ({"parallelograms": "test"}, "parallelograms"),
        ({"method": "rk4"}, "method"),
        ({"method": "euler"}, "step is required"),
        ({"method": "euler", "step": 0.0}, "step must be positive"),
        ({"method": "euler", "step": 0.3}, "multiples"),
        ({"method": "euler", "step": 1e3, "times": [1e5]}, "Euler steps diverge"),
        ({"embeddings": np.full((10, 1), 1e200)}, "rescale"),
        ({"embeddings": np.full((10, 1), 1e-200)}, "rescale"),
        ({"step": 0.1}, "step must be left out"),
        ({"dataset": Dataset(ModularAddition(10), [0])}, "use Addition"),
    ],
)
def test_bad_input(changes, message) -> None:
    dataset, start = example()
    arguments = {"embeddings": start, "dataset": dataset, "times": [1.0]} | changes
    with pytest.raises(InputError, match=message):
        effective_trajectory(**arguments)


def test_bad_input_of_the_other_functions() -> None:
    dataset, start = example()
    with pytest.raises(InputError, match="norm must be positive"):
        grokking_rate(dataset, norm=0.0)
    with pytest.raises(InputError, match="embedding_lr"):
        grokking_steps(dataset, -1.0)
    with pytest.raises(InputError, match="NaN"):
        effective_loss(np.full((10, 1), math.nan), dataset)
    with pytest.raises(InputError, match="NaN"):
        conserved_quantities([[math.nan]])
    for function in (effective_loss, effective_flow):
        with pytest.raises(InputError, match="use Addition"):
            function(start, Dataset(ModularAddition(10), [0]))
    with pytest.raises(InputError, match="use Addition"):
        grokking_rate(Dataset(ModularAddition(10), [0]))


@pytest.mark.parametrize("size", [1e-90, 1e90])
@pytest.mark.parametrize("convention", CONVENTIONS, ids=NAMES)
def test_the_flow_scales_wherever_embeddings_are_allowed(size, convention) -> None:
    dataset, start = example(dimensions=2)
    expected = effective_flow(start, dataset, **convention) / size
    np.testing.assert_allclose(effective_flow(size * start, dataset, **convention), expected)


def test_a_fixed_point_without_a_line_in_it_stays() -> None:
    """What rounding leaves of the absent line must not grow to the size of the whole."""
    dataset, start = everything(3), np.array([[1.0], [-2.0], [1.0]])
    np.testing.assert_allclose(effective_flow(start, dataset), 0, atol=1e-15)
    moved = effective_trajectory(start, dataset, [0, 30, 1e6])
    np.testing.assert_allclose(moved, [start] * 3, atol=1e-14)


def test_euler_takes_times_in_any_order_and_more_than_once() -> None:
    dataset, start = example()
    times = [0.3, 0.0, 0.1, 0.3]
    moved = effective_trajectory(start, dataset, times, method="euler", step=0.1)
    for time, state in zip(times, moved, strict=True):
        (alone,) = effective_trajectory(start, dataset, [time], method="euler", step=0.1)
        np.testing.assert_array_equal(state, alone)
