"""The ideal test accuracy of each split: what theory allows it, known before training.

For the toy model on addition it follows from the parallelograms. A random split can make
generalisation impossible: with 45 of 55 pairs a quarter of them leave the ideal test accuracy below
0.9. A sweep warns of each such seed.
"""

from dataclasses import dataclass

from phase_diagrams.sweeps.seeds import Seed
from phase_diagrams.sweeps.spec import SweepSpec
from phase_diagrams.sweeps.splits import cells_of_splits
from phase_diagrams.wording import seed_name


@dataclass(frozen=True, repr=False)
class IdealAccuracies:
    """Ideal test accuracy of the splits of a sweep, known before training.

    For the toy model it is that of `effective_theory.ideal_accuracy` (Liu et al. 2022, section
    3.2).

    Attributes
    ----------
    values
        Ideal test accuracy of each (training size, seed), a fraction; None where it is not defined,
        as the task has no line. The least, where swept settings change a start's split. Empty for
        systems without such a theory.
    threshold
        Least test accuracy that counts as generalisation; the least of several.
    """

    values: dict[tuple[int, Seed], float | None]
    threshold: float

    def __repr__(self) -> str:
        """Return the number of splits and of those below the threshold."""
        low = sum(self._is_low(value) for value in self.values.values())
        return f"IdealAccuracies({len(self.values)} splits, {low} below {self.threshold:g})"

    def __str__(self) -> str:
        """Return one sentence for each split."""
        sentences = (self._sentence(*place, value) for place, value in self.values.items())
        return "\n".join(sentences)

    def warnings(self) -> list[str]:
        """Return a sentence for each split whose ideal test accuracy is below the threshold."""
        return [
            self._sentence(size, seed, value)
            for (size, seed), value in self.values.items()
            if self._is_low(value)
        ]

    def _is_low(self, value: float | None) -> bool:
        return value is not None and value < self.threshold

    def _sentence(self, size: int, seed: Seed, value: float | None) -> str:
        accuracy = "not defined for this task" if value is None else f"{value:.2f}"
        low = f", below {self.threshold:g}: do not expect generalisation"
        return (
            f"ideal test accuracy of {seed_name(seed)} with {size} training samples: {accuracy}"
            f"{low if self._is_low(value) else ''}"
        )


def ideal_accuracies(spec: SweepSpec) -> IdealAccuracies:
    """Return the ideal test accuracy of each training size and seed; none without a theory."""
    system = spec.system
    if system.ideal_accuracy is None:
        return IdealAccuracies({}, 0.0)
    values: dict[tuple[int, Seed], float | None] = {}
    for cell in cells_of_splits(spec):
        place = cell.train_size, spec.seeds[cell.index[-1]]
        value = system.ideal_accuracy(cell.split())
        other = values.get(place, value)
        values[place] = value if value is None or other is None else min(value, other)
    return IdealAccuracies(values, min(spec.thresholds("test")))
