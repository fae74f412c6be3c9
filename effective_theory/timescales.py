"""How long the embeddings take to reach the line, from the training set alone."""

import math

import numpy as np

from effective_theory.checks import InputError, non_negative
from effective_theory.dataset import Dataset, operation_of
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
    """Return the grokking rate, at which the slowest departure from the line decays.

    It is lambda_3, the third smallest eigenvalue of H = 2 c A^T A / Z0 in the linearised flow
    dE/dt = -H E (Liu et al. 2022, section 3). Its unit is 1 / time, where one training step
    advances time by the embeddings' learning rate.

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
        lambda_3. Zero where the line is not the only solution (n0 > 2). NaN, that is undefined, for
        p = 2: two embeddings are always on a line.

    Raises
    ------
    InputError
        If the task has no line, ``parallelograms`` is neither "train" nor "all", or ``norm`` is not
        a positive number.
    """
    task = operation_of(dataset)
    task.require_line("grokking_rate")
    samples = choose_parallelograms(dataset, parallelograms)
    symbols = task.symbols
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
    """Return the grokking time t_h = 1 / lambda_3 (Liu et al. 2022, section 3).

    In it the slowest departure from the line falls to 1/e.

    Parameters
    ----------
    dataset, parallelograms, average, norm
        As for `grokking_rate`.

    Returns
    -------
    float
        Time, that is training steps times the embeddings' learning rate. Infinite where the line is
        not the only solution, NaN for p = 2.

    Raises
    ------
    InputError
        As for `grokking_rate`.
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
    """Return the grokking time in training steps, n_h = t_h / embedding_lr.

    A trajectory needs about 3 n_h to reach the line.

    Parameters
    ----------
    embedding_lr
        Learning rate of the embeddings, zero or positive.
    dataset, parallelograms, average, norm
        As for `grokking_rate`.

    Returns
    -------
    float
        Training steps, not rounded. Infinite where the line is not the only solution or nothing is
        learned (embedding_lr = 0), NaN for p = 2.

    Raises
    ------
    InputError
        If ``embedding_lr`` is negative or not finite, or as for `grokking_rate`.
    """
    rate = non_negative("embedding_lr", embedding_lr)
    time = grokking_time(dataset, parallelograms=parallelograms, average=average, norm=norm)
    if rate == 0.0:
        return math.nan if math.isnan(time) else math.inf
    return time / rate
