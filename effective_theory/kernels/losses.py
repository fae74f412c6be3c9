"""The two losses: value, derivative by the decoder's outputs, and number of right answers.

Outputs are (outputs, samples). ``share`` is each sample's share of the gradient's mean: 1 / n for
the n samples of the batch and 0 for training samples outside it.
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
def count_right(scores: Array, labels: Indices) -> int:
    """Count the samples whose label has the largest score; the first of equal ones counts."""
    classes, samples = scores.shape
    best = scores[0].copy()
    predicted = np.zeros(samples, np.int32)
    for label in range(1, classes):
        for sample in range(samples):
            better = scores[label, sample] > best[sample]
            best[sample] = scores[label, sample] if better else best[sample]
            predicted[sample] = label if better else predicted[sample]
    right = 0
    for sample in range(samples):
        right += predicted[sample] == labels[sample]
    return right


@fast_kernel
def mse(out: Array, expected: Array, share: Array, d_out: Array) -> float:
    """Mean over samples and coordinates of (out - Y)^2; fills ``d_out`` with its derivative."""
    outputs, samples = out.shape
    factor = np.float32(2.0 / outputs)
    total = 0.0
    for row in range(outputs):
        row_total = np.float32(0.0)
        for sample in range(samples):
            error = out[row, sample] - expected[row, sample]
            row_total += error * error
            d_out[row, sample] = error * share[sample] * factor
        total += float(row_total)
    mean: float = total / (outputs * samples)
    return mean


@fast_kernel
def cross_entropy(out: Array, labels: Indices, share: Array, d_out: Array) -> float:
    """Mean softmax cross-entropy; fills ``d_out`` with its derivative."""
    classes, samples = out.shape
    total = 0.0
    for sample in range(samples):
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
        total += float(np.log(normaliser) + largest - out[labels[sample], sample])
    mean: float = total / samples
    return mean


@fast_kernel
def loss(
    kind: int, out: Array, labels: Indices, expected: Array, share: Array, d_out: Array
) -> float:
    """Return the mean loss over all samples; fills ``d_out`` with the batch loss's derivative.

    ``expected`` holds each sample's target, (outputs, samples); cross-entropy has none.
    """
    if kind == CROSS_ENTROPY:
        return cross_entropy(out, labels, share, d_out)
    return mse(out, expected, share, d_out)
