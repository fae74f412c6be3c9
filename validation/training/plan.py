"""How long a network is trained, and how often it is looked at."""

from dataclasses import dataclass

from effective_theory.checks import fraction, integer, of_type


@dataclass(frozen=True)
class Plan:
    """How long a network is trained and how often it is looked at.

    Parameters
    ----------
    updates
        Budget, in updates.
    evaluate_every
        Updates between two evaluations.
    train_threshold, test_threshold
        Accuracies whose first evaluations are noted.
    in_a_row
        Evaluations in a row that make a crossing stable: Adam at high rates loses what it has
        learned, and learns it again.
    stop_at
        Test accuracy, the strict one where it is defined, at which a run stops; None for never.
    stop_at_both
        Whether a run stops where train and test accuracy have both been at their thresholds.
    stop_after
        Updates for which a run goes on after either of these.
    fold
        Whether `Network.folded` is used where it is the same function: without dropout.
    compiled
        Whether updates are compiled by torch.compile, which takes a minute first.

    Raises
    ------
    InputError
        If a field is out of its range.
    """

    updates: int
    evaluate_every: int = 10
    train_threshold: float = 0.95
    test_threshold: float = 0.95
    in_a_row: int = 5
    stop_at: float | None = None
    stop_at_both: bool = False
    stop_after: int = 0
    fold: bool = True
    compiled: bool = False

    def __post_init__(self) -> None:
        integer("updates", self.updates, 1)
        for name in ("evaluate_every", "in_a_row"):
            integer(name, getattr(self, name), 1)
        integer("stop_after", self.stop_after, 0)
        for name in ("train_threshold", "test_threshold"):
            fraction(name, getattr(self, name))
        if self.stop_at is not None:
            fraction("stop_at", self.stop_at)
        for name in ("stop_at_both", "fold", "compiled"):
            of_type(name, getattr(self, name), bool, "True or False")
