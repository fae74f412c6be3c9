"""Laws, norms and margins, and the regression head."""

import math
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra [validation]")

from effective_theory import Dataset, InputError, ModularOperation  # noqa: E402
from validation.kernel_regime.construction import fourier_solution  # noqa: E402
from validation.kernel_regime.laws import (  # noqa: E402
    kernel_width,
    least_norm,
    normalised_margin,
    sample_laws,
)
from validation.kernel_regime.measures import drift_measures, leaves_kernel_regime  # noqa: E402
from validation.kernel_regime.quadratic_state import QuadraticState  # noqa: E402
from validation.kernel_regime.regression import Triples, train_on_triples  # noqa: E402
from validation.kernel_regime.tangent_kernel import (  # noqa: E402
    kernel_drift,
)
from validation.networks.mlp import MLP  # noqa: E402
from validation.networks.quadratic_network import QuadraticNetwork  # noqa: E402
from validation.training.loop import begun  # noqa: E402


def test_the_laws_are_those_of_the_papers() -> None:
    found = {name: law.samples(8.0) for name, law in sample_laws().items()}
    assert found == pytest.approx(
        {
            "regression, kernel": 512,
            "regression, rich": 64,
            "classification, kernel": 64,
            "classification, rich": 32,
            "classification, groups": 8 * math.log(8),
        }
    )
    assert all(law.says and law.assumes and law.source for law in sample_laws().values())
    assert kernel_width(100, 2.0, 0.1) == pytest.approx(72 * math.log(1000))
    with pytest.raises(InputError, match="delta must be above 0"):
        kernel_width(100, 2.0, 0.0)


@pytest.mark.parametrize("copies", [1, 8])
def test_copies_of_the_construction_have_the_least_norm(copies: int) -> None:
    """h / 8 p copies, each weight smaller by the cube root: the same logits."""
    p, solution = 5, fourier_solution(5)
    scale = copies ** (-1 / 3)
    state = QuadraticState(
        np.concatenate(copies * [scale * solution.first]),
        np.concatenate(copies * [scale * solution.second], axis=1),
    )
    task = ModularOperation("x+y", p)
    pairs = np.asarray(task.pairs)
    np.testing.assert_allclose(state.logits(pairs), 4 * p * np.eye(p)[task.labels], atol=1e-10)
    largest = max(np.abs(state.first).max(), np.abs(state.second).max())
    assert largest == pytest.approx(least_norm(p, 8 * p * copies))
    assert normalised_margin(state, pairs, task.labels) == pytest.approx(4 * p * copies)
    assert least_norm(p, 8 * p - 1) is None


def test_the_normalised_margin_does_not_know_the_length_of_the_weights() -> None:
    network = begun(lambda: QuadraticNetwork(5, 5, width=9), 0)
    assert isinstance(network, QuadraticNetwork)
    state, task = QuadraticState.of(network), ModularOperation("x+y", 5)
    longer = QuadraticState(3 * state.first, 3 * state.second)
    pairs = np.asarray(task.pairs)
    margin = normalised_margin(state, pairs, task.labels)
    assert margin < 0 and normalised_margin(longer, pairs, task.labels) == pytest.approx(margin)


