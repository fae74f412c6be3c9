"""Prediction: how sure a diagram is of its predicted cells, and what that took."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phase_diagrams.phases import RUN_PHASES


@dataclass(frozen=True, eq=False)
class Prediction:
    """What `predict` says of each cell, and the runs that it made.

    Attributes
    ----------
    probabilities
        Probability of each phase that a run can have, in the order of `Phase`, shape
        (axes..., seeds, phases). NaN where nothing is known; 1 and 0 for measured cells.
    probes
        Number of probes.
    updates
        Updates that the probes ran in all.
    probed
        Which cells of the sweep a probe measured, shape (axes..., seeds).
    lengths
        Updates that each cell's run takes, as far as probes tell, shape (axes..., seeds).
    is_part
        Whether these are some of the sweep's cells, beside the probes of all.
    """

    probabilities: NDArray[np.float64]
    probes: int
    updates: int
    probed: NDArray[np.bool_]
    lengths: NDArray[np.float64]
    is_part: bool = False

    def __repr__(self) -> str:
        """Return how many probes there were and how many cells they are sure of."""
        sure, known = int((self.certainty >= 0.9).sum()), int((~np.isnan(self.certainty)).sum())
        return (
            f"Prediction({self.probes} probes, {self.updates} updates; "
            f"{sure} of {known} cells with a probability of 0.9 or more)"
        )

    @property
    def certainty(self) -> NDArray[np.float64]:
        """Probability of each cell's likeliest phase, of the sweep's shape; NaN if not known."""
        return np.asarray(self.probabilities.max(axis=-1))

    def doubtful(self, below: float) -> NDArray[np.bool_]:
        """Return where the likeliest phase has a smaller probability, or where none is known."""
        return np.asarray(np.isnan(self.certainty) | (self.certainty < below))

    def certainty_at(self, index: tuple[int, ...]) -> float | None:
        """Return the probability of a cell's likeliest phase; None where nothing is known."""
        certainty = float(self.probabilities[index].max())
        return None if math.isnan(certainty) else certainty

    def measured_at(
        self, phases: NDArray[np.integer[Any]], measured: NDArray[np.bool_]
    ) -> "Prediction":
        """Return the prediction beside runs, whose phases have probability 1."""
        probabilities = self.probabilities.copy()
        probabilities[measured] = phases[measured][:, None] == np.array(RUN_PHASES)
        return dataclasses.replace(self, probabilities=probabilities)

    def part(self, cut: tuple[slice | int, ...]) -> "Prediction":
        """Return the prediction of a part of the sweep, with all of its probes."""
        probabilities = self.probabilities[cut].copy()
        return dataclasses.replace(
            self,
            probabilities=probabilities,
            probed=self.probed[cut].copy(),
            lengths=self.lengths[cut].copy(),
            is_part=self.is_part or probabilities.size < self.probabilities.size,
        )

    def spread(self, places: tuple[slice, ...], shape: tuple[int, ...]) -> "Prediction":
        """Return the prediction on a larger grid, of which it is known at some places."""
        probabilities = np.full((*shape, self.probabilities.shape[-1]), np.nan)
        lengths, probed = np.full(shape, np.nan), np.zeros(shape, bool)
        probabilities[places], lengths[places] = self.probabilities, self.lengths
        probed[places] = self.probed
        return Prediction(probabilities, self.probes, self.updates, probed, lengths, self.is_part)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that a file keeps, by name; `from_arrays` reads them."""
        return {
            "probabilities": self.probabilities,
            "lengths": self.lengths,
            "probed": self.probed.astype(np.int8),
            "spent": np.array([self.probes, self.updates]),
            **({"is_part": np.array(1)} if self.is_part else {}),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Prediction":
        """Return the prediction that a file keeps."""
        probes, updates = arrays["spent"].tolist()
        probed, is_part = arrays["probed"] == 1, bool(arrays.get("is_part", False))
        return cls(arrays["probabilities"], probes, updates, probed, arrays["lengths"], is_part)

    @property
    def phases(self) -> NDArray[np.int8]:
        """The likeliest phase of each cell; NOT_RUN where nothing is known."""
        known = ~np.isnan(self.certainty)
        likeliest = np.nan_to_num(self.probabilities).argmax(axis=-1)
        places = np.array([int(phase) for phase in RUN_PHASES])
        return np.where(known, places[likeliest], -1).astype(np.int8)
