"""Sweeps that are measured whole, to see how well they would have been predicted.

What was measured is kept in docs/trials.csv: a run of each cell, and of each probe that is no cell.
From it diagrams, predictions and what those would have cost follow without training. The runs of a
sweep that it lacks are made, in results/prediction/, where the same command goes on where it was.
"""

import csv
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
from figure6 import decoder_rates, random_starts, with_rates
from numpy.typing import NDArray

from effective_theory import Addition, ToyModel
from effective_theory.outcome import Status
from phase_diagrams import Axis, PhaseDiagram, Source, SweepSpec, numba_engine, sweep
from phase_diagrams.prediction.law import Law
from phase_diagrams.prediction.predicted_cells import predict_cells
from phase_diagrams.prediction.probes import Found, Plan, Rule
from phase_diagrams.prediction.spent import measured_lengths, spent
from phase_diagrams.runs.store import Store
from phase_diagrams.runs.summary import CURVE_COLUMNS, FRACTIONS, RunSummary
from phase_diagrams.statistics.prediction import Prediction
from phase_diagrams.sweeping import finished
from phase_diagrams.sweeps.cell import Cell

RECORD = Path(__file__).with_suffix(".csv")
STORES = Path("results/prediction")
#: Settings in which the runs of one sweep differ, probes included.
SETTINGS = ("embedding_lr", "decoder_lr", "decoder_weight_decay")
STEPS = ("train_step", "test_step", "diverged_step")
COLUMNS = ("sweep", *SETTINGS, "status", "steps_run", *STEPS, "best_train")
#: No probe is shorter.
FROM = 500

Settings = tuple[float, ...]


# The sweeps.


def fig6a(seed: int) -> SweepSpec:
    """Return Figure 6a from a random start, at decoder rates up to 3.2e-4, budget 1e5."""
    return replace(random_starts("fig6a"), seeds=(seed,))


def fig6b(seed: int) -> SweepSpec:
    """Return Figure 6b from a random start, at decoder rates from 4e-5 on, budget 2e4."""
    return replace(random_starts("fig6b"), seeds=(seed,))


def with_some_rates(spec: SweepSpec, *wanted: float) -> SweepSpec:
    """Return a sweep with those of its decoder rates that are nearest to some."""
    rates = decoder_rates(spec)
    nearest = {min(rates, key=lambda rate: abs(math.log(rate / each))) for each in wanted}
    return with_rates(spec, sorted(nearest))


def with_some_decays(spec: SweepSpec) -> SweepSpec:
    """Return a sweep with every other of its weight decays."""
    decays = spec.grid["decoder_weight_decay"].values[::2]
    return replace(spec, axes={**spec.axes, "decoder_weight_decay": Axis(decays)})


def other_settings() -> Iterator[tuple[str, SweepSpec]]:
    """Yield sweeps with settings that were never used while prediction was built."""
    decays = {**fig6b(0).axes, "decoder_weight_decay": Axis((0.0, 1.0, 2.0, 4.0, 6.0, 10.0))}
    for seed in (20, 21, 22):
        usual = replace(fig6b(seed), axes=decays)
        yield f"p = 14, start {seed}", replace(usual, task=Addition(14), train_size=80)
        yield f"width 100, start {seed}", replace(usual, model=replace(usual.model, width=100))
        crossed = replace(usual.model, loss="cross_entropy", target_dim=ToyModel().target_dim)
        yield f"cross-entropy, start {seed}", replace(usual, model=crossed)
        yield f"other starts, start {seed}", usual


# What was measured.


def measured_runs(name: str, spec: SweepSpec, rule: Rule) -> dict[Settings, RunSummary]:
    """Return the runs of a sweep's cells and probes, made if the record lacks them."""
    if name not in record():
        rows = [row_of(name, *run) for run in make(name, spec, rule)]
        with RECORD.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, COLUMNS, lineterminator="\n").writerows(rows)
        record.cache_clear()
    return record()[name]


@cache
def record() -> dict[str, dict[Settings, RunSummary]]:
    """Return what the record has, by sweep."""
    found: dict[str, dict[Settings, RunSummary]] = {}
    with RECORD.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            settings = tuple(float(row[each]) for each in SETTINGS)
            found.setdefault(row["sweep"], {})[settings] = run_of(row)
    return found


def make(name: str, spec: SweepSpec, rule: Rule) -> list[tuple[Cell, RunSummary]]:
    """Run a sweep whole, and its probes; of a cell that is both the longer run tells both."""
    STORES.mkdir(parents=True, exist_ok=True)
    store = STORES / f"{name.replace(', ', '-').replace(' ', '-')}.sqlite"
    sweep(spec, store=store, name=name)
    engine = numba_engine()
    longest: dict[str, tuple[Cell, RunSummary]] = {}

    def run(cells: list[Cell]) -> Iterator[tuple[Cell, RunSummary]]:
        for cell, summary in finished(cells, kept, engine, progress=True):
            _, before = longest.setdefault(cell.cell_id, (cell, summary))
            if summary.steps_run > before.steps_run:
                longest[cell.cell_id] = cell, summary
            yield cell, summary

    with Store(store, create=False) as kept:
        list(run(list(spec.cells())))
        Plan(spec, rule).follow(run)
    return list(longest.values())


def row_of(name: str, cell: Cell, run: RunSummary) -> dict[str, str | float | int]:
    """Return a run as a row of the record; a step that was not reached is empty."""
    steps = {each: getattr(run, each) for each in STEPS}
    return {
        "sweep": name,
        **{each: getattr(cell.model, each) for each in SETTINGS},
        "status": run.status,
        "steps_run": run.steps_run,
        **{each: "" if step is None else step for each, step in steps.items()},
        "best_train": " ".join(f"{update}:{best:.4g}" for update, best in best_train(run)),
    }