def test_measures_follow_the_network_and_the_lazy_to_rich_moment_is_an_update() -> None:
    network = begun(lambda: QuadraticNetwork(5, 5, width=9), 0)
    assert isinstance(network, QuadraticNetwork)
    dataset = Dataset.split(ModularOperation("x+y", 5), rng=0, train_fraction=0.6)
    measures, first = drift_measures(network, dataset), QuadraticState.of(network)
    assert [measure(network) for measure in measures.values()] == [0, 0]
    with torch.no_grad():
        network.first.weight[0] += 1.0
    drift = kernel_drift(
        first, QuadraticState.of(network), np.asarray(dataset.operation.pairs)[dataset.train]
    )
    assert measures["kernel_drift"](network) == drift.relative
    assert measures["kernel_turned"](network) == drift.turned > 0
    # What is too little to be told from nothing is nothing.
    with torch.no_grad():
        network.first.weight[0] -= 1.0 - 1e-6
    assert measures["kernel_drift"](network) < 1e-5
    curve = {"update": np.array([0, 10, 20]), "kernel_turned": np.array([0, 0.01, 0.2])}
    assert leaves_kernel_regime(curve, 0.1) == 20 and leaves_kernel_regime(curve, 0.5) is None
    with pytest.raises(InputError, match="start must be a QuadraticNetwork"):
        drift_measures(MLP(5, 5), dataset)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"optimiser": "sgd"}, "optimiser must be one of"),
        ({"lr": -1.0}, "lr must be zero or positive"),
        ({"evaluate_every": 0}, "evaluate_every must be at least 1"),
    ],
)
def test_what_is_no_regression_is_named(change: dict[str, Any], message: str) -> None:
    triples, given = Triples.split(5, 0.5, seed=0), {"lr": 1e-3, "updates": 1, **change}
    with pytest.raises(InputError, match=message):
        train_on_triples(QuadraticNetwork(5, 5, width=4), triples, **given)
    with pytest.raises(InputError, match="share 0 leaves no triple for training"):
        Triples.split(5, 0.0, seed=0)
    with pytest.raises(InputError, match="network has 5 symbols and 7 classes, triples have 5"):
        train_on_triples(QuadraticNetwork(5, 7, width=4), triples, lr=1e-3, updates=1)
    with pytest.raises(InputError, match="network must be a QuadraticNetwork"):
        train_on_triples(MLP(5, 5), triples, lr=1e-3, updates=1)  # type: ignore[arg-type]


def test_the_last_losses_of_a_regression_are_those_at_its_end() -> None:
    network, triples = QuadraticNetwork(4, 4, width=6), Triples.split(4, 0.5, seed=1)
    run = train_on_triples(network, triples, lr=1e-2, updates=7, evaluate_every=3)
    assert run.updates.tolist() == [0, 3, 6, 7]


def test_triples_are_trained_on_as_a_plain_loop_does() -> None:
    p, triples = 4, Triples.split(4, 0.5, seed=1)
    assert triples.train.sum() == 32 and not (triples.strict & triples.train).any()
    index = [(a, b, c) for a in range(p) for b in range(p) for c in range(p)]
    flat = triples.train.ravel()
    for k, (a, b, c) in enumerate(index):
        mirrored = index.index((b, a, c))
        assert triples.strict.ravel()[k] == (not flat[k] and not flat[mirrored])
    for given in (
        {"lr": 1e-2, "weight_decay": 0.3},
        {"lr": 1e-2, "optimiser": "adam", "l_inf_penalty": 0.5},
        {"lr": 1e-2, "optimiser": "gd", "l_inf_penalty": 0.5},
    ):
        network, plain = (
            begun(lambda: QuadraticNetwork(4, 4, width=6), 0).double() for _ in range(2)
        )
        assert isinstance(network, QuadraticNetwork)
        run = train_on_triples(network, triples, updates=10, evaluate_every=5, **given)  # type: ignore[arg-type]
        kinds = {"adam": torch.optim.Adam, "gd": torch.optim.SGD}
        made = kinds.get(str(given.get("optimiser")), torch.optim.AdamW)(
            plain.parameters(), lr=1e-2, weight_decay=given.get("weight_decay", 0)
        )
        for _ in range(10):
            made.zero_grad()
            loss = torch.zeros((), dtype=torch.float64)
            for k, (a, b, c) in enumerate(index):
                if flat[k]:
                    target = p if (a + b) % p == c else 0
                    loss = loss + (plain(torch.tensor([[a, b]]))[0, c] - target) ** 2 / 32
            largest = max(plain.parameters(), key=lambda w: float(w.detach().abs().max()))
            (loss + given.get("l_inf_penalty", 0) * largest.abs().max()).backward()
            made.step()
        for found, expected in zip(network.parameters(), plain.parameters(), strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)
        assert run.updates.tolist() == [0, 5, 10] and run.train[-1] < run.train[0]
