"""PhaseDiagram: the results of a sweep on its axes."""

from collections.abc import Collection
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from effective_theory import InputError
from effective_theory.checks import RandomSource, of_type, shown
from effective_theory.files import png_of
from phase_diagrams.diagram_tables import dataset, frame, rows
from phase_diagrams.phases import GENERALISING, Phase, Source
from phase_diagrams.results import ARRAYS, Results, Steps
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

#: Seeds in one picture, each with panels of its own.
MOST_PANELS = 16


class PhaseDiagram:
    """Results of a sweep; all arrays have the shape of its axes, then seeds.

    Parameters
    ----------
    spec
        The sweep.
    results
        What is known of its cells; by default nothing was run.
    kept
        Where the runs' learning curves and last states are; None without a store.
    name
        The sweep's name in the store; None without a store.
    prediction
        How sure `predict` is of each cell; None where the diagram was not predicted.

    Raises
    ------
    InputError
        If ``spec`` is no SweepSpec.
    """

    def __init__(
        self,
        spec: SweepSpec,
        results: Results | None = None,
        *,
        kept: KeptRuns | None = None,
        name: str | None = None,
        prediction: Prediction | None = None,
    ) -> None:
        self.spec = of_type("spec", spec, SweepSpec, "a SweepSpec")
        self.results = Results.none(spec.shape) if results is None else results
        self.kept = kept
        self.name = name
        self.prediction = prediction

    def record(self, index: tuple[int, ...], summary: RunSummary) -> None:
        """Enter the result of the run at ``index``, its place on the axes and among the seeds."""
        self.results.record(index, summary)

    def take(self, places: tuple[slice, ...], other: "PhaseDiagram") -> None:
        """Enter another diagram's measured and predicted cells at the places that it is cut from.

        What was measured here stays.
        """
        self.results.take(places, other.results)
        if other.prediction is not None:
            self.enter_prediction(other.prediction.spread(places, self.spec.shape))

    def enter_prediction(self, prediction: Prediction) -> None:
        """Enter what was predicted, sure of the cells that are measured now."""
        self.prediction = prediction.measured_at(self.phases, self.measured)

    def enter(self, phases: NDArray[np.integer[Any]], source: Source) -> None:
        """Enter phases that stand for cells that were not measured; NOT_RUN where none is known.

        They replace earlier ones of the same source, and leave those of another one.
        """
        self.results.enter(phases, source)

    @property
    def train_step(self) -> Steps:
        """First update with the train accuracy at its threshold; masked if never."""
        return self.results.steps("train")

    @property
    def test_step(self) -> Steps:
        """First update with the test accuracy at its threshold; masked if never."""
        return self.results.steps("test")

    @property
    def rqi_step(self) -> Steps:
        """First update with RQI above its threshold; masked if never while the run lasted."""
        return self.results.steps("rqi")

    @property
    def diverged_step(self) -> Steps:
        """First update with a non-finite train loss or parameter; masked if none."""
        return self.results.steps("diverged")

    @property
    def source(self) -> NDArray[np.integer[Any]]:
        """Where each cell's phase comes from (integers of `Source`)."""
        return self.results.source

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Where a run was made; a cell that was inferred or predicted holds none."""
        return self.results.measured

    @property
    def counted(self) -> NDArray[np.bool_]:
        """Where statistics over seeds know the phase: where it was measured, or inferred from runs.

        Refinement runs each seed where its own phases meet. Without the cells that it inferred, a
        place would be told by those seeds alone whose boundary is near. What was predicted does not
        count, nor what refinement inferred with its help; and as it depends on the predictions
        which seeds were run, a place of a predicted sweep counts where all of them were.
        """
        if self.spec.predicted:
            return np.asarray(self.measured & self.measured.all(axis=-1, keepdims=True))
        return np.asarray(self.measured | (self.source == Source.INFERRED))

    @property
    def origins(self) -> dict[Origin | None, int]:
        """Number of measured runs from each `Origin`, the commonest first.

        Those of unknown origin are under None. The file that `save` writes keeps no origins.
        """
        return self.results.origins

    @property
    def phases(self) -> NDArray[np.int8]:
        """Phase of each cell, measured or not (integers of `Phase`); see `source`."""
        return self.results.phases(self.spec.lag)

    def delay(self, unit: DelayUnit = "updates") -> Delays:
        """Return the delay of generalisation, test_step - train_step, in a unit of choice.

        Parameters
        ----------
        unit
            "updates"; "train_step" for multiples of the run's train step (at least 1 update); or
            "time" for updates times the learning rate that sets the unit of time, in the toy model
            the decoder's.

        Returns
        -------
        numpy.ma.MaskedArray
            Delays, shape (axes..., seeds); masked where either threshold was not reached.

        Raises
        ------
        InputError
            If there is no such unit, or the unit is "time" and the system names no rates.

        Examples
        --------
        ``diagram.delay("train_step")`` is 1 where test took twice as long as train.
        """
        return delays(self.spec, self.train_step, self.test_step, unit)

    def phases_by_delay(self, least: float, unit: DelayUnit) -> NDArray[np.int8]:
        """Return the phases that follow if grokking is a delay of ``least`` units or more.

        The attribute ``phases`` has those of the sweep's ``lag`` in updates, as in the paper.

        Parameters
        ----------
        least
            Least delay that counts as grokking, in ``unit``, above 0.
        unit
            Unit of the delay, as for `delay`.

        Returns
        -------
        numpy.ndarray
            Integers of `Phase`, shape (axes..., seeds); NOT_RUN where a cell was not measured.

        Raises
        ------
        InputError
            If ``least`` is not above 0, or `delay` refuses the unit.
        """
        return phases_by_delay(self.phases, self.delay(unit), least, self.measured)

    def counts(self, source: Source = Source.MEASURED) -> dict[Phase, int]:
        """Return the number of cells in each phase, of one source; all others are under NOT_RUN.

        Raises
        ------
        InputError
            If ``source`` is no `Source`.
        """
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
        """Return the cell at these values of the axes, as a recipe.

        Parameters
        ----------
        seed
            The seed; it may be left out where the sweep has only one.
        **values
            A value of each axis, rates matched as by `Axis.index`.

        Returns
        -------
        Cell
            What determines the run.

        Raises
        ------
        InputError
            If an axis is missing or unknown, a value is not on it, or the seed is not in the sweep.
        """
        places = place_on(self.spec, values)
        require_axes(self.spec, values, every=True)
        index = tuple(places[name] for name in self.spec.grid)
        return self.spec.cell((*index, self.seed_index(seed)))

    def copy(self) -> "PhaseDiagram":
        """Return a copy that can be changed without changing this diagram."""
        return self._with(self.spec, self.results.part(), self.prediction)

    def _with(
        self, spec: SweepSpec, results: Results, prediction: Prediction | None
    ) -> "PhaseDiagram":
        """Return a diagram of these whose runs are kept where this one's are."""
        return PhaseDiagram(spec, results, kept=self.kept, name=self.name, prediction=prediction)

    def sel(self, *, seed: int | tuple[int, int] | None = None, **values: Any) -> "PhaseDiagram":
        """Return the part of the diagram at given values of some axes, which are then fixed.

        Parameters
        ----------
        seed
            The only seed; by default all stay.
        **values
            A value of each axis that is held, rates matched as by `Axis.index`.

        Returns
        -------
        PhaseDiagram
            The diagram on the remaining axes.

        Raises
        ------
        InputError
            If a name is no axis, a value is not on it, the seed is not in the sweep, or no axis is
            left.

        Examples
        --------
        ``diagram.sel(batch_size=15).plot()``
        """
        places = place_on(self.spec, values)
        only = None if seed is None else self.seed_index(seed)
        seeds = slice(None) if only is None else slice(only, only + 1)
        cut = (*(places.get(name, slice(None)) for name in self.spec.grid), seeds)
        prediction = None if self.prediction is None else self.prediction.part(cut)
        return self._with(part_of(self.spec, places, only), self.results.part(cut), prediction)

    def seed_index(self, seed: int | tuple[int, int] | None) -> int:
        """Return the place of a seed among the sweep's; it may be left out where there is only one.

        Raises
        ------
        InputError
            If the seed is not in the sweep, or is left out where there are several.
        """
        seeds = list(self.spec.seeds)
        if seed is None and len(seeds) == 1:
            return 0
        pair = (int(seed), int(seed)) if isinstance(seed, int | np.integer) else seed
        names = ", ".join(map(seed_text, seeds))
        if pair is None:
            raise InputError(f"seed must be given, as the sweep has several: {names}.")
        if not isinstance(pair, tuple) or pair not in seeds:
            raise InputError(f"seed {shown(seed)} is not in this sweep; its seeds are {names}.")
        return seeds.index(pair)

    def cell(
        self, *, seed: int | tuple[int, int] | None = None, **values: Any
    ) -> tuple[Any, Any, Any]:
        """Return the settings, the data and the start of one run, with which to repeat it.

        For a toy model they are a ToyModel, a Dataset and an InitialState, as
        `effective_theory.train` takes them.

        Parameters
        ----------
        seed, **values
            As for `find`.

        Returns
        -------
        tuple
            Settings, data and start.

        Raises
        ------
        InputError
            As for `find`.

        Examples
        --------
        ``train(*diagram.cell(decoder_lr=1e-4, decoder_weight_decay=3), record_every=10)``
        """
        cell = self.find(seed=seed, **values)
        return cell.model, *cell.draw()

    def run(self, *, seed: int | tuple[int, int] | None = None, **values: Any) -> StoredRun:
        """Return one stored run: its learning curve, crossings and last state.

        Parameters
        ----------
        seed, **values
            As for `find`.

        Returns
        -------
        StoredRun
            The run.

        Raises
        ------
        InputError
            If there is no such cell, or the diagram has no store that holds its run.
        StoreError
            If the store cannot be read.

        Examples
        --------
        ``diagram.run(decoder_lr=1e-4, decoder_weight_decay=3).plot()``
        """
        cell = self.find(seed=seed, **values)
        return stored_run(self.require_kept(), self.spec, cell, Source(self.source[cell.index]))

    def require_kept(self) -> KeptRuns:
        """Return where the diagram's runs are kept.

        Raises
        ------
        InputError
            If the diagram has no store.
        """
        if self.kept is None:
            raise InputError(
                "the diagram has no store, which keeps the runs; sweep with store=FILE, "
                "or use phase_diagrams.load(FILE)."
            )
        return self.kept

    def rows(self) -> list[dict[str, Any]]:
        """Return one plain row for each cell and seed, run or not, in the order of the axes.

        The columns are the axes, ``split_seed``, ``init_seed``, ``phase``, the steps in completed
        updates, ``status`` and ``source``; rows of a predicted diagram have the ``probability`` of
        their likeliest phase besides. Steps are None where never; a swept None is written in words,
        such as "full batch".
        """
        return rows(self.spec, self.results, self.prediction)

    def to_frame(self) -> "pd.DataFrame":
        """Return a pandas frame with one row for each cell and seed, and the columns of `rows`.

        Steps are nullable integers. No other column has missing values, which groups would lose:
        a swept None is written in words, such as "full batch".
        """
        return frame(self.spec, self.results, self.prediction)

    def to_xarray(self) -> "xr.Dataset":
        """Return an xarray Dataset with the axes as coordinates, which netCDF can hold.

        Steps are floats, NaN where never, so that means are over the runs that reached them. Phases
        and sources are the integers of `Phase` and `Source`, named as netCDF's conventions (CF)
        name flags. An axis with a value that is no number has coordinates of text.

        Raises
        ------
        InputError
            If xarray is not installed.
        """
        return dataset(self.spec, self.results, self.prediction)

    def save(self, path: str | Path) -> None:
        """Write the diagram to one file (NumPy's npz, no pickles).

        Parameters
        ----------
        path
            The file, whose name ends in .npz.

        Raises
        ------
        InputError
            If its name ends otherwise, or it cannot be written.
        """
        from phase_diagrams.diagram_file import write_diagram

        prediction = {} if self.prediction is None else self.prediction.arrays()
        write_diagram(path, self.spec, {**self.results.arrays, **prediction})

    @classmethod
    def load(cls, path: str | Path) -> "PhaseDiagram":
        """Return the diagram that `save` wrote; it has no store and no origins.

        Raises
        ------
        InputError
            If the file is missing or is not such a diagram.
        """
        from phase_diagrams.diagram_file import read_diagram

        spec, arrays, prediction = read_diagram(path, ARRAYS)
        known = Prediction.from_arrays(prediction) if prediction else None
        return cls(spec, Results(arrays), prediction=known)

    @property
    def plot(self) -> "Pictures":
        """The diagram's pictures: ``plot()`` draws the phases, ``plot.majority()`` the majority, ..

        See `Pictures`.
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
        """Return the probability over seeds that a cell is in one of some phases, with intervals.

        Intervals are Wilson's at the effective number of runs, as runs that share a split or an
        initialisation are alike; see `phase_diagrams.statistics.probabilities`. The runs
        are those of `counted`.

        Parameters
        ----------
        of
            One phase or several, as `Phase` or by name; by default those that generalise.
        confidence
            Coverage of the intervals, between 0 and 1.

        Returns
        -------
        Probability
            Arrays of the shape of the axes.

        Raises
        ------
        InputError
            If ``of`` holds no phase that a run can have, or ``confidence`` is not inside (0, 1).

        Examples
        --------
        ``diagram.probability("grokking").value``
        """
        return probability(self.spec, self.phases, self.counted, of, confidence)

    def probabilities(self, confidence: float = 0.95) -> dict[Phase, Probability]:
        """Return the probability of each phase; see `probability`."""
        return probabilities(self.spec, self.phases, self.counted, confidence)

    def majority(self, confidence: float = 0.95) -> Majority:
        """Return the commonest phase of each cell over the seeds, and how certain it is.

        ``confidence`` is that of the intervals, as for `probability`.
        """
        return majority(self.spec, self.phases, self.counted, confidence)

    def seed_effects(self, of: Literal["phase", "log_test_step"] = "phase") -> SeedEffects:
        """Return how much of the seeds' disagreement is due to the split, how much to the start.

        See `phase_diagrams.statistics.seed_effects`.

        Parameters
        ----------
        of
            "phase" for the labels, or "log_test_step" for the logarithm of test_step among the
            runs that reached it.

        Returns
        -------
        SeedEffects
            Shares of the disagreement.

        Raises
        ------
        InputError
            If ``of`` is neither of the two.
        """
        if of == "phase":
            return phase_effects(self.spec, self.phases, self.counted)
        if of == "log_test_step":
            return step_effects(self.spec, self.test_step, self.measured & self.counted)
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

        The boundary is where the share of seeds in these phases crosses a level; see
        `phase_diagrams.statistics.boundaries.boundary`.

        Parameters
        ----------
        along
            Name of the axis.
        rng
            Int, SeedSequence or Generator that draws the resamples.
        of
            One phase or several, as `Phase` or by name; by default those that generalise.
        level
            Share of seeds at the boundary, above 0 and at most 1.
        direction
            "rising", "falling" or "any" crossings.
        confidence
            Coverage of the band, between 0 and 1.
        resamples
            Number of resamples of the seeds.

        Returns
        -------
        Boundary
            The first crossing for each value of the other axes, in units of the axis.

        Raises
        ------
        InputError
            If there is no such axis, or an argument is out of range.
        """
        return boundary(
            self.spec,
            self.phases,
            self.counted,
            along,
            rng=rng,
            of=of,
            level=level,
            direction=direction,
            confidence=confidence,
            resamples=resamples,
        )
