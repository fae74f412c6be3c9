"""Minibatches: which training samples each update takes, drawn outside the compiled loop."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from effective_theory.checks import InputError
from effective_theory.dataset import Dataset

Indices = NDArray[np.int64]

#: Returns the samples of the next updates, (updates, batch size), as places in ``dataset.train``.
Draw = Callable[[int], Indices]


class Minibatches(Protocol):
    """A stream of minibatches: equal ones give the same samples."""

    def begin(self, dataset: Dataset, batch_size: int) -> Draw:
        """Return the stream from its first update on.

        Which samples it gives does not depend on how many updates are drawn at a time. Within an
        update no sample is drawn twice; updates are independent.
        """


@dataclass(frozen=True)
class SeededBatches:
    """Minibatches of this project: each sample draws a key, the least keys are the batch.

    Parameters
    ----------
    seed
        Seed of the keys.
    """

    seed: int

    def begin(self, dataset: Dataset, batch_size: int) -> Draw:
        """Return the stream from its first update on."""
        generator, samples = np.random.default_rng(self.seed), dataset.train_size

        def draw(updates: int) -> Indices:
            keys = generator.random((updates, samples))
            return np.argsort(keys, axis=1)[:, :batch_size].astype(np.int64)

        return draw


@dataclass(frozen=True)
class ReleasedBatches:
    """Minibatches of the authors' released code, bit for bit.

    Each update draws ``choice(arange(n), batch_size, replace=False)`` from the generator that has
    drawn the training samples; what it draws are places in their order of drawing.

    Parameters
    ----------
    words, position
        State of the Mersenne twister behind the training samples: its 624 words, and how many of
        them have been used.
    drawn
        The training samples in the order in which they were drawn.
    """

    words: tuple[int, ...]
    position: int
    drawn: tuple[int, ...]

    @classmethod
    def after(cls, draws: np.random.RandomState, drawn: Indices) -> "ReleasedBatches":
        """Return what a generator will give that has just drawn the training samples."""
        twister = dict(draws.get_state(legacy=False))["state"]
        return cls(tuple(twister["key"].tolist()), int(twister["pos"]), tuple(drawn.tolist()))

    def begin(self, dataset: Dataset, batch_size: int) -> Draw:
        """Return the stream from its first update on.

        Raises
        ------
        InputError
            If the training samples are not those that were drawn.
        """
        if sorted(self.drawn) != dataset.train.tolist():
            raise InputError(
                "initial_state has the minibatches of another split; train it on the Dataset that "
                "was drawn with it."
            )
        generator = np.random.RandomState()  # noqa: NPY002 (the published generator)
        generator.set_state(("MT19937", np.array(self.words, np.uint32), self.position, 0, 0.0))
        places = np.searchsorted(dataset.train, self.drawn)

        def draw(updates: int) -> Indices:
            some = [
                generator.choice(len(places), batch_size, replace=False) for _ in range(updates)
            ]
            return places[np.array(some, np.int64).reshape(updates, batch_size)]

        return draw
