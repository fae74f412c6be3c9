"""How fast a device moves memory and multiplies matrices of float32, at the most."""

import statistics
import time
from collections.abc import Callable

import torch

from validation.batch import full_precision

#: Numbers that are copied, beyond any cache; and side of the matrices that are multiplied.
_NUMBERS = {"cpu": 2**26, "cuda": 2**28}
_SIDE = {"cpu": 1024, "cuda": 8192}


def bytes_a_second(device: str) -> float:
    """Return how many bytes a copy reads and writes in a second."""
    source = torch.rand(_NUMBERS[device], device=device)
    target = torch.empty_like(source)
    return 2 * source.nbytes / _median_seconds(device, lambda: target.copy_(source))


def flop_a_second(device: str) -> float:
    """Return how many operations a product of large matrices makes in a second, without TF32."""
    side = _SIDE[device]
    a, b = torch.rand(2, side, side, device=device)
    with full_precision():
        return 2 * side**3 / _median_seconds(device, lambda: a @ b)


def _median_seconds(device: str, work: Callable[[], object]) -> float:
    seconds = []
    for _ in range(10):
        began = time.perf_counter()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - began)
    # The first ones set the libraries up.
    return statistics.median(seconds[3:])
