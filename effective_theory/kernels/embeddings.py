"""From embeddings to decoder inputs and back: x = E_i + E_j."""

import numpy as np
from numpy.typing import NDArray

from effective_theory.kernels.compilation import fast_kernel

Array = NDArray[np.float32]
Indices = NDArray[np.int64]


@fast_kernel
def combine(embeddings: Array, left: Indices, right: Indices, x: Array) -> None:
    """Fill x (d, samples) with E_left + E_right."""
    for feature in range(x.shape[0]):
        for sample in range(x.shape[1]):
            x[feature, sample] = (
                embeddings[left[sample], feature] + embeddings[right[sample], feature]
            )


@fast_kernel
def combine_backward(d_x: Array, left: Indices, right: Indices, gradient: Array) -> None:
    """Fill the embeddings' gradient (p, d) from d_x (d, samples)."""
    gradient[:] = 0.0
    for feature in range(d_x.shape[0]):
        for sample in range(d_x.shape[1]):
            gradient[left[sample], feature] += d_x[feature, sample]
            gradient[right[sample], feature] += d_x[feature, sample]


@fast_kernel
def add_penalty(embeddings: Array, penalty: float, gradient: Array) -> None:
    """Add the gradient of penalty * mean |E|, that is penalty * sign(E) / size."""
    share = np.float32(penalty / embeddings.size)
    for symbol in range(embeddings.shape[0]):
        for feature in range(embeddings.shape[1]):
            gradient[symbol, feature] += share * np.sign(embeddings[symbol, feature])
