"""PhaseDiagram: the results of a sweep on its axes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from effective_theory import Dataset, InitialState, InputError, ToyModel
from phase_diagrams.ideal import IdealAccuracies, ideal_accuracies
from phase_diagrams.phases import Phase, classify
from phase_diagrams.spec import Cell, SweepSpec
from phase_diagrams.summary import RunSummary

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.figure import Figure

Steps = np.ma.MaskedArray[Any, np.dtype[np.int64]]


#: Seeds in one picture, each with panels of its own.
MOST_PANELS = 16


class Source(IntEnum):
    """Where a cell's phase comes from."""

    NOT_RUN = 0
    MEASURED = 1
    INFERRED = 2


_STATUSES = ("not run", "finished", "stopped", "diverged")
_STEPS = ("train", "test", "rqi", "diverged")
_STORED = (*_STEPS, "status", "source")


@dataclass(eq=False)
class PhaseDiagram:
    """Results of a sweep; all arrays have the shape of its axes, then seeds.

    Attributes
    ----------
    spec
        The sweep.
    train_step, test_step, rqi_step, diverged_step
        Completed updates, masked where never reached.
    phases
        Stored integers of `Phase`.
    source
        Stored integers of `Source`: measured, inferred or not run.
    """

    spec: SweepSpec
    _arrays: dict[str, NDArray[np.integer[Any]]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if not self._arrays:
            shape = self.spec.shape
            self._arrays = {name: np.full(shape, -1, np.int64) for name in _STEPS}
            self._arrays |= {name: np.zeros(shape, np.int8) for name in ("status", "source")}

    def record(self, index: tuple[int, ...], summary: RunSummary) -> None:
        """Enter the result of the run at ``index``."""
        for name in _STEPS:
            step = getattr(summary, f"{name}_step")
            self._arrays[name][index] = -1 if step is None else step
        self._arrays["status"][index] = _STATUSES.index(summary.status)
        self._arrays["source"][index] = Source.MEASURED

    def _steps(self, name: str) -> Steps:
        return np.ma.masked_less(self._arrays[name], 0)

    @property
    def train_step(self) -> Steps:
        """First update with the train accuracy at its threshold; masked if never."""
        return self._steps("train")

    @property
    def test_step(self) -> Steps:
        """First update with the test accuracy at its threshold; masked if never."""
        return self._steps("test")

    @property
    def rqi_step(self) -> Steps:
        """First update with RQI above its threshold; masked if never while the run lasted."""
        return self._steps("rqi")

    @property
    def diverged_step(self) -> Steps:
        """First update with a non-finite loss or parameter; masked if none."""
        return self._steps("diverged")

    @property
    def source(self) -> NDArray[np.integer[Any]]:
        """Whether each cell was measured, inferred or not run (integers of `Source`)."""
        return self._arrays["source"]

    @property
    def phases(self) -> NDArray[np.int8]:
        """Phase of each run (integers of `Phase`)."""
        phases = np.full(self.spec.shape, Phase.NOT_RUN, np.int8)
        for index in zip(*np.nonzero(self.source), strict=True):
            phases[index] = classify(
                int(self._arrays["train"][index]),
                int(self._arrays["test"][index]),
                diverged=bool(self._arrays["diverged"][index] >= 0),
                lag=self.spec.lag,
            )
        return phases

    def counts(self) -> dict[Phase, int]:
        """Return the number of runs in each phase, those that were not run under NOT_RUN."""
        phases = self.phases
        return {phase: int((phases == phase).sum()) for phase in Phase}

    @cached_property
    def ideal_test_accuracy(self) -> IdealAccuracies:
        """Ideal test accuracy of each training size and seed, known before training."""
        return ideal_accuracies(self.spec)

    def __repr__(self) -> str:
        """Return the axes and the number of runs in each phase."""
        axes = " x ".join(f"{name}[{len(axis)}]" for name, axis in self.spec.grid.items())
        counts = ", ".join(f"{phase.label} {n}" for phase, n in self.counts().items() if n)
        return f"PhaseDiagram({axes} x seeds[{len(self.spec.seeds)}]: {counts})"

    @property
    def fits_a_picture(self) -> bool:
        """Whether one picture can show the sweep: one or two axes, not too many seeds."""
        return len(self.spec.grid) <= 2 and len(self.spec.seeds) <= MOST_PANELS

    def find(self, *, seed: int | tuple[int, int] | None = None, **values: Any) -> Cell:
        """Return the run with these values of the axes, rates matched to 1e-9 relative.

        ``seed`` may be left out where the sweep has one.

        Raises
        ------
        InputError
            If an axis is missing or unknown, or a value is not on it.
        """
        for name in values:
            if name not in self.spec.grid:
                raise InputError(
                    f"{name} is not an axis of this sweep; its axes are "
                    f"{', '.join(self.spec.grid)}."
                )
        index = []
        for name, axis in self.spec.grid.items():
            if name not in values:
                raise InputError(f"{name} is missing; give a value for each axis.")
            try:
                index.append(axis.index(values[name]))
            except InputError as error:
                raise InputError(f"{name}: {error}") from None
        return self.spec.cell((*index, self._seed_index(seed)))

    def _seed_index(self, seed: int | tuple[int, int] | None) -> int:
        seeds = list(self.spec.seeds)
        if seed is None and len(seeds) == 1:
            return 0
        pair = (int(seed), int(seed)) if isinstance(seed, int | np.integer) else seed
        if pair not in seeds:
            known = ", ".join(str(a) if a == b else f"({a}, {b})" for a, b in seeds)
            raise InputError(f"seed {seed} is not in this sweep; its seeds are {known}.")
        return seeds.index(pair)

    def cell(
        self, *, seed: int | tuple[int, int] | None = None, **values: Any
    ) -> tuple[ToyModel, Dataset, InitialState]:
        """Return what `effective_theory.train` needs to do one run again, with history.

        Examples
        --------
        ``train(*diagram.cell(decoder_lr=1e-4, decoder_weight_decay=3), record_every=10)``
        """
        cell = self.find(seed=seed, **values)
        return cell.model, *cell.draw()

    def rows(self) -> list[dict[str, Any]]:
        """Return one plain row for each run, in the order of the axes; None where never."""
        rows = []
        phases = self.phases
        for index in np.ndindex(self.spec.shape):
            row: dict[str, Any] = {
                name: axis.values[k]
                for (name, axis), k in zip(self.spec.grid.items(), index, strict=False)
            }
            row["split_seed"], row["init_seed"] = self.spec.seeds[index[-1]]
            row["phase"] = Phase(int(phases[index])).label
            for name in _STEPS:
                step = int(self._arrays[name][index])
                row[f"{name}_step"] = None if step < 0 else step
            row["status"] = _STATUSES[self._arrays["status"][index]]
            rows.append(row)
        return rows

    def to_frame(self) -> "pd.DataFrame":
        """Return a pandas frame with one row for each run; steps are nullable integers."""
        import pandas as pd

        frame = pd.DataFrame(self.rows())
        steps = {f"{name}_step": "Int64" for name in _STEPS}
        return frame.astype(steps)

    def to_xarray(self) -> "xr.Dataset":
        """Return an xarray Dataset with the axes as coordinates; -1 where never.

        Raises
        ------
        InputError
            If xarray is not installed.
        """
        try:
            import xarray as xr
        except ImportError:
            raise InputError(
                "to_xarray needs xarray; install the package's extra [xarray]."
            ) from None
        dimensions = (*self.spec.grid, "seed")
        steps = {f"{name}_step": self._arrays[name] for name in _STEPS}
        variables: Mapping[str, Any] = {"phase": self.phases, **steps, "source": self.source}
        coordinates = {name: list(axis.values) for name, axis in self.spec.grid.items()}
        return xr.Dataset(
            {name: (dimensions, values) for name, values in variables.items()},
            coords={
                **coordinates,
                "split_seed": ("seed", [split for split, _ in self.spec.seeds]),
                "init_seed": ("seed", [initial for _, initial in self.spec.seeds]),
            },
            attrs={"spec": self.spec.to_json()},
        )

    def save(self, path: str | Path) -> None:
        """Write the diagram to one file (NumPy's npz, no pickles)."""
        from phase_diagrams.diagram_file import write_diagram

        write_diagram(path, self.spec, self._arrays)

    @classmethod
    def load(cls, path: str | Path) -> "PhaseDiagram":
        """Return the diagram that `save` wrote.

        Raises
        ------
        InputError
            If the file is missing or is not such a diagram.
        """
        from phase_diagrams.diagram_file import read_diagram

        return cls(*read_diagram(path, _STORED))

    def plot(self, **options: Any) -> "Figure":
        """Draw the phases; see `phase_diagrams.plotting.plot_phases` for the options."""
        from phase_diagrams.plotting import plot_phases

        return plot_phases(self, **options)

    def plot_steps(self, **options: Any) -> "Figure":
        """Draw train and test steps; see `phase_diagrams.plotting.plot_steps`."""
        from phase_diagrams.plotting import plot_steps

        return plot_steps(self, **options)
