"""Measures on arrays whose values are known."""

import numpy as np
import pytest

from effective_theory import InputError
from validation.measures.embeddings import (
    beside_random,
    circle,
    effective_dimension,
    frequency_shares,
    top_frequency_power,
)
from validation.measures.logits import (
    along_sums,
    collapsed_share,
    excluded_logits,
    mean_cross_entropy,
    restricted_logits,
    weight_norm,
)


def waves(p: int, *frequencies: int) -> np.ndarray:
    """Cosine and sine of each frequency, shape (p, 2 * frequencies)."""
    angles = 2 * np.pi * np.outer(np.arange(p), frequencies) / p
    return np.concatenate([np.cos(angles), np.sin(angles)], axis=1)


@pytest.mark.parametrize("p", [12, 13])
def test_the_shares_of_frequencies_are_those_of_the_waves(p: int) -> None:
    rotation, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))
    embeddings = np.concatenate([3 * waves(p, 2), waves(p, 3), 2 * waves(p, 5)], axis=1)
    shares = frequency_shares(embeddings @ rotation + 7.0)
    expected = np.zeros(p // 2)
    expected[[1, 2, 4]] = np.array([9, 1, 4]) / 14
    np.testing.assert_allclose(shares, expected, atol=1e-12)
    assert top_frequency_power(embeddings, 1) == pytest.approx(9 / 14)
    assert top_frequency_power(embeddings, 2) == pytest.approx(13 / 14)
    assert top_frequency_power(embeddings, 99) == pytest.approx(1)


def test_shares_of_a_direct_sum_of_squares_are_the_same() -> None:
    """By projections on cosines and sines, without a transform."""
    values = np.random.default_rng(1).normal(size=(11, 4))
    centred = values - values.mean(axis=0)
    power = []
    for k in range(1, 6):
        basis = waves(11, k) * np.sqrt(2 / 11)
        power.append(((basis.T @ centred) ** 2).sum())
    np.testing.assert_allclose(frequency_shares(values), np.array(power) / (centred**2).sum())


def test_the_effective_dimension_counts_directions() -> None:
    assert effective_dimension(waves(13, 2)) == pytest.approx(2)
    assert effective_dimension(waves(13, 2, 3, 5)) == pytest.approx(6)
    assert effective_dimension(np.arange(9.0)[:, None] @ np.ones((1, 5))) == pytest.approx(1)
    shares = np.array([0.5, 0.3, 0.2])
    rows = np.random.default_rng(0).normal(size=(50, 3))
    rows -= rows.mean(axis=0)
    orthogonal = np.linalg.svd(rows, full_matrices=False)[0] * np.sqrt(shares)
    expected = np.exp(-(shares * np.log(shares)).sum())
    assert effective_dimension(orthogonal) == pytest.approx(expected)


def test_a_circle_is_found_and_told_from_an_ellipse_and_from_noise() -> None:
    angle = 0.7
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    found = circle(waves(31, 7) @ turn + 3.0)
    assert (found.frequency, round(found.r_squared, 9)) == (7, 1.0)
    assert found.radius_spread == pytest.approx(0, abs=1e-9)
    ellipse = circle(waves(31, 7) * [2, 1])
    assert ellipse.r_squared == pytest.approx(1) and ellipse.radius_spread > 0.2
    noise = circle(np.random.default_rng(0).normal(size=(31, 16)))
    assert noise.r_squared < 0.5


def test_random_embeddings_stand_beside() -> None:
    ordered, random = beside_random(lambda e: top_frequency_power(e, 4), waves(31, 1, 4), rng=0)
    assert ordered == pytest.approx(1) and 0.25 < random < 0.8
    again = beside_random(lambda e: top_frequency_power(e, 4), waves(31, 1, 4), rng=0)
    assert again == (ordered, random)


def test_restricted_and_excluded_logits_part_what_adds() -> None:
    p, k = 13, 4
    a, b, c = np.indices((p, p, p))
    adds = 5 * np.cos(2 * np.pi * k * (a + b - c) / p)
    other = np.random.default_rng(0).normal(size=(p, p, p))
    # Nothing of the rest lies along the sums.
    other -= along_sums(other, [k])
    np.testing.assert_allclose(along_sums(adds + other, [k]), adds, atol=1e-10)
    np.testing.assert_allclose(excluded_logits(adds + other, [k]), other, atol=1e-10)
    mean = other.mean(axis=(0, 1))
    np.testing.assert_allclose(restricted_logits(adds + other, [k]), adds + mean, atol=1e-10)
    np.testing.assert_allclose(along_sums(adds, [1, 2]), 0, atol=1e-10)


def test_the_loss_and_its_collapse_are_torchs() -> None:
    torch = pytest.importorskip("torch", reason="needs the extra [validation]")
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(40, 7)) * np.geomspace(1, 300, 40)[:, None]
    labels = logits.argmax(axis=1)
    labels[::3] = 0
    given = torch.tensor(logits), torch.tensor(labels)
    expected = torch.nn.functional.cross_entropy(*given)
    assert mean_cross_entropy(logits, labels) == pytest.approx(float(expected), rel=1e-12)
    probability = torch.tensor(logits, dtype=torch.float32).softmax(dim=1)
    own = probability[torch.arange(40), given[1]]
    assert collapsed_share(logits, labels) == float((own == 1).double().mean()) > 0


