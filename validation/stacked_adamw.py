"""AdamW for stacked cells: torch.optim.AdamW's arithmetic, each cell with rates of its own."""

import functools

import torch
from torch import Tensor

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8

#: From here on both bias corrections are 1 in float64: 0.999^k is below 2^-54.
_LAST_CORRECTION = 38_000
#: Numbers that fit a core's cache together with their moments.
_NUMBERS_IN_CACHE = 2**16


class StackedAdamW:
    """The optimiser of one group of parameters, (cells, numbers), changed in place.

    Every operation, its order and its rounding are those of ``torch.optim.AdamW`` (the form without
    ``foreach`` and ``fused``), whose rates are numbers and not tensors.

    Parameters
    ----------
    parameters
        Shape (cells, numbers).

    Attributes
    ----------
    learning_rate, weight_decay
        Of each cell, float64, shape (cells, 1).
    """

    def __init__(self, parameters: Tensor) -> None:
        self.parameters = parameters
        self.first, self.second = torch.zeros_like(parameters), torch.zeros_like(parameters)
        cells, numbers = parameters.shape
        self.learning_rate, self.weight_decay = (
            torch.zeros(cells, 1, device=parameters.device, dtype=torch.float64) for _ in range(2)
        )
        # A GPU takes all cells at once, a core as many as its cache holds.
        in_cache = max(1, _NUMBERS_IN_CACHE // max(numbers, 1))
        step = cells if parameters.is_cuda else in_cache
        self._parts = [slice(begin, begin + step) for begin in range(0, cells, step)]
        self._corrections = _bias_corrections(parameters.device)

    @property
    def state(self) -> list[Tensor]:
        """All that belongs to a cell, but for the parameters."""
        return [self.first, self.second, self.learning_rate, self.weight_decay]

    def load(self, cell: int, learning_rate: float, weight_decay: float) -> None:
        """Begin anew in a cell's place."""
        self.first[cell] = 0.0
        self.second[cell] = 0.0
        self.learning_rate[cell] = learning_rate
        self.weight_decay[cell] = weight_decay

    def step(self, gradient: Tensor, update: Tensor) -> None:
        """Make each cell's given update, counted from 1, shape (cells,)."""
        # In float64, as Python's numbers are, and rounded once.
        place = update.clamp(1, _LAST_CORRECTION)
        first, root_of_second = self._corrections.index_select(1, place)[:, :, None]
        dtype = self.parameters.dtype
        keep = (1.0 - self.learning_rate * self.weight_decay).to(dtype)
        minus_step = (-(self.learning_rate / first)).to(dtype)
        root_correction = root_of_second.to(dtype)
        for part in self._parts:
            g, m, v = gradient[part], self.first[part], self.second[part]
            parameters = self.parameters[part].mul_(keep[part])
            m.lerp_(g, 1.0 - BETA1)
            v.mul_(BETA2).addcmul_(g, g, value=1.0 - BETA2)
            denominator = v.sqrt().div_(root_correction[part]).add_(EPSILON)
            parameters.addcdiv_(m * minus_step[part], denominator)


@functools.cache
def _bias_corrections(device: torch.device) -> Tensor:
    """1 - beta1^k and sqrt(1 - beta2^k), (2, k), as Python computes them; not used at k = 0."""
    updates = range(_LAST_CORRECTION + 1)
    rows = [[1.0 - BETA1**k for k in updates], [(1.0 - BETA2**k) ** 0.5 for k in updates]]
    return torch.tensor(rows, device=device, dtype=torch.float64)
