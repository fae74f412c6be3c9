"""From embeddings to decoder inputs and back: x = E_i + E_j, or x = E_a E_b.

Embeddings that multiply are square matrices of the given ``side``, written row by row; where they
add, ``side`` is 0.
"""

import numpy as np
from numpy.typing import NDArray

from effective_theory.kernels.compilation import fast_kernel

Array = NDArray[np.float32]
Indices = NDArray[np.int64]


@fast_kernel
def combine(embeddings: Array, left: Indices, right: Indices, side: int, x: Array) -> None:
    """Fill x (d, samples) with E_left + E_right or E_left E_right."""
    if side > 0:
        _multiply(embeddings, left, right, side, x)
        return
    for feature in range(x.shape[0]):
        for sample in range(x.shape[1]):
            x[feature, sample] = (
                embeddings[left[sample], feature] + embeddings[right[sample], feature]
            )


@fast_kernel
def _multiply(embeddings: Array, left: Indices, right: Indices, side: int, x: Array) -> None:
    x[:] = 0.0
    for row in range(side):
        for column in range(side):
            for k in range(side):
                a, b, c = row * side + k, k * side + column, row * side + column
                for sample in range(x.shape[1]):
                    x[c, sample] += embeddings[left[sample], a] * embeddings[right[sample], b]


@fast_kernel
def combine_backward(
    embeddings: Array, d_x: Array, left: Indices, right: Indices, side: int, gradient: Array
) -> None:
    """Fill the embeddings' gradient (p, d) from d_x (d, samples)."""
    gradient[:] = 0.0
    if side > 0:
        _multiply_backward(embeddings, d_x, left, right, side, gradient)
        return
    for feature in range(d_x.shape[0]):
        for sample in range(d_x.shape[1]):
            gradient[left[sample], feature] += d_x[feature, sample]
            gradient[right[sample], feature] += d_x[feature, sample]


@fast_kernel
def _multiply_backward(
    embeddings: Array, d_x: Array, left: Indices, right: Indices, side: int, gradient: Array
) -> None:
    """Add d_x E_right^T to the left embeddings' gradient and E_left^T d_x to the right ones'."""
    for row in range(side):
        for column in range(side):
            for k in range(side):
                a, b, c = row * side + k, k * side + column, row * side + column
                for sample in range(d_x.shape[1]):
                    i, j = left[sample], right[sample]
                    gradient[i, a] += d_x[c, sample] * embeddings[j, b]
                    gradient[j, b] += d_x[c, sample] * embeddings[i, a]


@fast_kernel
def add_penalty(embeddings: Array, penalty: float, gradient: Array) -> None:
    """Add the gradient of penalty * mean |E|, that is penalty * sign(E) / size."""
    share = np.float32(penalty / embeddings.size)
    for symbol in range(embeddings.shape[0]):
        for feature in range(embeddings.shape[1]):
            gradient[symbol, feature] += share * np.sign(embeddings[symbol, feature])
