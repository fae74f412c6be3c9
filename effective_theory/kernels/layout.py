"""Padded, aligned matrices, in which every product works on whole vectors.

A layer is one matrix (outputs, inputs + 1): its weights, then its biases as one more column, which
meet a row of ones below the inputs. Rows are padded with zeros, which stay zero in training. The
first layer has few inputs and is kept transposed: its padding would be longer than its rows.
"""

import numpy as np
from numpy.typing import NDArray

from effective_theory.kernels.compilation import kernel
from effective_theory.kernels.products import LANES

Array = NDArray[np.float32]


@kernel
def padded(size: int) -> int:
    """Return the next multiple of LANES."""
    return (size + LANES - 1) // LANES * LANES


@kernel
def aligned_zeros(size: int) -> Array:
    """Return zeros that begin at a cache line: 16 numbers more are reserved than needed."""
    reserved = np.zeros(size + 16, np.float32)
    start = -(reserved.ctypes.data // 4) % 16
    return reserved[start : start + size]


@kernel
def matrix(rows: int, columns: int) -> Array:
    """Return zeros (rows, columns), both padded."""
    flat = aligned_zeros(padded(rows) * padded(columns))
    return flat.reshape(padded(rows), padded(columns))


@kernel
def activations(features: int, samples: int) -> Array:
    """Return zeros (features + 1, samples), both padded, with ones in row ``features``."""
    result = matrix(features + 1, samples)
    result[features] = 1.0
    return result


@kernel
def decoder_size(inputs: int, width: int, outputs: int) -> int:
    """Return how many numbers the three layers take."""
    return (inputs + 1) * padded(width) + (width + outputs) * padded(width + 1)


@kernel
def layers(flat: Array, inputs: int, width: int, outputs: int) -> tuple[Array, Array, Array]:
    """Return views of the three layers' weights and biases, (outputs, inputs + 1)."""
    end1 = (inputs + 1) * padded(width)
    end2 = end1 + width * padded(width + 1)
    end3 = end2 + outputs * padded(width + 1)
    return (
        flat[:end1].reshape(inputs + 1, padded(width))[:, :width].T,
        flat[end1:end2].reshape(width, padded(width + 1))[:, : width + 1],
        flat[end2:end3].reshape(outputs, padded(width + 1))[:, : width + 1],
    )
