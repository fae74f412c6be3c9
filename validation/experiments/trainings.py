"""Single trainings of experiments: one thread, and on from their checkpoints."""

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from effective_theory import Dataset
from validation.experiments.experiment import Run
from validation.experiments.outcomes import or_none
from validation.systems.settings import NetworkSettings

if TYPE_CHECKING:
    from validation.networks.pair_network import PairNetwork
    from validation.training.loop import NetworkMeasure, NetworkRun


def trained(
    run: Run,
    name: str,
    settings: NetworkSettings,
    dataset: Dataset,
    *,
    measures: "Callable[[PairNetwork], Mapping[str, NetworkMeasure]] | None" = None,
    dtype: str = "float32",
    seed: int = 0,
) -> "NetworkRun":
    """Train a network, or go on where its checkpoint left it.

    Parameters
    ----------
    run
        The experiment's run, beside whose store the checkpoint lies.
    name
        Of the training, in the checkpoint's file.
    settings, dataset
        What is trained on what.
    measures
        ``(network before its training) -> measures`` that the curve is to have, by name.
    dtype
        Type of all numbers.
    seed
        Of weights, batches and noise.

    Raises
    ------
    InputError
        If the checkpoint is one of another training, or cannot be written.
    """
    import torch

    from validation.training.loop import train_network
    from validation.training.threads import one_thread

    run.store.parent.mkdir(parents=True, exist_ok=True)
    network = settings.network(dataset.task, seed).to(run.device, getattr(torch, dtype))
    with one_thread():
        return train_network(
            network,
            dataset,
            settings.optimisation,
            settings.plan,
            seed=seed,
            measures=None if measures is None else measures(network),
            checkpoint=run.store.with_name(f"{name}.pt"),
        )


def usual_measures(
    dataset: Dataset, names: Collection[str]
) -> "Callable[[PairNetwork], Mapping[str, NetworkMeasure]]":
    """Return some of `network_measures` as `trained` takes them."""
    from validation.measures.of_networks import network_measures

    known = network_measures(dataset)
    return lambda network: {name: known[name] for name in names}


def thinned(run: "NetworkRun", points: int = 100) -> dict[str, Any]:
    """Return some evaluations of a curve as plain values, None for what is not finite."""
    places = np.unique(np.linspace(0, len(run.curve["update"]) - 1, points).astype(int))
    return {
        name: [or_none(round(float(v), 6)) for v in values[places]]
        for name, values in run.curve.items()
    }
