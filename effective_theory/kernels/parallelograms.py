"""Normalised embeddings and the count of their small parallelograms (RQI).

As in `embeddings`, ``side`` is the side of the matrices that embeddings are, 0 where they add.
"""

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
def normalise(embeddings: NDArray[np.float64], side: int) -> tuple[NDArray[np.float64], bool]:
    """Return embeddings as RQI takes them, and if that form exists.

    Vectors are standardised; matrices are divided by their common root mean square, which does not
    tell symbols apart where all matrices are equal.
    """
    if side == 0:
        return standardise(embeddings)
    differ = False
    for dimension in range(embeddings.shape[1]):
        column = embeddings[:, dimension]
        differ = differ or column.max() > column.min()
    scale = np.sqrt((embeddings * embeddings).sum() / embeddings.size)
    exists = differ and np.isfinite(scale) and scale > 0.0
    return embeddings / scale, exists


@kernel
def combined(
    normal: NDArray[np.float64], left: Indices, right: Indices, side: int
) -> NDArray[np.float64]:
    """Return E_left + E_right or E_left E_right, (samples, d)."""
    if side == 0:
        return normal[left] + normal[right]
    result = np.zeros((left.size, normal.shape[1]))
    for sample in range(left.size):
        a, b = normal[left[sample]], normal[right[sample]]
        for row in range(side):
            for column in range(side):
                for k in range(side):
                    result[sample, row * side + column] += a[row * side + k] * b[k * side + column]
    return result


@kernel
def is_small(sums: NDArray[np.float64], a: int, b: int, threshold: float) -> bool:
    """Return whether the mean over dimensions of (sums_a - sums_b)^2 is below threshold."""
    square = 0.0
    for dimension in range(sums.shape[1]):
        residual = sums[a, dimension] - sums[b, dimension]
        square += residual * residual
    small: bool = square < threshold * sums.shape[1]
    return small


@kernel
def quality_index(
    embeddings: NDArray[np.float64],
    left: Indices,
    right: Indices,
    class_starts: Indices,
    side: int,
    threshold: float,
) -> float:
    """Return the share of same-label sample pairs whose mean square residual is below threshold.

    Samples (left, right) are sorted by label; label s owns class_starts[s] .. class_starts[s + 1].
    NaN where the embeddings have no normal form or there is no parallelogram.
    """
    normal, exists = normalise(embeddings, side)
    if not exists:
        return np.nan
    sums = combined(normal, left, right, side)
    small, total = 0, 0
    for label in range(class_starts.size - 1):
        for a in range(class_starts[label], class_starts[label + 1]):
            for b in range(class_starts[label], a):
                small += is_small(sums, a, b, threshold)
            total += a - class_starts[label]
    return small / total if total > 0 else np.nan


@kernel
def predictable(
    normal: NDArray[np.float64],
    left: Indices,
    right: Indices,
    class_starts: Indices,
    is_train: NDArray[np.bool_],
    side: int,
    threshold: float,
) -> NDArray[np.bool_]:
    """Return which samples are, or form a small parallelogram with, a training sample.

    Samples are sorted by label as for `quality_index`; ``normal`` are normalised embeddings.
    """
    sums = combined(normal, left, right, side)
    result = is_train.copy()
    for label in range(class_starts.size - 1):
        for a in range(class_starts[label], class_starts[label + 1]):
            if is_train[a]:
                continue
            for b in range(class_starts[label], class_starts[label + 1]):
                if is_train[b] and is_small(sums, a, b, threshold):
                    result[a] = True
                    break
    return result
