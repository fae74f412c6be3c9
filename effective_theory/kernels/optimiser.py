"""AdamW with PyTorch's conventions (decoupled weight decay, bias-corrected moments)."""

import numpy as np
from numpy.typing import NDArray

from effective_theory.kernels.compilation import fast_kernel, kernel

Array = NDArray[np.float32]

BETA1, BETA2 = 0.9, 0.999


@kernel
def adamw(
    parameters: Array,
    gradient: Array,
    moments: Array,
    update: int,
    learning_rate: float,
    weight_decay: float,
    epsilon: float,
) -> bool:
    """Make the given update (counted from 1) in place; return whether all parameters are finite.

    theta <- theta (1 - lr wd); m <- m + (1 - beta1)(g - m); v <- beta2 v + (1 - beta2) g^2;
    theta <- theta - lr / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
    (Loshchilov and Hutter 2019). ``moments`` holds m and v, shape (2, parameters).
    """
    keep = np.float32(1.0 - learning_rate * weight_decay)
    step = np.float32(learning_rate / (1.0 - BETA1**update))
    inverse_root = np.float32(1.0 / np.sqrt(1.0 - BETA2**update))
    first_share, second_share = np.float32(1.0 - BETA1), np.float32(1.0 - BETA2)
    second_keep, small = np.float32(BETA2), np.float32(epsilon)
    first, second = moments[0], moments[1]
    for i in range(parameters.size):
        g = gradient[i]
        m = first[i] + first_share * (g - first[i])
        v = second_keep * second[i] + second_share * (g * g)
        first[i], second[i] = m, v
        parameters[i] = parameters[i] * keep - step * (m / (np.sqrt(v) * inverse_root + small))
    return all_finite(parameters)


@fast_kernel
def all_finite(values: Array) -> bool:
    """Return whether no value is NaN or infinite: x * 0 is 0 for finite x and NaN otherwise."""
    total = np.float32(0.0)
    for i in range(values.size):
        total += values[i] * np.float32(0.0)
    finite: bool = total == np.float32(0.0)
    return finite
