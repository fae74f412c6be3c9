"""Stacked AdamW on a GPU: one kernel that reads and writes each number once."""

from collections.abc import Sequence

import triton
import triton.language as tl
from torch import Tensor

from validation.engine.stacked_adamw import BETA1, BETA2, LAST_CORRECTION, StackedAdamW

#: Numbers that one program of the kernel takes.
_BLOCK = 1024


class FusedAdamW(StackedAdamW):
    """`StackedAdamW` for the memory of a GPU, whose time it is bound by.

    An operation after the other would move the parameters and their moments 22 times; here it is
    7 times: four arrays are read, three are written.
    """

    def step(self, gradients: Sequence[Tensor], update: Tensor) -> None:
        """Make each cell's given update, counted from 1, shape (cells,)."""
        cells, row = self.parameters.shape
        for begin, gradient in zip(self.begins, gradients, strict=True):
            numbers = gradient[0].numel()
            _adamw[cells, triton.cdiv(numbers, _BLOCK)](
                self.parameters[:, begin:],
                self.first[:, begin:],
                self.second[:, begin:],
                gradient.contiguous(),
                self.learning_rate,
                self.weight_decay,
                self.epsilon,
                update,
                self.corrections,
                row,
                numbers,
                LAST_CORRECTION,
                BETA1,
                BETA2,
                _BLOCK,
                # Products and sums are rounded one by one, as torch.optim.AdamW's are.
                enable_fp_fusion=False,
            )


@triton.jit  # type: ignore[untyped-decorator]
def _adamw(  # type: ignore[no-untyped-def]
    parameters,
    first,
    second,
    gradient,
    learning_rate,
    weight_decay,
    epsilon,
    update,
    corrections,
    row,
    numbers,
    last: tl.constexpr,
    beta1: tl.constexpr,
    beta2: tl.constexpr,
    block: tl.constexpr,
):
    """Update one block of the numbers of one cell.

    ``parameters``, ``first`` and ``second`` point to where a part begins in the first of rows of
    ``row`` numbers, ``gradient`` to its derivatives in rows of ``numbers``.
    """
    cell = tl.program_id(0).to(tl.int64)
    place = tl.program_id(1) * block + tl.arange(0, block)
    inside = place < numbers

    # In float64, as Python's numbers are, and rounded once.
    k = tl.minimum(tl.maximum(tl.load(update + cell), 1), last)
    rate = tl.load(learning_rate + cell)
    number = parameters.dtype.element_ty
    keep = (1.0 - rate * tl.load(weight_decay + cell)).to(number)
    minus_step = (-(rate / tl.load(corrections + k))).to(number)
    root_correction = tl.load(corrections + last + 1 + k).to(number)
    small = tl.load(epsilon + cell).to(number)

    here = cell * row + place
    g = tl.load(gradient + cell * numbers + place, mask=inside)
    m = tl.load(first + here, mask=inside)
    v = tl.load(second + here, mask=inside)
    p = tl.load(parameters + here, mask=inside)

    m += (1.0 - beta1) * (g - m)
    v = v * beta2 + (1.0 - beta2) * g * g
    if number == tl.float32:
        # Triton's own root and quotient of float32 are approximations.
        denominator = tl.div_rn(tl.sqrt_rn(v), root_correction) + small
        p = p * keep + tl.div_rn(m * minus_step, denominator)
    else:
        denominator = tl.sqrt(v) / root_correction + small
        p = p * keep + m * minus_step / denominator

    tl.store(parameters + here, p, mask=inside)
    tl.store(first + here, m, mask=inside)
    tl.store(second + here, v, mask=inside)
