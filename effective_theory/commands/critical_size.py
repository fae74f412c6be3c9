"""``critical-size``: how many training samples make the line the only solution."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from effective_theory.checks import integer, jobs
from effective_theory.critical_size.curve import critical_fraction, unique_line_curve
from effective_theory.critical_size.growth import isolated_symbol_estimate
from effective_theory.critical_size.sizes import critical_training_sizes
from effective_theory.tasks import Addition

#: Above this the printed table leaves sizes out.
_MOST_LINES = 60
_STEPS: list[int] = [factor * 10**power for power in range(8) for factor in (1, 2, 5)]


@dataclass(frozen=True)
class CriticalSize:
    """Print P(the line is the only solution) for each training size, and r_c."""

    p: int = 10
    """Number of symbols."""
    orders: int = 10_000
    """Random orders in which the training set grows."""
    seed: int = 0
    """Seed of the random orders."""
    jobs: int | None = None
    """Processes; one by default. The numbers do not depend on it."""

    def run(self) -> None:
        """Measure and print."""
        task, p = Addition(self.p), self.p
        critical = critical_training_sizes(
            task,
            orders=self.orders,
            rng=integer("seed", self.seed, 0),
            n_jobs=jobs("jobs", self.jobs),
            progress=True,
        )
        curve = unique_line_curve(critical, _printed_sizes(task.size, critical))
        print(
            f"Addition, p = {p}, N = {task.size} samples, "
            f"{self.orders} random orders, seed {self.seed}"
        )
        print(f"{'train_size':>10} {'fraction':>9} {'P(unique)':>10} {'low':>8} {'high':>8}")
        for row in zip(curve.sizes, curve.probability, curve.low, curve.high, strict=True):
            size, share, low, high = row
            print(f"{size:>10} {size / task.size:>9.4f} {share:>10.4f} {low:>8.4f} {high:>8.4f}")
        r_c = critical_fraction(task, critical)
        print(
            f"r_c = {r_c.value:.5f} (95 % interval {r_c.low:.5f} to {r_c.high:.5f}), "
            f"|D_c| = {r_c.size:.2f} = {r_c.size / p:.3f} p"
        )
        if p >= 3:
            estimate = isolated_symbol_estimate(p)
            print(f"Estimate from isolated symbols: |D_c| = {estimate:.2f} = {estimate / p:.3f} p")


def _printed_sizes(samples: int, critical_sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return all sizes, or at most about 60 of those where the share is not exactly 0 or 1."""
    if samples <= _MOST_LINES:
        return np.arange(1, samples + 1)
    sizes = np.arange(critical_sizes.min() - 1, critical_sizes.max() + 1)
    step = next(step for step in _STEPS if step * _MOST_LINES >= len(sizes))
    printed: NDArray[np.int64] = sizes[sizes % step == 0]
    return printed
