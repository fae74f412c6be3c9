"""The race of representation and decoder in a reduced system, integrated under Adam.

Each label has its mean fitted, and the decoder is linear with a slope a of its own start. What is
left of the squared loss is |a|^2 c^2: the spread c of the inputs within a label, which embeddings
can close, and the slope, which the decoder can flatten (`effective_theory.race`).
"""

import math

import numpy as np
from numpy.typing import NDArray

from effective_theory.checks import InputError, non_negative, of_type
from effective_theory.dataset import Dataset
from effective_theory.race import decoder_slope, race_ratio
from effective_theory.toy_model import InitialState

#: Ratios of the learning rates that are tried: forty for each decade.
_RATIOS = np.geomspace(1e-2, 1e4, 241)
_DECAY, _SECOND_DECAY, _EPSILON = 0.9, 0.999, 1e-8
#: The race is over well before every slope could have fallen to 0 this often.
_LAPS = 4
#: Of fewer updates the ratio depends on the learning rate; more take minutes.
_LEAST_UPDATES, _USUAL_UPDATES, _MOST_UPDATES = 100, 10_000, 1_000_000


def reduced_race_ratio(
    state: InitialState, dataset: Dataset, *, decoder_lr: float | None = None
) -> float:
    """Return the ratio embedding_lr / decoder_lr above which the representation closes first.

    Embeddings E and slope a move under Adam with the loss

        |a|^2 / n sum over training pairs (i, j) of (E_i + E_j - mean of that over the label)^2

    from what they are at the start. The representation has won where it has shrunk by more than the
    decoder: c / c_0 < |a| / |a_0|. Where each symbol is in one sample and there is one output the
    ratio is that of `race_ratio`, c_0 / (2 |a_0|).

    Parameters
    ----------
    state
        Where training starts, with embeddings of one dimension.
    dataset
        The task and its training set.
    decoder_lr
        Learning rate of the decoder; None for one with which the race takes 10 000 updates. The
        smaller it is, the more updates the race takes; the ratio depends little on it, unless the
        gradient comes near Adam's epsilon, as with small decoders.

    Returns
    -------
    float
        The ratio of the two learning rates, without unit: the first of forty for each decade with
        which the representation wins, so that it is too large by 6 % at most. It is 1e-2 where
        the representation wins with that already, infinite where it does not with 1e4, and 0 where
        there is no spread to close.

    Raises
    ------
    InputError
        If the embeddings have several dimensions, the decoder is flat, ``decoder_lr`` makes the
        race too coarse or too long, or another argument is wrong.
    """
    of_type("state", state, InitialState, "an InitialState")
    if decoder_lr is not None and not non_negative("decoder_lr", decoder_lr) > 0:
        raise InputError("decoder_lr must be above 0; nothing moves without it.")
    # What has no race is named there.
    if race_ratio(state, dataset) == 0:
        return 0.0
    embeddings = state.embeddings[:, 0].astype(np.float64)
    slope = decoder_slope(state, dataset)[:, 0]
    way = _LAPS * float(np.abs(slope).max())
    if decoder_lr is None:
        decoder_lr = way / _USUAL_UPDATES
    least, most = (way / updates for updates in (_MOST_UPDATES, _LEAST_UPDATES))
    if not least <= decoder_lr <= most:
        raise InputError(
            f"decoder_lr must be from {least:.2g} to {most:.2g} for this start, not {decoder_lr:g}."
        )
    updates = math.ceil(way / decoder_lr)
    ended = _integrate(_squared_spread(dataset), embeddings, slope, decoder_lr, updates)
    closes = np.flatnonzero(ended)
    return float(_RATIOS[closes[0]]) if closes.size else math.inf


def _squared_spread(dataset: Dataset) -> NDArray[np.float64]:
    """Return the matrix M with c^2 = E' M E over the training pairs, shape (p, p)."""
    task = dataset.operation
    pairs, labels = task.pairs[dataset.train], task.labels[dataset.train]
    sums = np.zeros((len(pairs), task.symbols))
    np.add.at(sums, (np.arange(len(pairs))[:, None], pairs), 1.0)
    same = (labels[:, None] == labels).astype(float)
    apart = sums - same / same.sum(axis=1, keepdims=True) @ sums
    return np.asarray(apart.T @ apart / len(pairs))


def _integrate(
    spread: NDArray[np.float64],
    embeddings: NDArray[np.float64],
    slope: NDArray[np.float64],
    decoder_lr: float,
    updates: int,
) -> NDArray[np.bool_]:
    """Return for each of the ratios whether the representation has won after some updates."""
    many = len(_RATIOS)
    values = np.tile(np.concatenate([embeddings, slope]), (many, 1))
    e, a = values[:, : len(embeddings)], values[:, len(embeddings) :]
    rates = np.full_like(values, decoder_lr)
    rates[:, : len(embeddings)] *= _RATIOS[:, None]
    first, second, gradient = np.zeros_like(values), np.zeros_like(values), np.empty_like(values)

    def squares() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        pull = e @ spread
        return pull, (e * pull).sum(axis=1, keepdims=True), (a * a).sum(axis=1, keepdims=True)

    _, spread_at_start, slope_at_start = squares()
    for update in range(1, updates + 1):
        pull, closed, flat = squares()
        gradient[:, : len(embeddings)], gradient[:, len(embeddings) :] = flat * pull, closed * a
        first += (1 - _DECAY) * (gradient - first)
        second += (1 - _SECOND_DECAY) * (gradient**2 - second)
        root = np.sqrt(second / (1 - _SECOND_DECAY**update)) + _EPSILON
        values -= rates / (1 - _DECAY**update) * first / root
    _, closed, flat = squares()
    return np.asarray(closed / spread_at_start < flat / slope_at_start)[:, 0]
