"""What a benchmark says about where it ran, and how it times."""

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping

from effective_theory import Dataset, ToyModel, machine


def pin_to_one_core() -> int:
    """Keep this process on its last core and return that core's number."""
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return core


def describe_machine() -> str:
    """Return processor, number of cores, system and Python."""
    return f"{machine.describe_machine()}, Python {platform.python_version()}"


def flop(model: ToyModel, dataset: Dataset) -> int:
    """Return the multiplications and additions of one step's matrix products.

    Each weight takes part in a product forward for every sample, and in two backward for a training
    sample.
    """
    d, width, _, outputs = model.layer_sizes(dataset.operation)
    weights = d * width + width * width + width * outputs
    return 2 * weights * (dataset.task.size + 2 * dataset.train_size)


def interleaved_medians(sides: Mapping[str, Callable[[], int]], repeats: int) -> dict[str, float]:
    """Return the median seconds of one unit of work for each side.

    Sides take turns, so that a drift of the machine meets all alike. Each call returns how many
    units it did.
    """
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for side in sides.values():
        side()
    for _ in range(repeats):
        for name, side in sides.items():
            began = time.perf_counter()
            units = side()
            seconds[name].append((time.perf_counter() - began) / units)
    return {name: statistics.median(times) for name, times in seconds.items()}
