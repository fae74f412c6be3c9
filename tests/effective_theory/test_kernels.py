"""Each kernel against float64 NumPy, autograd or torch's own optimiser."""

import numpy as np
import pytest

from effective_theory import Addition, Dataset, InitialState, ToyModel
from effective_theory.kernels import activation, decoder, embeddings, layout, losses, optimiser

torch = pytest.importorskip("torch", reason="the oracle is PyTorch: install extra [validation]")


def test_tanh_is_within_six_units_in_the_last_place() -> None:
    x = np.concatenate([np.linspace(-12, 12, 400_001), np.geomspace(1e-30, 12, 100_001)])
    x = x.astype(np.float32)
    y = x.reshape(1, -1).copy()
    activation.tanh(y)
    exact = np.tanh(x.astype(np.float64))
    error = np.abs(y[0] - exact) / np.spacing(np.abs(exact).astype(np.float32))
    assert error.max() < 6
    assert error[np.abs(x) < 1].max() < 1.5
    assert np.abs(y).max() == 1


def test_tanh_rounds_without_a_bias() -> None:
    """A systematic error of a tenth of a unit moves the published crossings by several updates."""
    for low, high in ((0.01, 0.3), (0.3, 1.0), (1.0, 3.0)):
        x = np.linspace(low, high, 400_001).astype(np.float32)
        y = x.reshape(1, -1).copy()
        activation.tanh(y)
        exact = np.tanh(x.astype(np.float64))
        bias = ((y[0] - exact) / np.spacing(exact.astype(np.float32))).mean()
        assert abs(bias) < 0.05


def test_tanh_lets_nan_through() -> None:
    values = np.array([[np.nan, np.inf, -np.inf, 0.0]], np.float32)
    activation.tanh(values)
    np.testing.assert_array_equal(values[0], [np.nan, 1, -1, 0])


@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
@pytest.mark.parametrize(("dimension", "width", "penalty"), [(1, 200, 0.0), (3, 17, 0.1)])
def test_gradients_are_those_of_autograd(
    loss: str, dimension: int, width: int, penalty: float
) -> None:
    from validation import PlainToyModel

    dataset = Dataset.split(Addition(7), 20, rng=0)
    model = ToyModel(
        embedding_dim=dimension,
        width=width,
        target_dim=5,
        loss=loss,
        embedding_penalty=penalty,  # type: ignore[arg-type]
    )
    state = InitialState.random(model, dataset.task, rng=3)
    oracle = PlainToyModel(model, dataset.task, state, torch.float64)
    left, right = np.ascontiguousarray(dataset.task.pairs[dataset.train].T)
    labels = dataset.task.labels[dataset.train]
    outputs = oracle(torch.tensor(dataset.task.pairs[dataset.train]))
    expected_loss = oracle.loss(outputs, torch.tensor(labels))
    (expected_loss + penalty * oracle.embeddings.abs().mean()).backward()

    inputs, _, _, outputs_ = sizes = model.layer_sizes(dataset.task)
    size = layout.decoder_size(inputs, width, outputs_)
    layers = layout.layers(layout.aligned_zeros(size), inputs, width, outputs_)
    gradients = layout.layers(layout.aligned_zeros(size), inputs, width, outputs_)
    for layer, weights, biases in zip(layers, state.weights, state.biases, strict=True):
        layer[:, :-1], layer[:, -1] = weights, biases
    x, h1, h2, out = (layout.activations(features, 20) for features in sizes)
    embeddings.combine(state.embeddings, left, right, 0, x[:dimension, :20])
    decoder.forward(layers, x, h1, h2, out)
    share = np.zeros(32, np.float32)
    share[:20] = 1 / 20
    targets = state.targets if state.targets is not None else np.zeros((13, 13), np.float32)
    kind = losses.MSE if loss == "mse" else losses.CROSS_ENTROPY
    d_x, d_h1, d_h2, d_out = (layout.matrix(features, 20) for features in sizes)
    sample_major = tuple(layout.matrix(20, features) for features in (width + 1, width + 1, width))
    of_samples = layout.matrix(outputs_, 20)[:outputs_]
    of_samples[:, :20] = targets[labels].T
    found, values = out[:outputs_, :20], np.zeros(32, np.float32)
    losses.loss(kind, out, labels, of_samples, share, d_out[:outputs_], values)
    d_embeddings = np.empty_like(state.embeddings)
    decoder.backward(
        layers,
        (x, h1, h2),
        sample_major,
        20,
        d_out,
        (d_h1, d_h2),
        d_x,
        gradients,  # type: ignore[arg-type]
    )
    embeddings.combine_backward(
        state.embeddings, d_x[:dimension, :20], left, right, 0, d_embeddings
    )
    embeddings.add_penalty(state.embeddings, penalty, d_embeddings)

    expected = [p.grad.numpy() for p in oracle.decoder.parameters()]
    largest = max(np.abs(gradient).max() for gradient in expected)
    assert values[:20].mean() == pytest.approx(expected_loss.item(), rel=1e-6)
    np.testing.assert_allclose(found.T, outputs.detach().numpy(), rtol=1e-5, atol=1e-6)
    for gradient, weights, biases in zip(gradients, expected[::2], expected[1::2], strict=True):
        np.testing.assert_allclose(gradient[:, :-1], weights, atol=2e-6 * largest)
        np.testing.assert_allclose(gradient[:, -1], biases, atol=2e-6 * largest)
    expected_embeddings = oracle.embeddings.grad.numpy()
    np.testing.assert_allclose(
        d_embeddings, expected_embeddings, atol=2e-6 * np.abs(expected_embeddings).max()
    )


