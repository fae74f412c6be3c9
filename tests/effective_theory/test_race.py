"""The race of representation and decoder: distances by hand, slopes by differences, the rule."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from effective_theory import (
    Addition,
    Dataset,
    InitialState,
    InputError,
    ToyModel,
    decoder_slope,
    label_spread,
    line_distance,
    permutation_group,
    race_ratio,
    reduced_race_ratio,
)

TASK = Addition(10)
DATASET = Dataset.split(TASK, 45, 3)
STATE = InitialState.random(ToyModel(width=30), TASK, 4)


def output(state: InitialState, inputs: np.ndarray) -> np.ndarray:
    """The decoder in float64, layer by layer."""
    hidden = inputs
    for weight, bias in zip(state.weights[:2], state.biases[:2], strict=True):
        hidden = np.tanh(hidden @ np.float64(weight).T + bias)
    return hidden @ np.float64(state.weights[2]).T + state.biases[2]


def adam_closes(ratio: float, c: float, a: float, rate: float = 1e-4) -> bool:
    """Whether Adam closes two samples with the same label before their linear decoder goes flat."""
    # Two embeddings for each sample: what moves one input by two steps.
    values = np.array([c / 2, c / 2, -c / 2, -c / 2, a])
    rates = rate * np.array([ratio] * 4 + [1.0])
    first, second = np.zeros(5), np.zeros(5)
    for update in range(1, 200_000):
        inputs, slope = values[:4].reshape(2, 2).sum(axis=1), values[4]
        gradient = np.append(np.repeat(slope**2 * inputs, 2), slope * (inputs**2).sum())
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        corrected = first / (1 - 0.9**update), second / (1 - 0.999**update)
        values -= rates * corrected[0] / (np.sqrt(corrected[1]) + 1e-8)
        if abs(inputs[0]) < 0.02 * c or abs(slope) < 0.02 * a:
            return bool(abs(inputs[0]) < 0.02 * c)
    raise AssertionError("neither")


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100), st.floats(-50, 50))
def test_shifts_and_factors_do_not_matter(seed: int, factor: float, shift: float) -> None:
    embeddings = np.random.default_rng(seed).normal(size=(7, 2))
    found = line_distance(embeddings)
    assert 0 <= found <= 1
    assert line_distance(factor * embeddings + shift) == pytest.approx(found, abs=1e-6)


def test_the_distance_is_that_of_a_fit() -> None:
    embeddings = np.random.default_rng(0).normal(size=10)
    fit = np.polyval(np.polyfit(np.arange(10), embeddings, 1), np.arange(10))
    share = ((embeddings - fit) ** 2).sum() / ((embeddings - embeddings.mean()) ** 2).sum()
    assert line_distance(embeddings[:, None]) == pytest.approx(np.sqrt(share))
    assert line_distance(np.arange(10.0)[:, None] * 3 - 1) == pytest.approx(0, abs=1e-12)
    for size in (1e-200, 1e200):
        assert line_distance(size * embeddings[:, None]) == pytest.approx(np.sqrt(share))
    assert line_distance([[1.0], [0.1], [0.1], [1.0]]) <= 1


def test_the_spread_is_that_of_sums_of_one_label() -> None:
    # (0, 3) and (1, 2) have the label 3; (0, 0) is alone.
    dataset = Dataset(Addition(4), [0, 3, 5])
    np.testing.assert_array_equal(dataset.operation.labels[dataset.train], [0, 3, 3])
    embeddings = np.array([[0.0], [1.0], [5.0], [2.0]])
    assert label_spread(embeddings, dataset) == pytest.approx(2)  # sums 2 and 6


def test_the_slope_is_the_quotient_of_differences() -> None:
    inputs = STATE.embeddings[TASK.pairs[DATASET.train]].sum(axis=1).astype(np.float64)
    step = 1e-5
    differences = (output(STATE, inputs + step) - output(STATE, inputs - step)) / (2 * step)
    np.testing.assert_allclose(
        decoder_slope(STATE, DATASET)[:, 0], differences.mean(axis=0), rtol=1e-6
    )


def test_the_ratio_lies_between_its_norms() -> None:
    slopes = np.abs(decoder_slope(STATE, DATASET))
    spread = label_spread(STATE.embeddings, DATASET)
    assert race_ratio(STATE, DATASET) == pytest.approx(spread / (2 * slopes.max()))
    assert race_ratio(STATE, DATASET, "mean") == pytest.approx(spread / (2 * slopes.mean()))


@pytest.mark.parametrize(("c", "a"), [(2.0, 0.25), (0.5, 0.5)])
def test_under_adam_the_ratio_decides_who_wins(c: float, a: float) -> None:
    assert adam_closes(1.2 * c / (2 * a), c, a)
    assert not adam_closes(c / (2 * a) / 1.2, c, a)


def two_samples(c: float, a: float) -> tuple[InitialState, Dataset]:
    """A start of two samples of 3, c from their mean, whose one output has the slope a."""
    # Of Addition(4), 0 + 3 and 1 + 2 have the label 3; a narrow tanh layer that is linear.
    state = InitialState(
        embeddings=np.float32([[c / 2], [-c / 2], [-c / 2], [c / 2]]),
        weights=(np.float32([[1e-3]]), np.float32([[1.0]]), np.float32([[1e3 * a]])),
        biases=tuple(np.zeros(1, np.float32) for _ in range(3)),
        targets=None,
    )
    return state, Dataset(Addition(4), [3, 5])


@pytest.mark.parametrize(("c", "a"), [(2.0, 0.25), (0.5, 0.5)])
def test_the_reduced_system_of_two_samples_follows_the_rule(c: float, a: float) -> None:
    state, dataset = two_samples(c, a)
    assert label_spread(state.embeddings, dataset) == pytest.approx(c)
    assert reduced_race_ratio(state, dataset) == pytest.approx(c / (2 * a), rel=0.1)


def reduced_closes(ratio: float, rate: float) -> bool:
    """Whether the representation of STATE wins: gradients label by label, one ratio alone."""
    values = np.concatenate([STATE.embeddings[:, 0], decoder_slope(STATE, DATASET)[:, 0]])
    rates = np.array([ratio * rate] * 10 + [rate] * (len(values) - 10))
    first, second = np.zeros_like(values), np.zeros_like(values)
    start = label_spread(values[:10, None], DATASET), np.linalg.norm(values[10:])
    pairs, labels = TASK.pairs[DATASET.train], TASK.labels[DATASET.train]
    for update in range(1, int(4 * np.abs(values[10:]).max() / rate) + 2):
        gradient = np.zeros_like(values)
        for label in set(labels.tolist()):
            members = pairs[labels == label]
            inputs = values[members].sum(axis=1)
            apart = inputs - inputs.mean()
            np.add.at(gradient, members, (values[10:] ** 2).sum() * apart[:, None])
            gradient[10:] += (apart**2).sum() * values[10:]
        gradient *= 2 / len(pairs)
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        corrected = first / (1 - 0.9**update), second / (1 - 0.999**update)
        values = values - rates * corrected[0] / (np.sqrt(corrected[1]) + 1e-8)
    spread = label_spread(values[:10, None], DATASET) / start[0]
    return bool(spread < np.linalg.norm(values[10:]) / start[1])


def test_the_reduced_system_of_a_start_is_that_of_its_labels() -> None:
    found = reduced_race_ratio(STATE, DATASET, decoder_lr=1e-3)
    assert 0 < found < 1e4
    assert reduced_closes(1.03 * found, 1e-3)
    assert not reduced_closes(found / 1.1, 1e-3)
    line = dataclasses.replace(STATE, embeddings=np.arange(10, dtype=np.float32)[:, None])
    assert reduced_race_ratio(line, DATASET) == 0
    # The learning rate that is chosen suits decoders of any scale.
    small = InitialState.random(ToyModel(width=30, decoder_scale=0.1), TASK, 0)
    assert race_ratio(small, DATASET) < reduced_race_ratio(small, DATASET) < 1e4


def test_what_has_no_race_is_named() -> None:
    with pytest.raises(InputError, match="embeddings are all equal"):
        line_distance(np.ones((4, 1)))
    with pytest.raises(InputError, match="no label with two training samples"):
        label_spread(np.arange(10.0)[:, None], Dataset(TASK, [0]))
    with pytest.raises(InputError, match="label_spread"):
        label_spread(np.ones((6, 9)), Dataset.split(permutation_group(3), 20, 0))
    wide = InitialState.random(ToyModel(width=3, embedding_dim=2), TASK, 0)
    with pytest.raises(InputError, match="embeddings of one dimension"):
        race_ratio(wide, DATASET)
    with pytest.raises(InputError, match='slope must be "largest" or "mean"'):
        race_ratio(STATE, DATASET, "l2")  # type: ignore[arg-type]
    small = InitialState.random(ToyModel(width=3), Addition(8), 0)
    with pytest.raises(InputError, match="embeddings of 10 symbols, not of 8"):
        decoder_slope(small, DATASET)
    flat = InitialState.random(ToyModel(width=3, decoder_scale=0.0), TASK, 0)
    with pytest.raises(InputError, match="decoder that is flat"):
        race_ratio(flat, DATASET)
    with pytest.raises(InputError, match="state must be an InitialState"):
        race_ratio(dataclasses.asdict(STATE), DATASET)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="state must be an InitialState"):
        reduced_race_ratio(None, DATASET)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="embeddings of one dimension"):
        reduced_race_ratio(wide, DATASET)
    with pytest.raises(InputError, match="decoder_lr"):
        reduced_race_ratio(STATE, DATASET, decoder_lr=0)
    for rate in (1e-320, 1e-12, 0.1, 10.0):
        with pytest.raises(InputError, match=r"decoder_lr must be from .* for this start, not"):
            reduced_race_ratio(STATE, DATASET, decoder_lr=rate)
    with pytest.raises(InputError, match="dataset has no training samples"):
        decoder_slope(STATE, Dataset(TASK, []))
    with pytest.raises(InputError, match=r"weights\[1\] must have shape"):
        dataclasses.replace(STATE, weights=(STATE.weights[0], np.ones((5, 7)), STATE.weights[2]))