def test_the_weight_norm_is_that_of_all_weights_together() -> None:
    assert weight_norm([np.full((2, 2), 2.0), np.array([3.0])]) == 5.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: frequency_shares(np.ones((5, 2))), "embeddings must differ"),
        (lambda: effective_dimension(np.full((7, 3), 0.1)), "embeddings must differ"),
        (lambda: frequency_shares(np.ones(5)), "embeddings must have shape"),
        (lambda: effective_dimension(np.full((5, 2), np.nan)), "embeddings holds NaN"),
        (lambda: effective_dimension(np.ones((2, 2))), "at least three symbols"),
        (lambda: circle(np.arange(5.0)[:, None]), "at least two columns"),
        (lambda: along_sums(np.ones((3, 4, 5)), [1]), "logits must be those of all pairs"),
        (lambda: along_sums(np.ones((5, 5, 5)), [3]), "frequencies must be"),
    ],
)
def test_what_cannot_be_measured_is_named(call, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=message):
        call()


def test_the_measures_of_a_network_that_adds_by_trigonometry() -> None:
    torch = pytest.importorskip("torch", reason="needs the extra [validation]")
    from effective_theory import Dataset, ModularOperation
    from validation.measures.of_networks import (
        EMBEDDING_MEASURES,
        network_measures,
        random_embedding_measures,
    )
    from validation.networks.pair_network import PairNetwork

    p, ks = 13, (1, 3, 4, 6)

    class Adds(PairNetwork):
        """Logits are sums of cos 2 pi k (a + b - c) / p."""

        def __init__(self) -> None:
            super().__init__(p, p)
            self.table = torch.nn.Parameter(torch.tensor(waves(p, *ks)))

        @property
        def embeddings(self) -> "torch.Tensor":
            return self.table

        def forward(self, pairs: "torch.Tensor") -> "torch.Tensor":
            off = pairs.sum(dim=1, keepdim=True) - torch.arange(p)
            return sum(3 * torch.cos(2 * torch.pi * k * off.double() / p) for k in ks)

    dataset = Dataset.split(ModularOperation("x+y", p), rng=0, train_fraction=0.5)
    found = {name: measure(Adds()) for name, measure in network_measures(dataset).items()}
    logits = Adds()(torch.tensor(dataset.operation.pairs.copy())).numpy()
    test = mean_cross_entropy(logits[dataset.test], dataset.task.labels[dataset.test])
    assert found["restricted_loss"] == pytest.approx(test, abs=1e-9) and test < 1e-3
    assert found["excluded_loss"] == pytest.approx(np.log(p))
    assert found["top_4_power"] == pytest.approx(1)
    assert found["effective_dimension"] == pytest.approx(8)
    assert found["weight_norm"] == pytest.approx(np.linalg.norm(waves(p, *ks)))
    random = random_embedding_measures(p, 8, rng=0)
    assert set(random) == set(EMBEDDING_MEASURES) <= set(found)
    assert 0.6 < random["top_4_power"] < 0.95 and 4 < random["effective_dimension"] < 7.5
    # Where not all pairs are samples there is no transform of the logits.
    some = Dataset.split(ModularOperation("x/y", p), rng=0, train_fraction=0.5)
    assert "restricted_loss" not in network_measures(some)


def test_embeddings_that_decay_has_made_all_the_same_end_no_training() -> None:
    torch = pytest.importorskip("torch", reason="needs the extra [validation]")
    from effective_theory import Dataset, ModularOperation
    from validation.measures.of_networks import EMBEDDING_MEASURES, network_measures
    from validation.networks.concat_network import ConcatNetwork
    from validation.training.loop import begun

    dataset = Dataset.split(ModularOperation("x+y", 11), rng=0, train_fraction=0.5)
    network = begun(lambda: ConcatNetwork(11, 11, dimension=4, width=8), 0)
    with torch.no_grad():
        network.embeddings.zero_()
    found = {name: measure(network) for name, measure in network_measures(dataset).items()}
    undefined = {name for name, value in found.items() if np.isnan(value)}
    assert undefined == {*EMBEDDING_MEASURES, "restricted_loss", "excluded_loss"}


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_order_does_not_depend_on_the_size(size: float) -> None:
    embeddings = np.random.default_rng(0).normal(size=(11, 4))
    assert effective_dimension(embeddings * size) == pytest.approx(effective_dimension(embeddings))
    shares = frequency_shares(embeddings)
    np.testing.assert_allclose(frequency_shares(embeddings * size), shares)
