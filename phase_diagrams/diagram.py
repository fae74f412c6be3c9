"""PhaseDiagram: the results of a sweep on its axes."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from effective_theory import InputError
from effective_theory.checks import RandomSource, of_type, shown
from effective_theory.files import png_of
from phase_diagrams.phases import GENERALISING, Phase, Source, classify_all
from phase_diagrams.runs.origin import Origin
from phase_diagrams.runs.stored_run import KeptRuns, StoredRun, stored_run
from phase_diagrams.runs.summary import RunSummary
from phase_diagrams.statistics.boundaries import Boundary, Direction, boundary
from phase_diagrams.statistics.delays import Delays, DelayUnit, delays, phases_by_delay
from phase_diagrams.statistics.prediction import Prediction
from phase_diagrams.statistics.probabilities import (
    Majority,
    Probability,
    majority,
    probabilities,
    probability,
)
from phase_diagrams.statistics.seed_effects import SeedEffects, phase_effects, step_effects
from phase_diagrams.sweeps.cell import Cell
from phase_diagrams.sweeps.ideal_accuracy import IdealAccuracies, ideal_accuracies
from phase_diagrams.sweeps.parts import part_of, place_on, require_axes
from phase_diagrams.sweeps.spec import SweepSpec
from phase_diagrams.wording import seed_text

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from phase_diagrams.pictures.door import Pictures

Steps = np.ma.MaskedArray[Any, np.dtype[np.int64]]


#: Seeds in one picture, each with panels of its own.
MOST_PANELS = 16


_STATUSES = ("not run", "finished", "stopped", "diverged")
_STEPS = ("train", "test", "rqi", "diverged")
_STORED = (*_STEPS, "status", "source", "unmeasured")


def _flags(labels: type[Phase] | type[Source]) -> dict[str, Any]:
    """Return the attributes that tell a reader of netCDF what integers stand for."""
    return {
        "flag_values": np.array(list(labels), np.int8),
        "flag_meanings": " ".join(label.name.lower() for label in labels),
    }


def _coordinates(spec: SweepSpec, name: str) -> list[Any]:
    """Return the values of an axis, all of them numbers or all of them text."""
    values = [spec.system.written(name, value) for value in spec.grid[name].values]
    return values if all(isinstance(v, int | float) for v in values) else list(map(str, values))


@dataclass(eq=False)
class PhaseDiagram:
    """Results of a sweep; all arrays have the shape of its axes, then seeds.

    Attributes
    ----------
    spec
        The sweep.
    train_step, test_step, rqi_step, diverged_step
        Completed updates, masked where never reached or not measured.
    phases
        Stored integers of `Phase`, of measured, inferred and predicted cells.
    source
        Stored integers of `Source`: measured, inferred, predicted or not run.
    prediction
        How sure `predict` was of each cell; None of a diagram that it did not make.
    kept
        Where the runs' learning curves and last states are; None without a store.
    name
        The sweep's name in the store; None without a store.
    origins
        How many measured runs come from each `Origin`; None for those of which it is not known. The
        file that `save` writes keeps no origins.
    """

    spec: SweepSpec
    _arrays: dict[str, NDArray[np.integer[Any]]] = field(default_factory=dict, repr=False)
    kept: KeptRuns | None = None
    name: str | None = None
    prediction: Prediction | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        of_type("spec", self.spec, SweepSpec, "a SweepSpec")
        if not self._arrays:
            shape = self.spec.shape
            self._arrays = {name: np.full(shape, -1, np.int64) for name in _STEPS}
            self._arrays |= {name: np.zeros(shape, np.int8) for name in ("status", "source")}
            self._arrays["unmeasured"] = np.full(shape, Phase.NOT_RUN, np.int8)
        self._origins = np.full(self.spec.shape, None, dtype=object)

    def record(self, index: tuple[int, ...], summary: RunSummary) -> None:
        """Enter the result of the run at ``index``."""
        for name in _STEPS:
            step = getattr(summary, f"{name}_step")
            self._arrays[name][index] = -1 if step is None else step
        self._arrays["status"][index] = _STATUSES.index(summary.status)
        self._arrays["source"][index] = Source.MEASURED
        self._arrays["unmeasured"][index] = Phase.NOT_RUN
        self._origins[index] = summary.origin

    def take(self, places: tuple[slice, ...], other: "PhaseDiagram") -> None:
        """Enter another diagram's measured and predicted cells at the places that it is cut from.

        What was measured here stays.
        """
        for source in (Source.MEASURED, Source.PREDICTED):
            taken = (other.source == source) & ~self.measured[places]
            for name, values in self._arrays.items():
                values[places][taken] = other._arrays[name][taken]
            self._origins[places][taken] = other._origins[taken]
        if other.prediction is not None:
            spread = other.prediction.spread(places, self.spec.shape)
            self.prediction = spread.measured_at(self.phases, self.measured)

    def enter(self, phases: NDArray[np.integer[Any]], source: Source) -> None:
        """Enter phases that stand for cells that were not measured; NOT_RUN where none is known.

        They replace earlier ones of the same source, and leave those of another one.
        """
        unmeasured, sources = self._arrays["unmeasured"], self._arrays["source"]
        own = (sources == Source.NOT_RUN) | (sources == source)
        unmeasured[own] = phases[own]
        sources[own] = np.where(unmeasured[own] < 0, Source.NOT_RUN, source)

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
        """Where each cell's phase comes from (integers of `Source`)."""
        return self._arrays["source"]

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Where a run was made; a cell that was inferred or predicted holds none."""
        return np.asarray(self.source == Source.MEASURED)

    @property
    def origins(self) -> dict[Origin | None, int]:
        """Number of measured runs from each origin, the commonest first."""
        return dict(Counter(self._origins[self.measured]).most_common())

    @property
    def phases(self) -> NDArray[np.int8]:
        """Phase of each cell, measured or not (integers of `Phase`); see `source`."""
        phases = classify_all(
            self._arrays["train"],
            self._arrays["test"],
            self._arrays["diverged"] >= 0,
            lag=self.spec.lag,
        )
        return np.where(self.measured, phases, self._arrays["unmeasured"])

    def delay(self, unit: DelayUnit = "updates") -> Delays:
        """Return how much later than train the test threshold was reached, masked where not.

        See `phase_diagrams.statistics.delays.delays` for the units.

        Examples
        --------
        ``diagram.delay("train_step")`` is 1 where test took twice as long as train.
        """
        return delays(self.spec, self.train_step, self.test_step, unit)

    def phases_by_delay(self, least: float, unit: DelayUnit) -> NDArray[np.int8]:
        """Return the phases of measured cells if grokking is a delay of ``least`` units or more.

        ``phases`` are those of the sweep's ``lag`` updates, as in the paper.
        """
        return phases_by_delay(self.phases, self.delay(unit), least, self.measured)

    def counts(self, source: Source = Source.MEASURED) -> dict[Phase, int]:
        """Return the number of cells of one source in each phase, all others under NOT_RUN."""
        of_type("source", source, Source, "a Source such as Source.INFERRED")
        phases = np.where(self.source == source, self.phases, Phase.NOT_RUN)
        return {phase: int((phases == phase).sum()) for phase in Phase}

    @cached_property
    def ideal_test_accuracy(self) -> IdealAccuracies:
        """Ideal test accuracy of each training size and seed, known before training."""
        return ideal_accuracies(self.spec)

    def __repr__(self) -> str:
        """Return the axes and the number of runs in each phase."""
        axes = " x ".join(f"{name}[{len(axis)}]" for name, axis in self.spec.grid.items())
        return f"PhaseDiagram({axes} x seeds[{len(self.spec.seeds)}]: {self._counted()})"

    def _counted(self) -> str:
        """Return the number of runs in each phase that occurs."""
        missing = int((self.source == Source.NOT_RUN).sum())
        measured = self.counts() | {Phase.NOT_RUN: missing}
        counts = [f"{phase.label} {n}" for phase, n in measured.items() if n]
        for source in (Source.INFERRED, Source.PREDICTED):
            if cells := int((self.source == source).sum()):
                counts.append(f"{source.label} {cells}")
        return ", ".join(counts)

    @property
    def fits_a_picture(self) -> bool:
        """Whether one picture can show the sweep: one or two axes, not too many seeds."""
        return len(self.spec.grid) <= 2 and len(self.spec.seeds) <= MOST_PANELS

    @property
    def fits_a_majority_picture(self) -> bool:
        """Whether one picture can show the majority: one or two axes, several seeds."""
        return len(self.spec.grid) <= 2 and len(self.spec.seeds) > 1

    def find(self, *, seed: int | tuple[int, int] | None = None, **values: Any) -> Cell:
        """Return the run with these values of the axes, rates matched as by `Axis.index`.

        ``seed`` may be left out where the sweep has one.

        Raises
        ------
        InputError
            If an axis is missing or unknown, or a value is not on it.
        """
        places = place_on(self.spec, values)
        require_axes(self.spec, values, every=True)
        index = tuple(places[name] for name in self.spec.grid)
        return self.spec.cell((*index, self.seed_index(seed)))

    def copy(self) -> "PhaseDiagram":
        """Return a diagram with the same content, which can be filled on its own."""
        arrays = {name: array.copy() for name, array in self._arrays.items()}
        twin = PhaseDiagram(self.spec, arrays, self.kept, self.name, self.prediction)
        twin._origins = self._origins.copy()
        return twin

    def sel(self, *, seed: int | tuple[int, int] | None = None, **values: Any) -> "PhaseDiagram":
        """Return the part of the diagram at these values of some axes, which are then fixed.

        Parameters
        ----------
        seed
            The only seed; by default all stay.
        **values
            A value of each axis that is held, rates matched as by `Axis.index`.

        Raises
        ------
        InputError
            If a name is no axis, a value is not on it, or no axis is left.

        Examples
        --------
        ``diagram.sel(batch_size=15).plot()``
        """
        places = place_on(self.spec, values)
        only = None if seed is None else self.seed_index(seed)
        seeds = slice(None) if only is None else slice(only, only + 1)
        cut = (*(places.get(name, slice(None)) for name in self.spec.grid), seeds)
        arrays = {name: array[cut].copy() for name, array in self._arrays.items()}
        part = PhaseDiagram(part_of(self.spec, places, only), arrays, self.kept, self.name)
        part._origins = self._origins[cut].copy()
        if self.prediction is not None:
            part.prediction = self.prediction.part(cut)
        return part

    def seed_index(self, seed: int | tuple[int, int] | None) -> int:
        """Return the place of a seed, which may be left out where the sweep has one."""
        seeds = list(self.spec.seeds)
        if seed is None and len(seeds) == 1:
            return 0
        pair = (int(seed), int(seed)) if isinstance(seed, int | np.integer) else seed
        if not isinstance(pair, tuple) or pair not in seeds:
            names = ", ".join(map(seed_text, seeds))
            raise InputError(f"seed {shown(seed)} is not in this sweep; its seeds are {names}.")
        return seeds.index(pair)

    def cell(
        self, *, seed: int | tuple[int, int] | None = None, **values: Any
    ) -> tuple[Any, Any, Any]:
        """Return the settings, the data and the start of one run, with which to do it again.

        Of a toy model they are what `effective_theory.train` takes.

        Examples
        --------
        ``train(*diagram.cell(decoder_lr=1e-4, decoder_weight_decay=3), record_every=10)``
        """
        cell = self.find(seed=seed, **values)
        return cell.model, *cell.draw()

    def run(self, *, seed: int | tuple[int, int] | None = None, **values: Any) -> StoredRun:
        """Return one stored run: its learning curve, crossings and last state.

        Raises
        ------
        InputError
            If there is no such cell, or no store has its run.

        Examples
        --------
        ``diagram.run(decoder_lr=1e-4, decoder_weight_decay=3).plot()``
        """
        return stored_run(self.require_kept(), self.spec, self.find(seed=seed, **values))

    def require_kept(self) -> KeptRuns:
        """Return where the diagram's runs are kept.

        Raises
        ------
        InputError
            If it knows no store.
        """
        if self.kept is None:
            raise InputError(
                "the diagram has no store, which keeps the runs; sweep with store=FILE, "
                "or use phase_diagrams.load(FILE)."
            )
        return self.kept

    @property
    def _columns(self) -> tuple[str, ...]:
        """Names of the steps that the system's tables have."""
        measures = self.spec.system.measures
        return tuple(name for name in _STEPS if name in measures or name == "diverged")

    def rows(self) -> list[dict[str, Any]]:
        """Return one plain row for each run, in the order of the axes.

        Steps are None where never; a swept None is written in words, such as "full batch". Rows of
        a predicted diagram have the probability of their phase.
        """
        rows = []
        phases = self.phases
        for index in np.ndindex(self.spec.shape):
            row = self.spec.written_at(index)
            row["split_seed"], row["init_seed"] = self.spec.seeds[index[-1]]
            row["phase"] = Phase(int(phases[index])).label
            for name in self._columns:
                step = int(self._arrays[name][index])
                row[f"{name}_step"] = None if step < 0 else step
            row["status"] = _STATUSES[self._arrays["status"][index]]
            row["source"] = Source(int(self.source[index])).label
            if self.prediction is not None:
                row["probability"] = self.prediction.certainty_at(index)
            rows.append(row)
        return rows

    def to_frame(self) -> "pd.DataFrame":
        """Return a pandas frame with one row for each run.

        Steps are nullable integers. No other column has missing values, which groups would lose:
        a swept None is written in words, such as "full batch".
        """
        import pandas as pd

        frame = pd.DataFrame(self.rows())
        steps = {f"{name}_step": "Int64" for name in self._columns}
        return frame.astype(steps)

    def to_xarray(self) -> "xr.Dataset":
        """Return an xarray Dataset with the axes as coordinates, which netCDF can hold.

        Steps are floats, NaN where never, so that means are over the runs that got there. Phases
        and sources are the integers of `Phase` and `Source`, named as netCDF's conventions (CF)
        name flags. An axis with a value that is no number has coordinates of text.

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
        variables: dict[str, tuple[Any, ...]] = {
            "phase": (dimensions, self.phases, _flags(Phase)),
            "source": (dimensions, self.source, _flags(Source)),
        }
        if self.prediction is not None:
            variables["probability"] = (dimensions, self.prediction.certainty)
        for name in self._columns:
            steps = self._arrays[name]
            variables[f"{name}_step"] = (dimensions, np.where(steps < 0, np.nan, steps))
        return xr.Dataset(
            variables,
            coords={
                **{name: _coordinates(self.spec, name) for name in self.spec.grid},
                "split_seed": ("seed", [split for split, _ in self.spec.seeds]),
                "init_seed": ("seed", [initial for _, initial in self.spec.seeds]),
            },
            attrs={"spec": self.spec.to_json()},
        )

    def save(self, path: str | Path) -> None:
        """Write the diagram to one file (NumPy's npz, no pickles)."""
        from phase_diagrams.diagram_file import write_diagram

        prediction = {} if self.prediction is None else self.prediction.arrays()
        write_diagram(path, self.spec, {**self._arrays, **prediction})

    @classmethod
    def load(cls, path: str | Path) -> "PhaseDiagram":
        """Return the diagram that `save` wrote.

        Raises
        ------
        InputError
            If the file is missing or is not such a diagram.
        """
        from phase_diagrams.diagram_file import read_diagram

        spec, arrays, prediction = read_diagram(path, _STORED)
        known = Prediction.from_arrays(prediction) if prediction else None
        return cls(spec, arrays, prediction=known)

    @property
    def plot(self) -> "Pictures":
        """The diagram's pictures: ``plot()`` draws the phases, ``plot.majority()`` and others more.

        See `phase_diagrams.pictures.door.Pictures`.
        """
        from phase_diagrams.pictures.door import Pictures

        return Pictures(self)

    def _repr_png_(self) -> bytes | None:
        """Return the picture with counts that a notebook shows; None where one has no room."""
        if self.fits_a_picture:
            return png_of(self.plot(title=self._counted()))
        return png_of(self.plot.majority()) if self.fits_a_majority_picture else None

    def probability(
        self, of: Phase | str | Collection[Phase | str] = GENERALISING, confidence: float = 0.95
    ) -> Probability:
        """Return the probability over seeds of some phases, with intervals.

        See `phase_diagrams.statistics.probabilities.probability`.

        Examples
        --------
        ``diagram.probability("grokking").value``
        """
        return probability(self.spec, self.phases, self.measured, of, confidence)

    def probabilities(self, confidence: float = 0.95) -> dict[Phase, Probability]:
        """Return the probability of each phase; see `probability`."""
        return probabilities(self.spec, self.phases, self.measured, confidence)

    def majority(self, confidence: float = 0.95) -> Majority:
        """Return the commonest phase of each cell and how certain it is."""
        return majority(self.spec, self.phases, self.measured, confidence)

    def seed_effects(self, of: Literal["phase", "log_test_step"] = "phase") -> SeedEffects:
        """Return how much of the seeds' disagreement is due to the split, how much to the start.

        See `phase_diagrams.statistics.seed_effects`.

        Parameters
        ----------
        of
            "phase" for the labels, or "log_test_step" for the logarithm of test_step among the
            runs that reached it.

        Raises
        ------
        InputError
            If ``of`` is neither of the two.
        """
        if of == "phase":
            return phase_effects(self.spec, self.phases, self.measured)
        if of == "log_test_step":
            return step_effects(self.spec, self.test_step, self.measured)
        raise InputError(f'of must be "phase" or "log_test_step", not {of!r}.')

    def boundary(
        self,
        along: str,
        *,
        rng: RandomSource,
        of: Phase | str | Collection[Phase | str] = GENERALISING,
        level: float = 0.5,
        direction: Direction = "any",
        confidence: float = 0.95,
        resamples: int = 999,
    ) -> Boundary:
        """Return where phases begin or end along an axis, with a bootstrap band.

        See `phase_diagrams.statistics.boundaries.boundary`.
        """
        return boundary(
            self.spec,
            self.phases,
            self.measured,
            along,
            rng=rng,
            of=of,
            level=level,
            direction=direction,
            confidence=confidence,
            resamples=resamples,
        )
