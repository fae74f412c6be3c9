"""Trainings against what is published of networks on modular arithmetic, at small sizes.

The bounds were stated before any of these was run. Test accuracies are strict: mirrors of training
samples do not count.
"""

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra [validation]")

from effective_theory import Dataset, ModularOperation  # noqa: E402
from validation.measures.embeddings import effective_dimension, top_frequency_power  # noqa: E402
from validation.networks.concat_network import ConcatNetwork  # noqa: E402
from validation.networks.lstm import LSTM  # noqa: E402
from validation.networks.mlp import MLP  # noqa: E402
from validation.networks.one_layer_transformer import OneLayerTransformer  # noqa: E402
from validation.networks.pair_network import PairNetwork  # noqa: E402
from validation.training.curve import first_reached  # noqa: E402
from validation.training.loop import NetworkRun, begun, train_network  # noqa: E402
from validation.training.optimisation import Optimisation  # noqa: E402
from validation.training.plan import Plan  # noqa: E402

pytestmark = pytest.mark.networks
P = 31


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    """Matrices of some hundred rows: two tests at a time are faster than two threads."""
    torch.set_num_threads(1)


def half_of_sums(p: int, share: float, seed: int) -> Dataset:
    task = ModularOperation("x+y", p)
    return Dataset.split(task, round(share * task.size), rng=seed)


def strict_at(run: NetworkRun, level: float) -> int | None:
    return first_reached(run.curve["update"], run.curve["strict_test_accuracy"], level)


@pytest.mark.parametrize("seed", range(5))
def test_the_one_layer_transformer_groks_and_its_embeddings_come_to_order(seed: int) -> None:
    def embeddings(network: PairNetwork) -> Any:
        return network.embeddings.detach().numpy()

    measures = {
        "top_4": lambda network: top_frequency_power(embeddings(network), 4),
        "dimension": lambda network: effective_dimension(embeddings(network)),
    }
    network = begun(lambda: OneLayerTransformer(P, P, dimension=64, heads=4, hidden=256), seed)
    chosen = Optimisation("adamw", 3e-3, 1.0, warm_up=10)
    plan = Plan(8000, stop_at=0.99, stop_after=1000)
    run = train_network(
        network, half_of_sums(P, 0.5, seed), chosen, plan, seed=seed, measures=measures
    )
    train, test = run.crossings.train_step, run.crossings.test_step
    assert train is not None and train <= 150
    assert test is not None and test >= 5 * train
    early = int(np.flatnonzero(run.curve["update"] == 150)[0])
    assert run.curve["top_4"][early] <= 0.6 and run.curve["dimension"][early] >= 18
    assert run.curve["top_4"][-1] >= 0.75 and run.curve["dimension"][-1] <= 12
    # While it memorises, what it has right in the test set is mirrors.
    assert run.curve["plain_test_accuracy"][early] > 0.4
    assert run.curve["strict_test_accuracy"][early] < 0.1


def test_an_mlp_on_concatenated_inputs_memorises() -> None:
    network = begun(lambda: MLP(P, P), 0)
    chosen = Optimisation("adam", 1e-3, betas=(0.9, 0.999))
    plan = Plan(1000, train_threshold=0.99)
    run = train_network(network, half_of_sums(P, 0.5, 0), chosen, plan, seed=0)
    assert run.crossings.train_step is not None and run.crossings.train_step <= 150
    assert run.curve["strict_test_accuracy"].max() < 0.1
    assert run.curve["plain_test_accuracy"].max() < 0.1


def test_an_lstm_without_weight_decay_memorises() -> None:
    network = begun(lambda: LSTM(P, P), 0)
    chosen = Optimisation("adam", 1e-2, betas=(0.9, 0.999))
    run = train_network(network, half_of_sums(P, 0.5, 0), chosen, Plan(3000), seed=0)
    assert run.crossings.train_step is not None and run.crossings.train_step <= 300
    assert run.curve["strict_test_accuracy"][-1] < 0.1
    assert run.curve["plain_test_accuracy"][-1] < 0.1


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_weight_decay_makes_the_simple_network_generalise_ten_times_sooner(seed: int) -> None:
    def steps(weight_decay: float, budget: int) -> int | None:
        network = begun(lambda: ConcatNetwork(53, 53), seed)
        chosen = Optimisation("adamw", 3e-2, weight_decay, betas=(0.9, 0.999))
        plan = Plan(budget, stop_at=0.95)
        run = train_network(network, half_of_sums(53, 0.6, seed), chosen, plan, seed=seed)
        return strict_at(run, 0.95)

    strong = steps(5.0, 1000)
    assert strong is not None
    weak = steps(0.03, 10_000)
    assert weak is None or weak >= 10 * strong


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # within torch.compile
def test_compiled_updates_are_the_same_training() -> None:
    def curve(compiled: bool) -> Any:
        network = begun(lambda: OneLayerTransformer(P, P, dimension=32, hidden=64), 0)
        chosen = Optimisation("adamw", 1e-3, 1.0, warm_up=10)
        plan = Plan(30, compiled=compiled)
        data = half_of_sums(P, 0.5, 0)
        return train_network(network.double(), data, chosen, plan, seed=0).curve

    eager, compiled = curve(False), curve(True)
    for name in ("train_loss", "test_loss"):
        np.testing.assert_allclose(compiled[name], eager[name], rtol=1e-9)
