"""AdamW for stacked cells: torch.optim.AdamW's arithmetic, each cell with rates of its own."""

import functools
from collections.abc import Sequence

import torch
from torch import Tensor

BETA1, BETA2 = 0.9, 0.999

#: From this update on both bias corrections are 1 in float64: 0.999^k is below 2^-54.
LAST_CORRECTION = 38_000
#: Numbers that fit a core's cache together with their moments.
_NUMBERS_IN_CACHE = 2**16


class StackedAdamW:
    """The optimiser of one group of parameters, (cells, numbers), changed in place.

    Every operation, its order and its rounding are those of ``torch.optim.AdamW`` (the form without
    ``foreach`` and ``fused``), whose rates are numbers and not tensors.

    Parameters
    ----------
    parameters
        Shape (cells, numbers), contiguous.
    begins
        Where in a row each part begins whose gradient comes as a tensor of its own; between the
        parts are zeros.

    Attributes
    ----------
    first, second
        Moments of the gradient, (cells, numbers).
    learning_rate, weight_decay, epsilon
        Of each cell, float64, shape (cells, 1).
    corrections
        1 - beta1^k and sqrt(1 - beta2^k) of update k, float64, (2, `LAST_CORRECTION` + 1).
    """

    def __init__(self, parameters: Tensor, begins: Sequence[int] = (0,)) -> None:
        self.parameters = parameters
        self.first, self.second = torch.zeros_like(parameters), torch.zeros_like(parameters)
        cells = len(parameters)
        self.learning_rate, self.weight_decay, self.epsilon = (
            torch.zeros(cells, 1, device=parameters.device, dtype=torch.float64) for _ in range(3)
        )
        self.corrections = _bias_corrections(parameters.device)
        self.begins = begins

    @property
    def state(self) -> list[Tensor]:
        """All that belongs to a cell, but for the parameters."""
        return [self.first, self.second, self.learning_rate, self.weight_decay, self.epsilon]

    def load(self, cell: int, learning_rate: float, weight_decay: float, epsilon: float) -> None:
        """Begin anew in a cell's place."""
        self.first[cell] = 0.0
        self.second[cell] = 0.0
        self.learning_rate[cell] = learning_rate
        self.weight_decay[cell] = weight_decay
        self.epsilon[cell] = epsilon

    def step(self, gradients: Sequence[Tensor], update: Tensor) -> None:
        """Make each cell's given update, counted from 1, shape (cells,).

        The gradient of a part has the cells as its first dimension.
        """
        for begin, gradient in zip(self.begins, gradients, strict=True):
            part = gradient.flatten(1)
            self._gradient[:, begin : begin + part.shape[1]] = part
        # In float64, as Python's numbers are, and rounded once.
        place = update.clamp(1, LAST_CORRECTION)
        first, root_of_second = self.corrections.index_select(1, place)[:, :, None]
        dtype = self.parameters.dtype
        keep = (1.0 - self.learning_rate * self.weight_decay).to(dtype)
        minus_step = (-(self.learning_rate / first)).to(dtype)
        root_correction, epsilon = root_of_second.to(dtype), self.epsilon.to(dtype)
        cells, numbers = self.parameters.shape
        at_once = max(1, _NUMBERS_IN_CACHE // max(numbers, 1))
        for begin in range(0, cells, at_once):
            some = slice(begin, begin + at_once)
            g, m, v = self._gradient[some], self.first[some], self.second[some]
            parameters = self.parameters[some].mul_(keep[some])
            m.lerp_(g, 1.0 - BETA1)
            v.mul_(BETA2).addcmul_(g, g, value=1.0 - BETA2)
            denominator = v.sqrt().div_(root_correction[some]).add_(epsilon[some])
            parameters.addcdiv_(m * minus_step[some], denominator)

    @functools.cached_property
    def _gradient(self) -> Tensor:
        """The gradients of all parts as the parameters lie; zero in between."""
        return torch.zeros_like(self.parameters)


@functools.cache
def _bias_corrections(device: torch.device) -> Tensor:
    """1 - beta1^k and sqrt(1 - beta2^k), (2, k), as Python computes them; not used at k = 0."""
    updates = range(LAST_CORRECTION + 1)
    rows = [[1.0 - BETA1**k for k in updates], [(1.0 - BETA2**k) ** 0.5 for k in updates]]
    return torch.tensor(rows, device=device, dtype=torch.float64)
