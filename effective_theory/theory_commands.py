"""What `python -m effective_theory figure` and `critical-size` do."""

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from effective_theory.checks import InputError
from effective_theory.critical_size import critical_training_sizes
from effective_theory.figures import FIGURES
from effective_theory.files import save_figure
from effective_theory.scaling import isolated_symbol_estimate
from effective_theory.tasks import Addition
from effective_theory.unique_line import critical_fraction, unique_line_curve

#: Above this the printed table leaves sizes out.
_MOST_LINES = 60
_STEPS: list[int] = [factor * 10**power for power in range(8) for factor in (1, 2, 5)]


def figure(name: Literal["4a", "4c", "4d", "5a"], out: Path) -> None:
    """Draw one of the paper's figures into a file.

    Parameters
    ----------
    name
        Number of the figure: 4a, 4c, 4d or 5a.
    out
        File to write; its ending decides the format (.png, .pdf, .svg).

    Raises
    ------
    InputError
        If the figure or the format is unknown, or the file cannot be written.
    """
    if name not in FIGURES:
        raise InputError(f"name must be one of {', '.join(FIGURES)}, not {name!r}.")
    save_figure(FIGURES[name](), out)
    print(f"picture: {out}")


def critical_size(
    p: int = 10, orders: int = 10_000, seed: int = 0, jobs: int | None = None
) -> None:
    """Print P(the line is the only solution) for each training size, and r_c.

    Parameters
    ----------
    p
        Number of symbols.
    orders
        Random orders in which the training set grows.
    seed
        Seed of the random orders.
    jobs
        Processes; one by default. The numbers do not depend on it.
    """
    task = Addition(p)
    found = critical_training_sizes(task, orders=orders, rng=seed, n_jobs=jobs, progress=True)
    curve = unique_line_curve(found, _printed_sizes(task.size, found))
    print(f"Addition, p = {p}, N = {task.size} samples, {orders} random orders, seed {seed}")
    print(f"{'train_size':>10} {'fraction':>9} {'P(unique)':>10} {'low':>8} {'high':>8}")
    for row in zip(curve.sizes, curve.probability, curve.low, curve.high, strict=True):
        size, probability, low, high = row
        print(f"{size:>10} {size / task.size:>9.4f} {probability:>10.4f} {low:>8.4f} {high:>8.4f}")
    r_c = critical_fraction(task, found)
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