def best_train(run: RunSummary) -> list[tuple[int, float]]:
    """Return the updates of a learning curve after which train accuracy was best so far."""
    found: list[tuple[int, float]] = []
    for update, accuracy in zip(run.column("update"), run.column("train_accuracy"), strict=True):
        if not found or accuracy > found[-1][1]:
            found.append((int(update), accuracy))
    before = [pair for pair in found if pair[0] <= FROM]
    return [*before[-1:], *(pair for pair in found if pair[0] > FROM)]


def run_of(row: dict[str, str]) -> RunSummary:
    """Return what a row of the record says of a run."""
    pairs = [pair.split(":") for pair in row["best_train"].split()]
    curve = np.full((len(pairs), len(CURVE_COLUMNS)), np.nan)
    curve[:, [0, 3]] = np.array(pairs, float).reshape(-1, 2)
    known: dict[str, Any] = {each: int(row[each]) if row[each] else None for each in STEPS}
    unknown: dict[str, Any] = dict.fromkeys(FRACTIONS, math.nan)
    return RunSummary(
        status=cast(Status, row["status"]),
        **known,
        rqi_step=None,
        steps_run=int(row["steps_run"]),
        **unknown,
        state=np.empty(0, np.float32),
        curve=curve,
    )


# What would have been predicted.


@dataclass(frozen=True)
class Trial:
    """A sweep that was measured whole, and predictions of it.

    Attributes
    ----------
    name
        Name of the sweep in the record.
    spec
        The sweep.
    rule
        Which probes it has: those that the record knows, or shorter ones.
    law
        How well the scaling law holds.
    """

    name: str
    spec: SweepSpec
    rule: Rule = Rule()
    law: Law = Law()

    @cached_property
    def runs(self) -> dict[Settings, RunSummary]:
        """The runs of cells and probes."""
        return measured_runs(self.name, self.spec, self.rule)

    def run(self, cell: Cell) -> RunSummary:
        """Return the run of a cell or a probe, as far as its budget."""
        run = self.runs[tuple(getattr(cell.model, each) for each in SETTINGS)]
        if not run.answers(*cell.budget):
            raise SystemExit(f"{RECORD}: a run of {self.name} is too short for its probe")
        return run.within(*cell.budget)

    @cached_property
    def exact(self) -> PhaseDiagram:
        """The diagram as it was measured."""
        diagram = PhaseDiagram(self.spec)
        for cell in self.spec.cells():
            diagram.record(cell.index, self.run(cell))
        return diagram

    @cached_property
    def plan(self) -> Plan:
        """The probes."""
        return Plan(self.spec, self.rule)

    @cached_property
    def found(self) -> Found:
        """Results of the probes."""
        return self.plan.follow(lambda probes: [(cell, self.run(cell)) for cell in probes])

    @cached_property
    def predicted(self) -> PhaseDiagram:
        """The diagram as `predict` has it."""
        diagram = PhaseDiagram(replace(self.spec, predicted=True))
        predict_cells(diagram, self.plan, self.found, self.law)
        return diagram

    @property
    def prediction(self) -> Prediction:
        """How sure `predict` is of each cell."""
        assert self.predicted.prediction is not None
        return self.predicted.prediction

    @cached_property
    def measured(self) -> PhaseDiagram:
        """The diagram as `measure_doubtful` has it."""
        diagram = self.predicted.copy()
        doubtful = ~diagram.measured & self.prediction.doubtful(below=0.9)
        for place in np.argwhere(doubtful).tolist():
            cell = self.spec.cell(tuple(place))
            diagram.record(cell.index, self.run(cell))
        diagram.enter_prediction(self.prediction)
        return diagram

    @property
    def updates(self) -> int:
        """Updates of the whole sweep."""
        return int(measured_lengths(self.exact).sum())

    def cost(self, diagram: PhaseDiagram) -> float:
        """Return the updates of probes and of measured cells as a share of the whole sweep's."""
        cost = spent(diagram)
        return (cost.probes + cost.measured) / self.updates

    def agreement(self, diagram: PhaseDiagram) -> float:
        """Return the share of cells with the measured label."""
        return float((diagram.phases == self.exact.phases).mean())

    @property
    def commonest(self) -> float:
        """Share of the commonest label."""
        return Counter(self.exact.phases.ravel().tolist()).most_common(1)[0][1] / self.spec.size

    @cached_property
    def stated(self) -> NDArray[np.float64]:
        """Probability of the label of each predicted cell."""
        return np.asarray(self.prediction.certainty[self.predicted.source == Source.PREDICTED])

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """Whether each predicted cell has the measured label."""
        same = self.predicted.phases == self.exact.phases
        return np.asarray(same[self.predicted.source == Source.PREDICTED])

    def nearest(self, updates: int) -> float:
        """Share of labels that the nearest of some measured cells gives, within these updates.

        The cells are the furthest from all before, on the axes' own scales, from a corner on.
        """
        places = np.argwhere(np.ones(self.spec.shape)).astype(float)
        places /= np.maximum(places.max(axis=0), 1)
        lengths, phases = measured_lengths(self.exact).ravel(), self.exact.phases.ravel()
        apart, nearest, cost, place = np.full(len(places), np.inf), np.zeros(len(places), int), 0, 0
        while cost + lengths[place] <= updates:
            cost += int(lengths[place])
            closer = np.linalg.norm(places - places[place], axis=1)
            nearest = np.where(closer < apart, place, nearest)
            apart = np.minimum(apart, closer)
            place = int(apart.argmax())
        return float((phases[nearest] == phases).mean())
