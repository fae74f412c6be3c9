"""Seeds of runs: each is a pair, of the split and of the initialisation."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from effective_theory import InputError
from effective_theory.checks import integer, is_sequence, shown

#: Seeds of the split (with the targets) and of the initialisation.
Seed = tuple[int, int]


def checked_seed(seed: Any) -> Seed:
    """Return a seed of whole numbers from 0 on, or raise InputError."""
    if not is_sequence(seed) or len(seed) != 2:
        raise InputError(f"seed must be a pair such as (0, 0), not {shown(seed)}.")
    return integer("split seed", seed[0], 0), integer("init seed", seed[1], 0)


def settled_seeds(seeds: Any) -> tuple[Seed, ...]:
    """Return seeds as pairs, of which one integer stands for an equal one.

    Raises
    ------
    InputError
        If one is no seed or is there twice, or there are none.
    """
    if not is_sequence(seeds):
        raise InputError(f"seeds must be a sequence such as (0, 1, 2), not {shown(seeds)}.")
    settled: list[Seed] = []
    for seed in seeds:
        if isinstance(seed, Sequence) and not isinstance(seed, str | bytes) and len(seed) == 2:
            settled.append(checked_seed(seed))
        else:
            number = integer("seeds", seed, 0)
            settled.append((number, number))
    if not settled:
        raise InputError("seeds are empty; give at least one.")
    if len(set(settled)) != len(settled):
        raise InputError("seeds are repeated; give each seed once.")
    return tuple(settled)


def seed_groups(seeds: Sequence[Seed]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the number of each run's split among all splits, and that of its initialisation.

    NumPy has no integers for seeds beyond 2**63 beside small ones: it would make them floats, of
    which several are one.
    """
    splits, initialisations = zip(*seeds, strict=True)
    return _numbered(splits), _numbered(initialisations)


def _numbered(seeds: Sequence[int]) -> NDArray[np.int64]:
    numbers = {seed: number for number, seed in enumerate(sorted(set(seeds)))}
    return np.array([numbers[seed] for seed in seeds])
