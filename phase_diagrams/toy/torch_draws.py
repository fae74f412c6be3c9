"""PyTorch's random draws on a CPU, without PyTorch.

Its CPU generator is the Mersenne twister that NumPy's legacy generator is; only the way from a word
to a float differs.
"""

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


class TorchDraws:
    """What ``torch.manual_seed(seed)`` followed by CPU draws gives, without PyTorch."""

    def __init__(self, seed: int) -> None:
        self._words = np.random.RandomState(seed)  # noqa: NPY002 (the published generator)

    def rand(self, *shape: int) -> Array:
        """Return torch.rand: the low 24 bits of each word, in [0, 1)."""
        words = self._words.randint(0, 2**32, shape, dtype=np.uint32)  # noqa: NPY002
        return (words & np.uint32(0xFFFFFF)).astype(np.float32) * np.float32(2.0**-24)

    def uniform(self, bound: float, *shape: int) -> Array:
        """Return ``Tensor.uniform_(-bound, bound)`` with its rounding."""
        low, high = np.float32(-bound), np.float32(bound)
        values = self.rand(*shape).astype(np.float64) * np.float64(high - low) + np.float64(low)
        return values.astype(np.float32)

    def linear_layers(self, sizes: tuple[int, ...]) -> list[tuple[Array, Array]]:
        """Return weights and biases of ``torch.nn.Linear`` layers made one after another."""
        layers = []
        for inputs, outputs in zip(sizes[:-1], sizes[1:], strict=True):
            weight_bound = math.sqrt(3.0) * (math.sqrt(2.0 / 6.0) / math.sqrt(inputs))
            weight = self.uniform(weight_bound, outputs, inputs)
            layers.append((weight, self.uniform(1.0 / math.sqrt(inputs), outputs)))
        return layers
