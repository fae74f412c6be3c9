"""Starts that differ from a registered one by one unit in the last place of each embedding.

Two runs from such starts are the same run to any eye. Where they end in different phases, rounding
decides, and so it does between the simulator and PyTorch.
"""

from dataclasses import dataclass, replace

import numpy as np

from effective_theory import BinaryOperation, Dataset, InitialState, InputError, ToyModel
from effective_theory.checks import integer
from phase_diagrams.sweeps.seeds import Seed
from phase_diagrams.sweeps.starts import register_start, start
from phase_diagrams.toy.system import TOY


@dataclass(frozen=True)
class NudgedStart:
    """The recipe of a start whose embeddings are nudged.

    Attributes
    ----------
    base
        Name of the start that is nudged.
    number
        Which nudge: each has a pattern of its own for each initialisation seed.
    """

    base: str
    number: int

    def __call__(
        self, model: ToyModel, task: BinaryOperation, train_size: int, seed: Seed
    ) -> tuple[Dataset, InitialState]:
        """Draw the start and move each embedding up or down to the next float32."""
        dataset, state = start(TOY, self.base).recipe(model, task, train_size, seed)
        pattern = np.random.default_rng(np.random.SeedSequence([self.number, seed[1]]))
        signs = pattern.choice([-np.inf, np.inf], state.embeddings.shape).astype(np.float32)
        return dataset, replace(state, embeddings=np.nextafter(state.embeddings, signs))


def nudged_starts(base: str, count: int) -> list[str]:
    """Register the first nudges of a start and return their names.

    A sweep names one of them as its ``start``: "released-nudged-1" and so on. The name is a part of
    each cell's identity, so nudged runs stand beside the others in a store; to load them again call
    this first.

    Parameters
    ----------
    base
        Name of a registered start.
    count
        Number of nudges, 1 to 10 000.

    Raises
    ------
    InputError
        If there is no such start, it is nudged already, or the count is out of its range.

    Examples
    --------
    >>> nudged_starts("released", 2)
    ['released-nudged-1', 'released-nudged-2']
    """
    original = start(TOY, base)
    if isinstance(original.recipe, NudgedStart):
        raise InputError(f'base must be a start that is not nudged, not "{base}".')
    names = []
    for number in range(1, integer("count", count, 1, 10_000) + 1):
        names.append(f"{base}-nudged-{number}")
        if names[-1] not in TOY.starts:
            register_start(
                names[-1],
                NudgedStart(base, number),
                fixed=original.fixed,
                batches=original.batches,
                split=original.split,
            )
    return names
