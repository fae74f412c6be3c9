"""The kernel's drift along a training, as measures of its curve, and the lazy-to-rich moment."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from effective_theory import Dataset, InputError
from effective_theory.checks import of_type
from validation.kernel_regime.quadratic_state import QuadraticState
from validation.kernel_regime.tangent_kernel import KernelDrift, kernel_drift
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

    Returns
    -------
    dict
        Functions of a network: "kernel_drift" and "kernel_turned", the numbers of `KernelDrift`.

    Raises
    ------
    InputError
        If ``start`` is no QuadraticNetwork.

    Examples
    --------
    ``train_network(network, .., measures=drift_measures(network, dataset))``
    """
    begun = of_type("start", start, QuadraticNetwork, "a QuadraticNetwork")
    first, pairs = QuadraticState.of(begun), np.asarray(dataset.operation.pairs)[dataset.train]

    def drift(network: QuadraticNetwork) -> KernelDrift:
        try:
            return kernel_drift(first, QuadraticState.of(network), pairs)
        except InputError:
            # Below what can be told from 0.
            return KernelDrift(0.0, 0.0)

    return as_measures(drift)


def as_measures(drift: Callable[[Any], KernelDrift]) -> dict[str, NetworkMeasure]:
    """Return both numbers of a drift as measures by name, which compute it once between them."""
    latest: list[tuple[list[torch.Tensor], KernelDrift]] = []

    def known(network: nn.Module) -> KernelDrift:
        weights = [each.detach().clone() for each in network.parameters()]
        if not latest or not all(map(torch.equal, latest[0][0], weights)):
            latest[:] = [(weights, drift(network))]
        return latest[0][1]

    return {
        "kernel_drift": lambda network: known(network).relative,
        "kernel_turned": lambda network: known(network).turned,
    }


def leaves_kernel_regime(curve: dict[str, NDArray[np.float64]], threshold: float) -> int | None:
    """Return the first update at which the kernel has turned by a threshold, 1 - cos(K, K_0).

    That is the lazy-to-rich moment, to be compared with the updates at which train and test
    accuracy reach their thresholds; None for never.

    Parameters
    ----------
    curve
        Curve of a training with `drift_measures`.
    threshold
        Value of 1 - cos(K, K_0), which is to be stated with the result: the paper has none.
    """
    return first_reached(curve["update"], curve["kernel_turned"], threshold)
