"""Results: what is known of each cell of a sweep, as arrays."""

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phase_diagrams.phases import Phase, Source, classify_all
from phase_diagrams.runs.origin import Origin
from phase_diagrams.runs.summary import RunSummary

Steps = np.ma.MaskedArray[Any, np.dtype[np.int64]]

#: What a run reaches or not, each with an array of updates.
STEPS = ("train", "test", "rqi", "diverged")
#: How a run ended, by its place here.
STATUSES = ("not run", "finished", "stopped", "diverged")
#: The arrays of results by name, as a file keeps them.
ARRAYS = (*STEPS, "status", "source", "unmeasured")


class Results:
    """What is known of each cell of a sweep; all arrays have the shape of its axes, then seeds.

    Parameters
    ----------
    arrays
        By name: the first update of each run at which "train", "test" and "rqi" reached their
        thresholds and at which it "diverged", -1 where never; its "status", a place in `STATUSES`;
        the "source" of its phase, an integer of `Source`; and the phase of a cell that was
        "unmeasured", an integer of `Phase`.
    origins
        The `Origin` of each run; None where it is not known, or no run was made.
    """

    def __init__(
        self,
        arrays: dict[str, NDArray[np.integer[Any]]],
        origins: NDArray[np.object_] | None = None,
    ) -> None:
        self.arrays = arrays
        shape = arrays["source"].shape
        self._origins = np.full(shape, None, dtype=object) if origins is None else origins

    @classmethod
    def none(cls, shape: tuple[int, ...]) -> "Results":
        """Return the results of a sweep of which nothing was run."""
        arrays: dict[str, NDArray[np.integer[Any]]] = {
            name: np.full(shape, -1, np.int64) for name in STEPS
        }
        arrays |= {name: np.zeros(shape, np.int8) for name in ("status", "source")}
        return cls(arrays | {"unmeasured": np.full(shape, Phase.NOT_RUN, np.int8)})

    def part(self, cut: tuple[int | slice, ...] = ()) -> "Results":
        """Return a copy of the results at some places, by default of all."""
        arrays = {name: array[cut].copy() for name, array in self.arrays.items()}
        return Results(arrays, self._origins[cut].copy())

    def record(self, index: tuple[int, ...], summary: RunSummary) -> None:
        """Enter the result of the run at ``index``."""
        for name in STEPS:
            step = getattr(summary, f"{name}_step")
            self.arrays[name][index] = -1 if step is None else step
        self.arrays["status"][index] = STATUSES.index(summary.status)
        self.arrays["source"][index] = Source.MEASURED
        self.arrays["unmeasured"][index] = Phase.NOT_RUN
        self._origins[index] = summary.origin

    def take(self, places: tuple[slice, ...], other: "Results") -> None:
        """Enter other results, measured and predicted ones, at these places.

        What was measured here stays.
        """
        for source in (Source.MEASURED, Source.PREDICTED):
            taken = (other.source == source) & ~self.measured[places]
            for name, values in self.arrays.items():
                values[places][taken] = other.arrays[name][taken]
            self._origins[places][taken] = other._origins[taken]

    def enter(self, phases: NDArray[np.integer[Any]], source: Source) -> None:
        """Enter phases that stand for cells that were not measured; NOT_RUN where none is known.

        They replace earlier ones of the same source, and leave those of another one.
        """
        unmeasured, sources = self.arrays["unmeasured"], self.arrays["source"]
        own = (sources == Source.NOT_RUN) | (sources == source)
        unmeasured[own] = phases[own]
        sources[own] = np.where(unmeasured[own] < 0, Source.NOT_RUN, source)

    @property
    def source(self) -> NDArray[np.integer[Any]]:
        """Where each cell's phase comes from (integers of `Source`)."""
        return self.arrays["source"]

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Where a run was made."""
        return np.asarray(self.source == Source.MEASURED)

    @property
    def origins(self) -> dict[Origin | None, int]:
        """Number of runs from each origin, the commonest first."""
        return dict(Counter(self._origins[self.measured]).most_common())

    def steps(self, name: str) -> Steps:
        """Return one of the arrays of `STEPS`, masked where never."""
        return np.ma.masked_less(self.arrays[name], 0)

    def phases(self, lag: int) -> NDArray[np.int8]:
        """Return the phase of each cell (integers of `Phase`), at a least lag of grokking."""
        train, test, diverged = (self.arrays[name] for name in ("train", "test", "diverged"))
        phases = classify_all(train, test, diverged >= 0, lag=lag)
        return np.where(self.measured, phases, self.arrays["unmeasured"])
