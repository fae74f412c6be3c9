"""The measures of a network, by name, as a training notes them in its curve."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from effective_theory import Dataset, InputError
from effective_theory.checks import RandomSource, random_generator
from validation.measures.embeddings import (
    circle,
    differ,
    effective_dimension,
    frequency_shares,
    top_frequency_power,
)
from validation.measures.logits import (
    collapsed_share,
    excluded_logits,
    mean_cross_entropy,
    restricted_logits,
    weight_norm,
)
from validation.networks.pair_network import PairNetwork

#: Of embeddings, by name.
EMBEDDING_MEASURES: dict[str, Callable[[NDArray[Any]], float]] = {
    "top_1_power": lambda e: top_frequency_power(e, 1),
    "top_2_power": lambda e: top_frequency_power(e, 2),
    "top_4_power": lambda e: top_frequency_power(e, 4),
    "effective_dimension": effective_dimension,
    "circle_r_squared": lambda e: circle(e).r_squared,
    "circle_radius_spread": lambda e: circle(e).radius_spread,
}
#: Frequencies that are taken for those with which a network adds.
_KEY_FREQUENCIES = 4


def network_measures(dataset: Dataset) -> dict[str, Callable[[PairNetwork], float]]:
    """Return the measures of networks on a dataset, by name.

    Of the embeddings "top_1_power", "top_2_power" and "top_4_power", the shares of the strongest
    frequencies, "effective_dimension", "circle_r_squared" and "circle_radius_spread"; of all
    weights "weight_norm"; of the training samples "collapsed_share"; and, where the samples are all
    ordered pairs of more than eight symbols, "restricted_loss" over the test and "excluded_loss"
    over the training samples, for the strongest four frequencies of the embeddings (Nanda et al.
    2023, section 5.1). What is measured of embeddings is NaN where all are the same, as strong
    weight decay leaves them.

    Parameters
    ----------
    dataset
        The operation with its training set.

    Raises
    ------
    InputError
        If the task is no operation on symbols; by the measures of embeddings, if these are not
        finite.

    Examples
    --------
    ``train_network(.., measures=network_measures(dataset))``
    """
    task, train, test = dataset.operation, dataset.train, dataset.test
    pairs, labels = torch.tensor(task.pairs), task.labels

    def of_embeddings(
        measure: Callable[[NDArray[Any]], float],
    ) -> Callable[[PairNetwork], float]:
        def measured(network: PairNetwork) -> float:
            embeddings = embeddings_of(network)
            return measure(embeddings) if differ(embeddings) else math.nan

        return measured

    def logits(network: PairNetwork) -> NDArray[np.float64]:
        device = next(network.parameters()).device
        with torch.no_grad():
            return np.asarray(network.folded(pairs.to(device)).double().cpu().numpy())

    found: dict[str, Callable[[PairNetwork], float]] = {
        **{name: of_embeddings(measure) for name, measure in EMBEDDING_MEASURES.items()},
        "weight_norm": lambda network: weight_norm([_array(w) for w in network.parameters()]),
        "collapsed_share": lambda n: collapsed_share(logits(n)[train], labels[train]),
    }
    if task.size == task.symbols**2 and task.symbols > 2 * _KEY_FREQUENCIES:
        square = (task.symbols, task.symbols, task.classes)

        def part(
            network: PairNetwork, kept: Callable[..., NDArray[np.float64]], samples: NDArray[Any]
        ) -> float:
            embeddings = embeddings_of(network)
            if not differ(embeddings):
                return math.nan
            shares = frequency_shares(embeddings)[: (task.symbols - 1) // 2]
            keys = np.argsort(shares)[-_KEY_FREQUENCIES:] + 1
            chosen = kept(logits(network).reshape(square), keys.tolist())
            return mean_cross_entropy(chosen.reshape(task.size, -1)[samples], labels[samples])

        found["restricted_loss"] = lambda network: part(network, restricted_logits, test)
        found["excluded_loss"] = lambda network: part(network, excluded_logits, train)
    return found


def random_embedding_measures(
    symbols: int, dimension: int, *, rng: RandomSource, draws: int = 20
) -> dict[str, float]:
    """Return the `EMBEDDING_MEASURES` of normal embeddings of a shape, means over draws.

    What a network's embeddings have says something where it is far from these.

    Parameters
    ----------
    symbols, dimension
        The shape.
    rng
        Draws them.
    draws
        How many.
    """
    generator = random_generator(rng)
    drawn = [generator.normal(size=(symbols, dimension)) for _ in range(draws)]
    return {
        name: float(np.mean([measure(each) for each in drawn]))
        for name, measure in EMBEDDING_MEASURES.items()
    }


def embeddings_of(network: PairNetwork) -> NDArray[np.float64]:
    """Return what stands for each symbol first, shape (symbols, d).

    Raises
    ------
    InputError
        If they are not finite, as after a divergence.
    """
    values = _array(network.embeddings)
    if not np.isfinite(values).all():
        raise InputError("the network's embeddings are not finite: it has diverged.")
    return values


def _array(weights: torch.Tensor) -> NDArray[np.float64]:
    return np.asarray(weights.detach().double().cpu().numpy())
