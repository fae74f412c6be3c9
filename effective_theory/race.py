"""The race of representation and decoder: which ratio of learning rates a start needs.

Two training samples with the same label have inputs m + c and m - c; a decoder that is linear
there, with slope a, fits their label either when the representation closes (c falls to 0) or when
the decoder goes flat (a falls to 0) and memorises. Under gradient flow eta_x |a|^2 - eta_a |c|^2 is
conserved, so that the ratio of the rates decides (the mechanism of the repons of Baek, Liu and
Tegmark 2024, arXiv 2402.05916); under Adam, whose steps have the size of the rate, both fall
linearly, and the representation closes first if eta_x / eta_a > c / (2 |a|): an input is the sum of
two embeddings, which both move.
"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from effective_theory.checks import InputError, finite_array, of_type
from effective_theory.dataset import Dataset, operation_of
from effective_theory.parallelograms import apart_from_label
from effective_theory.toy_model import InitialState

SlopeNorm = Literal["largest", "mean"]


def line_distance(embeddings: ArrayLike) -> float:
    """Return how far embeddings are from the nearest line, from 0 (on it) to 1.

    The root of the share of their variance that the best line E_k = a + k b leaves:
    sqrt(min sum_k |E_k - a - k b|^2 / sum_k |E_k - mean|^2). It orders starts by the ratio of
    learning rates that they need to generalise: a measured regularity, not a derived one.

    Parameters
    ----------
    embeddings
        Embeddings, shape (p, d), p at least 2; shifts and factors do not matter.

    Returns
    -------
    float
        The distance, from 0 to 1, without unit.

    Raises
    ------
    InputError
        If all are equal, or a number is not finite.

    Examples
    --------
    >>> line_distance([[0.0], [2.0], [4.0]]), round(line_distance([[1.0], [0.0], [1.0]]), 3)
    (0.0, 1.0)
    """
    array = finite_array("embeddings", embeddings, (None, None), np.float64)
    if array.size == 0 or (array == array[0]).all():
        raise InputError("embeddings are all equal or none; they lie on no line of their own.")
    array = array / np.abs(array).max()
    centred = array - array.mean(axis=0)
    places = np.arange(len(array)) - (len(array) - 1) / 2
    slope = places @ centred / (places @ places)
    left = centred - np.outer(places, slope)
    return min(1.0, float(np.linalg.norm(left) / np.linalg.norm(centred)))


def label_spread(embeddings: ArrayLike, dataset: Dataset) -> float:
    """Return the spread c of the decoder's inputs within a label.

    It is the root mean square distance of the training inputs E_i + E_j from the mean of their
    label. Labels with one training sample do not count.

    Parameters
    ----------
    embeddings
        Embeddings, shape (p, d).
    dataset
        The task and its training set.

    Returns
    -------
    float
        c, in units of the embeddings.

    Raises
    ------
    InputError
        If the task has no line, the shape is wrong, a number is not finite, or no label has two
        training samples.
    """
    task = operation_of(dataset)
    task.require_line("label_spread")
    array = finite_array("embeddings", embeddings, (task.symbols, None), np.float64)
    apart, counts = apart_from_label(array, dataset)
    shared = counts > 1
    if not shared.any():
        raise InputError("dataset has no label with two training samples; use a larger one.")
    return float(np.sqrt((apart[shared] ** 2).sum(axis=1).mean()))


def decoder_slope(state: InitialState, dataset: Dataset) -> NDArray[np.float64]:
    """Return the decoder's slope: the derivative of its outputs with respect to its input.

    It is the mean over the inputs E_i + E_j of the training samples.

    Parameters
    ----------
    state
        Embeddings and decoder.
    dataset
        The task and its training set.

    Returns
    -------
    numpy.ndarray
        The mean derivative, shape (outputs, d).

    Raises
    ------
    InputError
        If the task has no line, ``state`` does not fit it, or there are no training samples.
    """
    of_type("state", state, InitialState, "an InitialState")
    task = operation_of(dataset)
    task.require_line("decoder_slope")
    symbols, rows = task.symbols, len(state.embeddings)
    if rows != symbols:
        raise InputError(f"state must have embeddings of {symbols} symbols, not of {rows}.")
    if dataset.train_size == 0:
        raise InputError("dataset has no training samples; choose a larger train_size.")
    embeddings = state.embeddings.astype(np.float64)
    hidden = embeddings[dataset.operation.pairs[dataset.train]].sum(axis=1)
    slopes = np.broadcast_to(np.eye(hidden.shape[1]), (len(hidden), *[hidden.shape[1]] * 2))
    layers = list(zip(state.weights, state.biases, strict=True))
    for weight, bias in layers[:-1]:
        hidden = np.tanh(hidden @ weight.T + bias)
        slopes = (1 - hidden**2)[:, :, None] * (weight.astype(np.float64) @ slopes)
    return np.asarray(layers[-1][0].astype(np.float64) @ slopes.mean(axis=0))


def race_ratio(state: InitialState, dataset: Dataset, slope: SlopeNorm = "largest") -> float:
    """Return the ratio embedding_lr / decoder_lr above which the representation should close first.

    It is c / (2 |a|), with the spread c of inputs within a label (`label_spread`) and the slope a
    of the decoder (`decoder_slope`) at the start. The rule comes from a reduced model under Adam,
    for small rates and with one label that stands for all.

    Parameters
    ----------
    state
        Where training starts, with embeddings of one dimension.
    dataset
        The task and its training set.
    slope
        Which |a| of several outputs: the "largest" of their slopes or the "mean"; the reduced
        model's own lies between the two.

    Returns
    -------
    float
        The ratio of the two learning rates, without unit.

    Raises
    ------
    InputError
        If the embeddings have several dimensions, the decoder is flat, or another argument is
        wrong.
    """
    of_type("state", state, InitialState, "an InitialState")
    if state.embeddings.shape[1] != 1:
        raise InputError("state must have embeddings of one dimension; the race is that of one.")
    if slope not in ("largest", "mean"):
        raise InputError(f'slope must be "largest" or "mean", not {slope!r}.')
    slopes = np.abs(decoder_slope(state, dataset))
    size = slopes.max() if slope == "largest" else slopes.mean()
    if size == 0:
        raise InputError("state has a decoder that is flat where the inputs lie; nothing races.")
    return float(label_spread(state.embeddings, dataset) / (2 * size))
