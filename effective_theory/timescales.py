"""How long the embeddings take to reach the line, from the training set alone."""

import math

import numpy as np

from effective_theory.checks import InputError, non_negative
from effective_theory.dataset import Dataset
from effective_theory.parallelograms import (
    Parallelograms,
    choose_parallelograms,
    count_parallelograms,
    degrees_of_freedom,
    gram_matrix,
)


def grokking_rate(
    dataset: Dataset,
    *,
    parallelograms: Parallelograms = "train",
    average: bool = True,
    norm: float | None = None,
) -> float:
    """Return the rate at which the slowest departure from the line decays, per unit of time.

    It is lambda_3, the third smallest eigenvalue of H = 2 c A^T A / Z0 in the linearised flow
    dE/dt = -H E (Liu et al. 2022, section 3.3).

    Parameters
    ----------
    dataset
        The task and its training set.
    parallelograms, average
        The convention, as for `effective_loss`.
    norm
        Z0; by default p - 1, that of standardised embeddings in one dimension (d (p - 1) in d).

    Returns
    -------
    float
        Zero where the line is not the only solution (n0 > 2). NaN, that is undefined, for p = 2:
        two embeddings are always on a line.

    Raises
    ------
    InputError
        If the task has no line, or norm is not a positive number.
    """
    dataset.operation.require_line("grokking_rate")
    samples = choose_parallelograms(dataset, parallelograms)
    symbols = dataset.operation.symbols
    norm = float(symbols - 1) if norm is None else non_negative("norm", norm)
    if norm == 0.0:
        raise InputError("norm must be positive; leave it out for standardised embeddings.")
    if symbols == 2:
        return math.nan
    if degrees_of_freedom(samples) > 2:
        return 0.0
    eigenvalue = float(np.linalg.eigvalsh(gram_matrix(samples))[2])
    return 2.0 * eigenvalue / (count_parallelograms(samples) if average else 1) / norm


def grokking_time(
    dataset: Dataset,
    *,
    parallelograms: Parallelograms = "train",
    average: bool = True,
    norm: float | None = None,
) -> float:
    """Return t_h = 1 / lambda_3, in which the slowest departure from the line falls to 1/e.

    Infinite where the line is not the only solution, NaN for p = 2; see `grokking_rate`.
    """
    rate = grokking_rate(dataset, parallelograms=parallelograms, average=average, norm=norm)
    return math.inf if rate == 0.0 else 1.0 / rate


def grokking_steps(
    dataset: Dataset,
    embedding_lr: float,
    *,
    parallelograms: Parallelograms = "train",
    average: bool = True,
    norm: float | None = None,
) -> float:
    """Return n_h = t_h / embedding_lr, in training steps; a trajectory needs about 3 n_h.

    Infinite where the line is not the only solution or nothing is learned (embedding_lr = 0), NaN
    for p = 2; see `grokking_rate`.
    """
    rate = non_negative("embedding_lr", embedding_lr)
    time = grokking_time(dataset, parallelograms=parallelograms, average=average, norm=norm)
    if rate == 0.0:
        return math.nan if math.isnan(time) else math.inf
    return time / rate
