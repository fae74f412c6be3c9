"""The two losses: value, derivative by the decoder's outputs, and predicted classes.

Outputs are (outputs, samples), padded; what the padding holds is computed along and not read.
``share`` is each sample's share of the gradient's mean: 1 / n for the n samples of the batch and 0
for all others.
"""

import numpy as np
from numpy.typing import NDArray

from effective_theory.kernels.compilation import fast_kernel, kernel
from effective_theory.kernels.layout import matrix
from effective_theory.kernels.products import multiply

Array = NDArray[np.float32]
Indices = NDArray[np.int64]

MSE, CROSS_ENTROPY = 0, 1


@kernel
def scoring(targets: Array) -> Array:
    """Return the matrix (classes, outputs + 1) that makes scores of outputs with a row of ones.

    The nearest target has the least |out - Y|^2 = |out|^2 - 2 (Y.out - |Y|^2 / 2).
    """
    classes, outputs = targets.shape
    result = matrix(classes, outputs + 1)[:classes, : outputs + 1]
    for label in range(classes):
        result[label, :outputs] = targets[label]
        result[label, outputs] = -0.5 * (targets[label] * targets[label]).sum()
    return result


@kernel
def class_scores(kind: int, out: Array, scorer: Array, scores: Array) -> Array:
    """Return scores (classes, samples), the largest of which is the predicted class.

    ``scorer`` is `scoring`'s matrix, ``scores`` is work space.
    """
    if kind == CROSS_ENTROPY:
        return out
    multiply(scorer, out, scores)
    return scores


@fast_kernel
def predict(scores: Array, predicted: Indices) -> None:
    """Fill ``predicted`` with each sample's class of largest score, the first of equal ones."""
    classes, samples = scores.shape
    best = scores[0].copy()
    predicted[:] = 0
    for label in range(1, classes):
        for sample in range(samples):
            better = scores[label, sample] > best[sample]
            best[sample] = scores[label, sample] if better else best[sample]
            predicted[sample] = label if better else predicted[sample]


@kernel
def count_equal(predicted: Indices, labels: Indices) -> int:
    """Return how many samples are predicted right."""
    right = 0
    for sample in range(labels.size):
        right += predicted[sample] == labels[sample]
    return right


@fast_kernel
def mse(out: Array, expected: Array, share: Array, d_out: Array, losses: Array) -> None:
    """Fill each sample's mean of (out - Y)^2 over coordinates and the batch's derivative."""
    outputs, samples = expected.shape
    factor = np.float32(2.0 / outputs)
    losses[:] = 0.0
    for row in range(outputs):
        for sample in range(samples):
            error = out[row, sample] - expected[row, sample]
            losses[sample] += error * error
            d_out[row, sample] = error * share[sample] * factor
    losses /= np.float32(outputs)


@fast_kernel
def cross_entropy(out: Array, labels: Indices, share: Array, d_out: Array, losses: Array) -> None:
    """Fill each sample's softmax cross-entropy and the batch's derivative."""
    classes = d_out.shape[0]
    for sample in range(labels.size):
        largest = out[0, sample]
        for label in range(1, classes):
            largest = max(largest, out[label, sample])
        normaliser = np.float32(0.0)
        for label in range(classes):
            d_out[label, sample] = np.exp(out[label, sample] - largest)
            normaliser += d_out[label, sample]
        for label in range(classes):
            d_out[label, sample] *= share[sample] / normaliser
        d_out[labels[sample], sample] -= share[sample]
        losses[sample] = np.log(normaliser) + largest - out[labels[sample], sample]


@fast_kernel
def loss(
    kind: int,
    out: Array,
    labels: Indices,
    expected: Array,
    share: Array,
    d_out: Array,
    losses: Array,
) -> None:
    """Fill each sample's loss and ``d_out``, the derivative of the batch's loss by ``out``.

    ``expected`` holds each sample's target, (outputs, samples); cross-entropy has none.
    """
    if kind == CROSS_ENTROPY:
        cross_entropy(out, labels, share, d_out, losses)
    else:
        mse(out, expected, share, d_out, losses)
