"""Splits of a sweep, and those that leave too little to test on."""

from collections.abc import Iterator

import numpy as np

from effective_theory.mirrors import FEW_STRICT
from phase_diagrams.sweeps.cell import Cell
from phase_diagrams.sweeps.spec import SweepSpec


def cells_of_splits(spec: SweepSpec) -> Iterator[Cell]:
    """Yield one cell of each split, by seeds and training sizes.

    For each of these there is one split, unless the start says that it follows a swept setting: the
    published ones draw the targets before it.
    """
    names = ("train_size", *spec.registered_start.split_follows)
    lengths = [len(axis) if name in names else 1 for name, axis in spec.grid.items()]
    for seed_index in range(len(spec.seeds)):
        for place in np.ndindex(*lengths):
            yield spec.cell((*place, seed_index))


def strict_samples(spec: SweepSpec) -> list[tuple[int, int | None]]:
    """Return the training size of each split, and how many test samples have an unseen mirror.

    The splits come as by `cells_of_splits`. None where mirrors do not matter to a split, and no
    splits where they do not matter to the system.
    """
    strict_test = spec.system.strict_test
    if strict_test is None:
        return []
    found = ((cell.train_size, strict_test(cell.split())) for cell in cells_of_splits(spec))
    return [(size, None if some is None else len(some)) for size, some in found]


def few_strict_samples(spec: SweepSpec) -> list[str]:
    """Return a sentence where splits leave few test samples whose mirror is not in training."""
    splits = strict_samples(spec)
    few = [(size, n) for size, n in splits if n is not None and n < FEW_STRICT]
    if not few:
        return []
    sizes = ", ".join(str(size) for size in sorted({size for size, _ in few}))
    least = min(n for _, n in few)
    undefined = "" if least else ", or is not defined"
    return [
        f"few strict test samples: {len(few)} of {len(splits)} splits have fewer than {FEW_STRICT} "
        f"whose mirror is not in training, as few as {least} (training sizes {sizes}); their test "
        f"accuracy says little{undefined}"
    ]
