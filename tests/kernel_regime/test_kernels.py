"""Kernels beside autograd, direct sums and symmetries; what kernel machines cannot learn."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="needs the extra [validation]")

from effective_theory import Dataset, InputError, ModularOperation  # noqa: E402
from validation.kernel_regime.kernel_regression import (  # noqa: E402
    accuracy,
    expected_kernel,
    expected_prediction,
    kernel_prediction,
    unseen_loss,
)
from validation.kernel_regime.quadratic_state import QuadraticState  # noqa: E402
from validation.kernel_regime.tangent_kernel import (  # noqa: E402
    empirical_kernel,
    equal_symbols,
    kernel_drift,
    quadratic_kernel,
)
from validation.networks.mlp import MLP  # noqa: E402
from validation.networks.quadratic_network import QuadraticNetwork  # noqa: E402
from validation.training.loop import begun  # noqa: E402


def started(p: int, width: int, seed: int = 0) -> QuadraticNetwork:
    network = begun(lambda: QuadraticNetwork(p, p, width=width), seed).double()
    assert isinstance(network, QuadraticNetwork)
    return network


def moved(state: QuadraticState, by: float, seed: int = 0) -> QuadraticState:
    rng = np.random.default_rng(seed)
    first, second = (
        each + by * rng.normal(size=each.shape) for each in (state.first, state.second)
    )
    return QuadraticState(first, second)


@pytest.mark.parametrize("chunk", [3, 64])
def test_the_closed_form_is_the_empirical_kernel(chunk: int) -> None:
    network, pairs = started(5, 12), torch.tensor(ModularOperation("x+y", 5).pairs)
    some = pairs[::3]
    found = empirical_kernel(network, some, pairs, chunk=chunk).numpy()
    expected = quadratic_kernel(QuadraticState.of(network), some.numpy(), pairs.numpy())
    np.testing.assert_allclose(found, expected, atol=1e-12 * np.abs(expected).max())


def test_any_module_has_an_empirical_kernel() -> None:
    """Against derivatives that autograd takes one output after the other."""
    network = begun(lambda: MLP(4, 3, width=6), 1).double()
    pairs = torch.tensor([[0, 1], [2, 2], [3, 0]])
    rows = []
    for value in network(pairs).flatten():
        derivatives = torch.autograd.grad(value, list(network.parameters()), retain_graph=True)
        rows.append(torch.cat([each.flatten() for each in derivatives]))
    jacobian = torch.stack(rows)
    np.testing.assert_allclose(
        empirical_kernel(network, pairs, chunk=2).numpy(), (jacobian @ jacobian.T).numpy(),
        rtol=1e-12, atol=1e-14,
    )  # fmt: skip


@pytest.mark.parametrize(("by", "tolerance"), [(1.0, 1e-10), (0.1, 1e-10), (1e-3, 1e-6)])
def test_the_drift_is_that_of_the_whole_matrices(by: float, tolerance: float) -> None:
    pairs = np.array(ModularOperation("x+y", 7).pairs)[::2]
    start = QuadraticState.of(started(7, 20))
    state = moved(start, by)
    before, after = quadratic_kernel(start, pairs), quadratic_kernel(state, pairs)
    drift = kernel_drift(start, state, pairs)
    norm = np.linalg.norm
    assert drift.relative == pytest.approx(norm(after - before) / norm(before), rel=tolerance)
    cosine = (before * after).sum() / norm(before) / norm(after)
    assert drift.turned == pytest.approx(1 - cosine, rel=100 * tolerance)


def test_a_drift_that_cancels_is_refused() -> None:
    start, pairs = QuadraticState.of(started(5, 8)), np.array(ModularOperation("x+y", 5).pairs)
    assert kernel_drift(start, start, pairs).relative == 0
    with pytest.raises(InputError, match="below 1e-06"):
        kernel_drift(start, moved(start, 1e-9), pairs)


def test_a_common_factor_drifts_and_does_not_turn() -> None:
    start, pairs = QuadraticState.of(started(5, 8)), np.array(ModularOperation("x+y", 5).pairs)
    drift = kernel_drift(start, QuadraticState(2 * start.first, 2 * start.second), pairs)
    assert drift.relative == pytest.approx(2**4 - 1) and drift.turned == pytest.approx(0, abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(5)), st.permutations(range(5)), st.integers(0, 50))
def test_network_and_kernel_are_equivariant(of_a: list[int], of_b: list[int], seed: int) -> None:
    """Renamed symbols are columns of W in another order: nothing knows which numbers they are."""
    p, network = 5, started(5, 6, seed)
    state, pairs = QuadraticState.of(network), np.array(ModularOperation("x+y", 5).pairs)
    renamed = np.column_stack([np.array(of_a)[pairs[:, 0]], np.array(of_b)[pairs[:, 1]]])
    columns = [*of_a, *(p + each for each in of_b)]
    other = dataclasses.replace(state, first=state.first[:, columns])
    np.testing.assert_allclose(other.logits(pairs), state.logits(renamed), atol=1e-12)
    np.testing.assert_allclose(
        quadratic_kernel(other, pairs), quadratic_kernel(state, renamed), atol=1e-12
    )


def test_the_expected_kernel_is_the_mean_of_kernels() -> None:
    p, width, draws = 5, 10, 1000
    pairs = np.array([[0, 1], [0, 2], [3, 1], [3, 4], [1, 0]])
    shared = equal_symbols(pairs, pairs)
    means = np.empty((draws, 4))
    for k in range(draws):
        kernel = quadratic_kernel(QuadraticState.of(started(p, width, k)), pairs)
        blocks = kernel.reshape(5, p, 5, p).transpose(0, 2, 1, 3)  # (x, x', c, c')
        same_class = blocks[..., np.arange(p), np.arange(p)]
        means[k, :3] = [same_class[shared == m].mean() for m in range(3)]
        means[k, 3] = blocks[..., ~np.eye(p, dtype=bool)].mean()
    expected = [*expected_kernel(p, width), 0.0]
    errors = means.std(axis=0) / np.sqrt(draws)
    assert (np.abs(means.mean(axis=0) - expected) < 4 * errors).all()
    # Small enough to tell: the kernels for 0, 1 and 2 equal symbols differ by factors of 2 to 3.
    assert (errors[:3] < 0.02 * np.array(expected[:3])).all()


@pytest.mark.parametrize("p", [11, 23, 31])
@pytest.mark.parametrize("share", [0.3, 0.5, 0.7, 0.9, 0.95])
def test_the_expected_kernel_is_never_right_on_unseen_pairs(p: int, share: float) -> None:
    dataset = Dataset.split(ModularOperation("x+y", p), rng=0, train_fraction=share)
    prediction = expected_prediction(dataset, 8 * p)
    assert accuracy(prediction, dataset) == 0
    np.testing.assert_allclose(
        prediction[dataset.train], np.eye(p)[dataset.operation.labels[dataset.train]], atol=1e-8
    )
    if share <= 0.9:
        assert unseen_loss(prediction, dataset) > 1.05
    # Additive: of four unseen corners of a rectangle the alternating sum is 0.
    table = np.full((p, p, p), np.nan)
    left, right = dataset.operation.pairs[dataset.test].T
    table[left, right] = prediction[dataset.test]
    corners = table[:, None, :, None] - table[:, None, None, :] - table[None, :, :, None]
    sums = corners + table[None, :, None, :]
    known = ~np.isnan(sums).any(axis=-1)
    assert np.abs(sums[known]).max() < 1e-10


def test_wide_networks_predict_as_the_expected_kernel() -> None:
    for share in (0.3, 0.5):
        dataset = Dataset.split(ModularOperation("x+y", 11), rng=0, train_fraction=share)
        test, found = dataset.test, []
        for factor in (8, 80, 800):
            state = QuadraticState.of(started(11, factor * 11))
            predicted = kernel_prediction(state, dataset)[test].ravel()
            expected = expected_prediction(dataset, factor * 11)[test].ravel()
            found.append(np.corrcoef(predicted, expected)[0, 1])
        assert found == sorted(found) and found[-1] >= 0.9


def test_a_singular_kernel_is_named() -> None:
    dataset = Dataset.split(ModularOperation("x+y", 5), rng=0, train_fraction=0.8)
    state = QuadraticState.of(started(5, 2))
    with pytest.raises(InputError, match="20 samples x 5 classes singular; give a larger one"):
        kernel_prediction(state, dataset)
    assert np.isfinite(kernel_prediction(state, dataset, ridge=1e-3)).all()
    with pytest.raises(InputError, match="at_a_time must be at least 1"):
        kernel_prediction(state, dataset, ridge=1e-3, at_a_time=0)
    with pytest.raises(InputError, match="init_scale 0 makes the expected kernel singular"):
        expected_prediction(dataset, 2, init_scale=0.0)
