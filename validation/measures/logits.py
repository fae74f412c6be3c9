"""What logits over all pairs say of the way in which a network adds modulo p."""

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from effective_theory.checks import InputError, finite_array, integer

Array = NDArray[np.floating[Any]]


def along_sums(logits: Array, frequencies: Collection[int]) -> NDArray[np.float64]:
    """Return the part of logits along cos and sin of 2 pi k (a + b) / p, for some k.

    A network that adds by trigonometry has its logits there (Nanda et al. 2023, section 4.4).

    Parameters
    ----------
    logits
        Of all pairs, shape (p, p, classes).
    frequencies
        The k, from 1 to (p - 1) / 2.

    Returns
    -------
    numpy.ndarray
        Shape (p, p, classes).

    Raises
    ------
    InputError
        If logits have another shape, or a frequency is none.
    """
    values: NDArray[np.float64] = finite_array("logits", logits, (None, None, None), np.float64)
    p = len(values)
    if values.shape[1] != p:
        raise InputError(f"logits must be those of all pairs, (p, p, classes), not {values.shape}.")
    sums = np.add.outer(np.arange(p), np.arange(p))
    part = np.zeros_like(values)
    for k in sorted({integer("frequencies", k, 1, (p - 1) // 2) for k in frequencies}):
        for wave in (np.cos(2 * np.pi * k * sums / p), np.sin(2 * np.pi * k * sums / p)):
            part += wave[:, :, None] * (2 / p**2) * np.einsum("ab,abc->c", wave, values)
    return part


def restricted_logits(logits: Array, frequencies: Collection[int]) -> NDArray[np.float64]:
    """Return logits of which only the mean and the part along some sums is left.

    Their loss over the test samples, the *restricted loss*, falls while the network still
    memorises: the way of adding is there before it shows (Nanda et al. 2023, section 5.1).
    Parameters, shape and errors are those of `along_sums`.
    """
    values = np.asarray(logits, np.float64)
    return np.asarray(along_sums(values, frequencies) + values.mean(axis=(0, 1)))


def excluded_logits(logits: Array, frequencies: Collection[int]) -> NDArray[np.float64]:
    """Return logits without the part along some sums.

    Their loss over the training samples, the *excluded loss*, rises as the network comes to rely
    on that way of adding, though the training loss stays small (Nanda et al. 2023, section 5.1).
    Parameters, shape and errors are those of `along_sums`.
    """
    return np.asarray(logits, np.float64) - along_sums(logits, frequencies)


def mean_cross_entropy(logits: Array, labels: NDArray[np.integer[Any]]) -> float:
    """Return the mean of -log softmax(logits)[label], in nats.

    Parameters
    ----------
    logits
        Shape (n, classes).
    labels
        Shape (n,).
    """
    values = np.asarray(logits, np.float64)
    shifted = values - values.max(axis=1, keepdims=True)
    own = np.take_along_axis(shifted, np.asarray(labels)[:, None], axis=1)[:, 0]
    return float((np.log(np.exp(shifted).sum(axis=1)) - own).mean())


def collapsed_share(logits: Array, labels: NDArray[np.integer[Any]]) -> float:
    """Return the share of samples whose softmax in float32 gives the label exactly 1.

    Their loss is 0 and so is its gradient: a network without weight decay stops learning, without a
    word (Prieto et al. 2025).

    Parameters
    ----------
    logits
        Shape (n, classes).
    labels
        Shape (n,).
    """
    values = np.asarray(logits, np.float32)
    raised = np.exp(values - values.max(axis=1, keepdims=True))
    own = np.take_along_axis(raised, np.asarray(labels)[:, None], axis=1)[:, 0]
    return float((own / raised.sum(axis=1, dtype=np.float32) == 1).mean())


def weight_norm(weights: Collection[Array]) -> float:
    """Return the Euclidean norm of all weights together."""
    squares = [float((np.asarray(each, np.float64) ** 2).sum()) for each in weights]
    return float(np.sqrt(np.sum(squares)))
