"""The decoder: an MLP with two tanh layers, forward and backward.

Activations are feature-major, (features, samples), so that each layer is one matrix product and a
bias belongs to a row. All weights and biases live in one flat vector: the optimiser needs one loop.
"""

import numpy as np
from numpy.typing import NDArray

from effective_theory.kernels.activation import tanh_with_bias, through_tanh
from effective_theory.kernels.compilation import fast_kernel

Array = NDArray[np.float32]


@fast_kernel
def layers(
    flat: Array, inputs: int, width: int, outputs: int
) -> tuple[Array, Array, Array, Array, Array, Array]:
    """Return views W1, b1, W2, b2, W3, b3 of the flat vector; weights are (out, in)."""
    end1 = width * inputs
    end2 = end1 + width
    end3 = end2 + width * width
    end4 = end3 + width
    end5 = end4 + outputs * width
    return (
        flat[:end1].reshape(width, inputs),
        flat[end1:end2],
        flat[end2:end3].reshape(width, width),
        flat[end3:end4],
        flat[end4:end5].reshape(outputs, width),
        flat[end5 : end5 + outputs],
    )


@fast_kernel
def forward(flat: Array, x: Array, h1: Array, h2: Array, out: Array) -> None:
    """Fill h1 = tanh(W1 x + b1), h2 = tanh(W2 h1 + b2), out = W3 h2 + b3."""
    w1, b1, w2, b2, w3, b3 = layers(flat, x.shape[0], h1.shape[0], out.shape[0])
    np.dot(w1, x, h1)
    tanh_with_bias(h1, b1)
    np.dot(w2, h1, h2)
    tanh_with_bias(h2, b2)
    np.dot(w3, h2, out)
    out += b3.reshape(-1, 1)


@fast_kernel
def backward(
    flat: Array,
    x: Array,
    h1: Array,
    h2: Array,
    d_out: Array,
    d_h1: Array,
    d_h2: Array,
    d_x: Array,
    gradient: Array,
) -> None:
    """Fill the flat ``gradient`` and ``d_x`` from ``d_out``, the derivative of the loss by out.

    ``d_h1`` and ``d_h2`` are work space of the shape of ``h1`` and ``h2``.
    """
    w1, _, w2, _, w3, _ = layers(flat, x.shape[0], h1.shape[0], d_out.shape[0])
    g1, gb1, g2, gb2, g3, gb3 = layers(gradient, x.shape[0], h1.shape[0], d_out.shape[0])
    np.dot(d_out, h2.T, g3)
    sum_rows(d_out, gb3)
    np.dot(w3.T, d_out, d_h2)
    through_tanh(d_h2, h2)
    np.dot(d_h2, h1.T, g2)
    sum_rows(d_h2, gb2)
    np.dot(w2.T, d_h2, d_h1)
    through_tanh(d_h1, h1)
    np.dot(d_h1, x.T, g1)
    sum_rows(d_h1, gb1)
    np.dot(w1.T, d_h1, d_x)


@fast_kernel
def sum_rows(matrix: Array, sums: Array) -> None:
    """Fill ``sums`` with the sum of each row."""
    rows, columns = matrix.shape
    for row in range(rows):
        total = np.float32(0.0)
        for column in range(columns):
            total += matrix[row, column]
        sums[row] = total
