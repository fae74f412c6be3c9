"""How fast a device moves memory and multiplies matrices of float32, at the most."""

import torch
from machine import interleaved_medians

from validation.engine.precision import full_precision

#: Numbers that are copied, beyond any cache; and side of the matrices that are multiplied.
_NUMBERS = {"cpu": 2**26, "cuda": 2**28}
_SIDE = {"cpu": 1024, "cuda": 8192}


def device_best(device: str) -> tuple[float, float]:
    """Return the bytes that a copy reads and writes, and a product's operations, in a second.

    The product is one of large matrices, without TF32.
    """
    source = torch.rand(_NUMBERS[device], device=device)
    target = torch.empty_like(source)
    side = _SIDE[device]
    a, b = torch.rand(2, side, side, device=device)

    def copy() -> int:
        target.copy_(source)
        return _waited_for(device, 2 * source.nbytes)

    def multiply() -> int:
        torch.matmul(a, b)
        return _waited_for(device, 2 * side**3)

    with full_precision():
        seconds = interleaved_medians({"copy": copy, "multiply": multiply}, 7)
    return 1.0 / seconds["copy"], 1.0 / seconds["multiply"]


def _waited_for(device: str, units: int) -> int:
    if device == "cuda":
        torch.cuda.synchronize()
    return units
