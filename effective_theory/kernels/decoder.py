"""The decoder: an MLP with two tanh layers, forward and backward.

Activations are feature-major, (features, samples), in the padded form of `layout`; gradients of
weights also need them sample-major. Samples to train on come first.
"""

import numpy as np
from numpy.typing import NDArray

from effective_theory.kernels.activation import tanh, through_tanh
from effective_theory.kernels.compilation import kernel
from effective_theory.kernels.products import multiply, transpose

Array = NDArray[np.float32]
Triple = tuple[Array, Array, Array]


@kernel
def forward(layers: Triple, x: Array, h1: Array, h2: Array, out: Array) -> None:
    """Fill h1 = tanh(W1 x + b1), h2 = tanh(W2 h1 + b2), out = W3 h2 + b3."""
    w1, w2, w3 = layers
    multiply(w1, x, h1)
    tanh(h1[: w1.shape[0]])
    multiply(w2, h1, h2)
    tanh(h2[: w2.shape[0]])
    multiply(w3, h2, out)


@kernel
def backward(
    layers: Triple,
    activations: Triple,
    sample_major: Triple,
    samples: int,
    d_out: Array,
    d_hidden: tuple[Array, Array],
    d_x: Array,
    gradients: Triple,
) -> None:
    """Fill ``gradients`` and ``d_x`` from ``d_out``, the loss's derivative with respect to out.

    ``activations`` are x, h1 and h2 as `forward` left them. ``d_hidden`` is work space for the
    derivatives with respect to h1 and h2, ``sample_major`` for the transposes of h1, h2 and the
    former. The columns of ``d_out`` beyond ``samples`` hold zeros.
    """
    w1, w2, w3 = layers
    x, h1, h2 = activations
    h1_t, h2_t, d_h1_t = sample_major
    d_h1, d_h2 = d_hidden
    g1, g2, g3 = gradients
    transpose(h2, h2_t)
    multiply(d_out[: w3.shape[0], :samples], h2_t, g3)
    multiply(w3[:, :-1].T, d_out, d_h2)
    through_tanh(d_h2, h2)
    transpose(h1, h1_t)
    multiply(d_h2[: w2.shape[0], :samples], h1_t, g2)
    multiply(w2[:, :-1].T, d_h2, d_h1)
    through_tanh(d_h1, h1)
    transpose(d_h1, d_h1_t)
    multiply(x[: w1.shape[1], :samples], d_h1_t, g1.T)
    multiply(w1[:, :-1].T, d_h1, d_x)
