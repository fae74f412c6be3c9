"""Standardised embeddings and the count of their small parallelograms (RQI)."""

import numpy as np
from numpy.typing import NDArray

from effective_theory.kernels.compilation import kernel

Indices = NDArray[np.int64]


@kernel
def standardise(embeddings: NDArray[np.float64]) -> tuple[NDArray[np.float64], bool]:
    """Return embeddings with zero mean and unit unbiased std in each dimension, and if they exist.

    They do not where a dimension is constant or not finite.
    """
    symbols, dimensions = embeddings.shape
    result = np.empty_like(embeddings)
    for dimension in range(dimensions):
        column = embeddings[:, dimension]
        if not column.max() > column.min():
            return result, False
        centred = column - column.mean()
        scale = np.sqrt((centred * centred).sum() / (symbols - 1))
        if not (np.isfinite(scale) and scale > 0.0):
            return result, False
        result[:, dimension] = centred / scale
    return result, True


@kernel
def quality_index(
    embeddings: NDArray[np.float64],
    left: Indices,
    right: Indices,
    class_starts: Indices,
    threshold: float,
) -> float:
    """Return the share of same-label sample pairs whose mean square residual is below threshold.

    Samples (left, right) are sorted by label; label s owns class_starts[s] .. class_starts[s + 1].
    NaN where the embeddings have no standard form or there is no parallelogram.
    """
    standard, exists = standardise(embeddings)
    if not exists:
        return np.nan
    dimensions = standard.shape[1]
    sums = standard[left] + standard[right]
    small, total = 0, 0
    for label in range(class_starts.size - 1):
        for a in range(class_starts[label], class_starts[label + 1]):
            for b in range(class_starts[label], a):
                square = 0.0
                for dimension in range(dimensions):
                    residual = sums[a, dimension] - sums[b, dimension]
                    square += residual * residual
                small += square < threshold * dimensions
            total += a - class_starts[label]
    return small / total if total > 0 else np.nan


@kernel
def predictable(
    standard: NDArray[np.float64],
    left: Indices,
    right: Indices,
    class_starts: Indices,
    is_train: NDArray[np.bool_],
    threshold: float,
) -> NDArray[np.bool_]:
    """Return which samples are, or form a small parallelogram with, a training sample.

    Samples are sorted by label as for `quality_index`; ``standard`` are standardised embeddings.
    """
    dimensions = standard.shape[1]
    sums = standard[left] + standard[right]
    result = is_train.copy()
    for label in range(class_starts.size - 1):
        for a in range(class_starts[label], class_starts[label + 1]):
            if is_train[a]:
                continue
            for b in range(class_starts[label], class_starts[label + 1]):
                if not is_train[b]:
                    continue
                square = 0.0
                for dimension in range(dimensions):
                    residual = sums[a, dimension] - sums[b, dimension]
                    square += residual * residual
                if square < threshold * dimensions:
                    result[a] = True
                    break
    return result
