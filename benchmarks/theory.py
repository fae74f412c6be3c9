"""Time the effective theory on one core, after compilation: `python benchmarks/theory.py`."""

import resource
import sys
import time
from collections.abc import Callable

import numpy as np
from machine import describe_machine, pin_to_one_core
from threadpoolctl import threadpool_limits

from effective_theory import (
    Addition,
    Dataset,
    critical_training_sizes,
    degrees_of_freedom,
    effective_trajectory,
    gram_matrix,
    grokking_rate,
    ideal_accuracy,
    predicted_accuracy,
    rqi,
    standardise,
    unique_line_probability,
)


def best(function: Callable[[], object], repeats: int) -> float:
    """Return the shortest wall time of several calls after one that compiles, in seconds."""
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def report(what: str, function: Callable[[], object], target: float | None, repeats: int) -> bool:
    """Print the time beside its target and return whether it is met."""
    seconds = best(function, repeats)
    wanted = f"at most {target:g} s" if target is not None else ""
    print(f"{what:<58} {seconds * 1e3:>10.2f} ms   {wanted}", flush=True)
    return target is None or seconds <= target


def main() -> int:
    """Run all benchmarks; the exit status is 1 where a target is missed."""
    core = pin_to_one_core()
    print(f"{describe_machine()}; on core {core}")
    thousand = Addition(1000)
    near = Dataset.split(thousand, 5000, rng=0)
    half = Dataset.split(thousand, thousand.size // 2, rng=0)
    prime = Addition(113)
    prime_split = Dataset.split(prime, prime.size // 2, rng=0)
    rng = np.random.default_rng(0)
    line = np.arange(113.0)[:, None] + 0.01 * rng.standard_normal((113, 1))
    wide = np.arange(113.0)[:, None] + 0.01 * rng.standard_normal((113, 128))
    start = standardise(rng.uniform(-0.5, 0.5, (1000, 1)))
    sizes = np.arange(1, 56)
    met = [
        report(
            "55 probabilities from 10 000 orders, p = 10",
            lambda: unique_line_probability(10, sizes, orders=10_000, rng=0),
            *(1.0, 5),
        ),
        report(
            "one critical size, p = 1000",
            lambda: critical_training_sizes(thousand, orders=1, rng=0),
            *(5.0, 5),
        ),
        report("grokking_rate, p = 1000, |D| = 5000", lambda: grokking_rate(near), 1.0, 3),
        report("grokking_rate, p = 1000, |D| = N / 2", lambda: grokking_rate(half), 1.0, 3),
        report("rqi, p = 113, d = 1", lambda: rqi(line, prime), 0.01, 20),
        report("rqi, p = 113, d = 128, near the line", lambda: rqi(wide, prime), None, 5),
        report(
            "predicted_accuracy, p = 113, d = 1",
            lambda: predicted_accuracy(line, prime_split),
            *(None, 20),
        ),
        report("degrees_of_freedom, p = 1000", lambda: degrees_of_freedom(near), None, 3),
        report("ideal_accuracy, p = 1000", lambda: ideal_accuracy(near), None, 3),
        report("gram_matrix, p = 1000, |D| = N / 2", lambda: gram_matrix(half), None, 3),
        report(
            "effective_trajectory, p = 1000, 100 times",
            lambda: effective_trajectory(start, near, np.linspace(0.0, 1e3, 100)),
            *(None, 3),
        ),
    ]
    # Linux counts in kilobytes, macOS in bytes.
    unit = 2**20 if sys.platform != "darwin" else 2**30
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    print(f"{'peak memory of this process':<58} {peak:>10.2f} GiB  at most 1 GiB")
    met.append(peak <= 1.0)
    return 0 if all(met) else 1


if __name__ == "__main__":
    with threadpool_limits(limits=1):
        sys.exit(main())
