"""The kernel's drift along a training, as measures of its curve, and the lazy-to-rich moment."""

import numpy as np
from numpy.typing import NDArray

from effective_theory import Dataset, InputError
from effective_theory.checks import of_type
from validation.kernel_regime.tangent_kernel import KernelDrift, QuadraticState, kernel_drift
from validation.networks.pair_network import PairNetwork
from validation.networks.quadratic_network import QuadraticNetwork
from validation.training.curve import first_reached
from validation.training.loop import NetworkMeasure


def drift_measures(start: PairNetwork, dataset: Dataset) -> dict[str, NetworkMeasure]:
    """Return the two drifts of a network's kernel on the training pairs, as measures by name.

    Parameters
    ----------
    start
        The quadratic network before its training, whose weights are copied.
    dataset
        What it is trained on.

    Examples
    --------
    ``train_network(network, .., measures=drift_measures(network, dataset))``
    """
    begun = of_type("start", start, QuadraticNetwork, "a QuadraticNetwork")
    first, pairs = QuadraticState.of(begun), np.asarray(dataset.operation.pairs)[dataset.train]
    # Both are numbers of one computation, for the same weights twice in a row.
    latest: list[tuple[QuadraticState, KernelDrift]] = []

    def drift(network: PairNetwork) -> KernelDrift:
        assert isinstance(network, QuadraticNetwork)
        state = QuadraticState.of(network)
        if latest and _same(latest[0][0], state):
            return latest[0][1]
        try:
            found = kernel_drift(first, state, pairs)
        except InputError:
            # Below what can be told from 0.
            found = KernelDrift(0.0, 0.0)
        latest[:] = [(state, found)]
        return found

    return {
        "kernel_drift": lambda network: drift(network).relative,
        "kernel_turned": lambda network: drift(network).turned,
    }


def _same(one: QuadraticState, other: QuadraticState) -> bool:
    return bool((one.first == other.first).all() and (one.second == other.second).all())


def leaves_kernel_regime(curve: dict[str, NDArray[np.float64]], threshold: float) -> int | None:
    """Return the update at which the kernel has turned by a threshold, 1 - cos(K, K_0).

    That is the lazy-to-rich moment, to stand beside the updates at which train and test accuracy
    are at their thresholds; None for never.

    Parameters
    ----------
    curve
        Of a training with `drift_measures`.
    threshold
        Of 1 - cos(K, K_0), which is to be stated with the result: the paper has none.
    """
    return first_reached(curve["update"], curve["kernel_turned"], threshold)
