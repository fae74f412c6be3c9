"""A quadratic network is lazy while it memorises, and leaves that regime to generalise."""

import dataclasses

import pytest

torch = pytest.importorskip("torch", reason="needs the extra [validation]")

from validation.experiments.kernel_regime.mohamadi_escape import _LAZY, moments, split  # noqa: E402
from validation.kernel_regime.measures import drift_measures, leaves_kernel_regime  # noqa: E402
from validation.systems.settings import QuadraticSettings  # noqa: E402
from validation.training.loop import NetworkRun, train_network  # noqa: E402
from validation.training.threads import one_thread  # noqa: E402

pytestmark = pytest.mark.networks


def trained(settings: QuadraticSettings, seed: int) -> NetworkRun:
    dataset = split(23, seed)
    network = settings.network(dataset.operation, seed).double()
    with one_thread():
        return train_network(
            network, dataset, settings.optimisation, settings.plan, seed=seed,
            measures=drift_measures(network, dataset),
        )  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_the_kernel_stays_until_the_training_set_is_fit(seed: int) -> None:
    run = trained(dataclasses.replace(_LAZY, steps=4000), seed)
    found = moments(run)
    fit, end = found["at the fit"], found["at the end"]
    assert found["fit"] <= 400 and fit["plain_test_accuracy"] <= 0.05
    assert found["test_step"] <= 4000 and end["plain_test_accuracy"] >= 0.9
    assert fit["kernel_drift"] <= 0.15 and fit["kernel_drift"] <= end["kernel_drift"] / 10
    assert end["kernel_turned"] >= 5 * fit["kernel_turned"]
    left = leaves_kernel_regime(run.curve, 2 * fit["kernel_turned"])
    assert left is not None and found["fit"] < left < found["test_step"]


@pytest.mark.parametrize("control", ["naive gradient", "sign descent"])
def test_controls_do_not_generalise(control: str) -> None:
    """A gradient that underflows, and one that drifts: drift is necessary, not sufficient."""
    changes = {"exact_tail": False} if control == "naive gradient" else {"optimiser": "sign"}
    found = moments(trained(dataclasses.replace(_LAZY, steps=4000, **changes), 0))
    assert found["fit"] <= 400 and found["test_step"] is None
    if control == "sign descent":
        assert found["at the end"]["kernel_drift"] > 100
