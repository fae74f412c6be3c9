"""What one program did with one cell, update by update."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Trajectory:
    """The training of one cell by one program, at the same updates as the others.

    Attributes
    ----------
    train_loss, rqi
        Shape (updates,).
    embeddings
        Shape (updates, p, d).
    """

    train_loss: Values
    rqi: Values
    embeddings: Values

    def distance(self, other: "Trajectory") -> Values:
        """Root mean square difference of embeddings, relative to the other's own, (updates,)."""
        difference = np.square(self.embeddings - other.embeddings).mean(axis=(1, 2))
        size = np.square(other.embeddings).mean(axis=(1, 2))
        distance: Values = np.sqrt(difference / size)
        return distance

    def __repr__(self) -> str:
        """Return at how many updates the run was recorded."""
        return f"Trajectory({len(self.train_loss)} updates)"
