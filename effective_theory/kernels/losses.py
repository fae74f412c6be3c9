"""The two losses: value, derivative with respect to the decoder's outputs, and predicted classes.

Outputs are (outputs, samples), padded; what the padding holds is computed along and not read.
``share`` is each sample's share of the gradient's mean: 1 / n for the n samples of the batch and 0
for all others.
"""

import numpy as np
from numpy.typing import NDArray

from effective_theory.kernels.compilation import fast_kernel, kernel

Array = NDArray[np.float32]
Indices = NDArray[np.int64]
Doubles = NDArray[np.float64]

MSE, CROSS_ENTROPY = 0, 1


@fast_kernel
def highest(logits: Array, predicted: Indices) -> None:
    """Fill ``predicted`` with each sample's class of largest logit, the first of equal ones."""
    classes, samples = logits.shape
    best = logits[0].copy()
    predicted[:] = 0
    for label in range(1, classes):
        for sample in range(samples):
            better = logits[label, sample] > best[sample]
            best[sample] = logits[label, sample] if better else best[sample]
            predicted[sample] = label if better else predicted[sample]


@kernel
def centred(targets: Array) -> tuple[Doubles, Doubles]:
    """Return the targets' mean, (outputs,), and the targets less their mean, (classes, outputs)."""
    exact = targets.astype(np.float64)
    centre = exact.sum(axis=0) / len(exact)
    return centre, exact - centre


@fast_kernel
def nearest(
    out: Array, centre: Doubles, targets: Doubles, apart: Doubles, predicted: Indices
) -> None:
    """Fill ``predicted`` with each sample's class of nearest target, the first of equal ones.

    The nearest target has the least |out - Y|^2 = |out|^2 - 2 (Y.out - |Y|^2 / 2). In float32 these
    terms cancel where targets lie close together and far from the origin, and |out - Y|^2 itself
    where outputs are large: hence float64, from the targets' centre.

    ``centre`` and ``targets`` are `centred`'s; ``apart`` (outputs, samples) is work space.
    """
    (classes, outputs), samples = targets.shape, out.shape[1]
    best, score = np.empty(samples), np.empty(samples)
    for row in range(outputs):
        for sample in range(samples):
            apart[row, sample] = out[row, sample] - centre[row]
    predicted[:] = 0
    for label in range(classes):
        score[:] = -0.5 * (targets[label] * targets[label]).sum()
        for row in range(outputs):
            target = targets[label, row]
            for sample in range(samples):
                score[sample] += target * apart[row, sample]
        if label == 0:
            best[:] = score
        for sample in range(samples):
            better = score[sample] > best[sample]
            best[sample] = score[sample] if better else best[sample]
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


@kernel
def log_difference(normaliser: np.float32, logit: np.float32, largest: np.float32) -> np.float32:
    """Return log(normaliser) - (logit - largest).

    In this order, which reordered sums do not keep: a small loss is less than the last bit of a
    large logit.
    """
    difference: np.float32 = np.log(normaliser) - (logit - largest)
    return difference


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
        losses[sample] = log_difference(normaliser, out[labels[sample], sample], largest)


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
    """Fill each sample's loss and ``d_out``, the batch's derivative with respect to ``out``.

    ``expected`` holds each sample's target, (outputs, samples); cross-entropy has none.
    """
    if kind == CROSS_ENTROPY:
        cross_entropy(out, labels, share, d_out, losses)
    else:
        mse(out, expected, share, d_out, losses)
