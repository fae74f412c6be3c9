"""The measurements that are recorded while a toy model trains."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class History:
    """Measurements at recorded updates, each an array over the records.

    Attributes
    ----------
    update
        Completed updates, shape (records,).
    train_loss, test_loss, train_accuracy, test_accuracy, rqi
        Measured on the state after ``update`` updates, shape (records,) each. Losses are without
        the penalty on embeddings; accuracies and RQI are fractions. RQI is NaN where it is not
        defined.
    embeddings
        Embeddings of that state, shape (records, p, d).
    """

    update: NDArray[np.int64]
    train_loss: NDArray[np.float64]
    test_loss: NDArray[np.float64]
    train_accuracy: NDArray[np.float64]
    test_accuracy: NDArray[np.float64]
    rqi: NDArray[np.float64]
    embeddings: Array

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self.update)

    def __repr__(self) -> str:
        """Return how many records there are, and of which updates."""
        if len(self) == 0:
            return "History(no records)"
        return f"History({len(self)} records of updates {self.update[0]} to {self.update[-1]})"