@pytest.mark.parametrize(("rate", "decay"), [(1e-3, 0.0), (1e-2, 5.0)])
@pytest.mark.parametrize("epsilon", [1e-8, 1.9e-7, 1e-2])
def test_adamw_is_torchs_update_by_update(rate: float, decay: float, epsilon: float) -> None:
    rng = np.random.default_rng(0)
    parameters = rng.standard_normal(1000).astype(np.float32)
    oracle = torch.nn.Parameter(torch.tensor(parameters.copy()))
    torchs = torch.optim.AdamW([oracle], lr=rate, weight_decay=decay, eps=epsilon)
    moments = np.zeros((2, 1000), np.float32)
    for update in range(1, 101):
        gradient = (rng.standard_normal(1000) * 10.0 ** rng.integers(-8, 2)).astype(np.float32)
        assert optimiser.adamw(parameters, gradient, moments, update, rate, decay, epsilon)
        oracle.grad = torch.tensor(gradient)
        torchs.step()
        np.testing.assert_allclose(parameters, oracle.detach().numpy(), rtol=3e-6, atol=3e-7)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_adamw_reports_a_parameter_that_is_not_finite(bad: float) -> None:
    parameters, gradient = np.ones(100, np.float32), np.ones(100, np.float32)
    parameters[37] = bad
    moments = np.zeros((2, 100), np.float32)
    assert not optimiser.adamw(parameters, gradient, moments, 1, 1e-3, 0.0, 1e-8)


def test_prediction_takes_the_first_of_equal_scores() -> None:
    scores = np.array([[1, 1, 0], [1, 2, 0], [0, 2, 5]], np.float32)
    predicted = np.zeros(3, np.int64)
    losses.highest(scores, predicted)
    assert predicted.tolist() == [0, 1, 2]
    assert losses.count_equal(predicted, np.array([1, 2, 2])) == 1


@pytest.mark.parametrize("large", [1.0, 1e8])
@pytest.mark.parametrize("kind", ["origin", "far", "two places", "one outlier", "tiny", "huge"])
def test_the_nearest_target_is_chosen_wherever_targets_lie(kind: str, large: float) -> None:
    """Against long doubles; far targets cancel in |Y|^2 - 2 Y.out, large outputs in |out - Y|^2."""
    rng = np.random.default_rng(1)
    around = rng.standard_normal((19, 30))
    places = {
        "origin": around,
        "far": around + 1e4,
        "two places": around + np.where(np.arange(19)[:, None] < 9, -1e4, 1e4),
        "one outlier": around + np.where(np.arange(19)[:, None] == 4, 1e5, 0.0),
        "tiny": around * 1e-15,
        "huge": around * 1e15,
    }
    targets = places[kind].astype(np.float32)
    # Outputs between a target and others, as in training; and targets themselves.
    out = targets[rng.integers(0, 19, 200)] + targets.std() * 0.1 * rng.standard_normal((200, 30))
    out[:19] = targets
    out = (out * large).astype(np.float32).T
    apart = out.T[:, None].astype(np.longdouble) - targets[None].astype(np.longdouble)
    nearest = (apart**2).sum(axis=2).argmin(axis=1)
    padded = layout.matrix(30, 200)
    padded[:30, :200] = out
    predicted = np.zeros(208, np.int64)
    losses.nearest(padded, *losses.centred(targets), np.empty((30, padded.shape[1])), predicted)
    np.testing.assert_array_equal(predicted[:200], nearest)


def test_the_first_of_equally_near_targets_is_chosen() -> None:
    targets = np.array([[1.0], [3.0], [3.0], [5.0]], np.float32)
    out = np.array([[2.0, 3.0, 4.0, 9.0]], np.float32)
    predicted = np.zeros(4, np.int64)
    losses.nearest(out, *losses.centred(targets), np.empty((1, 4)), predicted)
    assert predicted.tolist() == [0, 1, 1, 3]


@pytest.mark.parametrize("largest", [1.0, 20.0, 1e5])
@pytest.mark.parametrize("lead", [5.0, 12.0])
def test_a_small_loss_is_not_lost_in_the_last_bit_of_a_large_logit(
    largest: float, lead: float
) -> None:
    logits = np.array([[largest], [largest - lead]], np.float32)
    found = np.zeros(1, np.float32)
    work, share = np.zeros((2, 1), np.float32), np.ones(1, np.float32)
    losses.cross_entropy(logits, np.zeros(1, np.int64), share, work, found)
    # The sum that the logarithm is taken of is 1 and a little more, in float32.
    rounding = float(np.finfo(np.float32).eps)
    assert found[0] == pytest.approx(np.log1p(np.exp(-lead)), rel=1e-5, abs=rounding)
