"""Prediction: a diagram from the few runs that the scaling law of AdamW asks for."""

import dataclasses
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from effective_theory import InputError
from effective_theory.checks import fraction, of_type
from effective_theory.notes import warn_each
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.prediction.predicted_cells import predict_cells
from phase_diagrams.prediction.probes import Plan
from phase_diagrams.runs.engines import Engine, chosen_engine
from phase_diagrams.runs.origin import mixtures
from phase_diagrams.runs.summary import RunSummary
from phase_diagrams.sweeping import (
    empty_diagram,
    enter,
    finished,
    opened,
    require_same_engine,
    resumed,
    stored_results,
)
from phase_diagrams.sweeps.cell import Cell
from phase_diagrams.sweeps.rescaling import require_rates
from phase_diagrams.sweeps.spec import SweepSpec

#: Name of the predicted sweep in the store where the user gives none.
DEFAULT_NAME = "predicted"


def predict(
    spec: SweepSpec,
    *,
    store: str | Path | None = None,
    name: str = DEFAULT_NAME,
    engine: Engine | None = None,
    n_jobs: int | None = None,
    progress: bool = True,
) -> PhaseDiagram:
    """Predict a sweep from short runs at larger learning rates, and say how sure each cell is.

    Under AdamW a run with all learning rates times a factor is nearly the same run, that many times
    faster (`rescale`). One probe for each ratio of the rates, and for each value of everything
    else, therefore predicts all cells that differ from it in the unit of time alone. Where probes
    at neighbouring ratios end in different phases, further probes run at other rates. A sweep that
    varies neither a rate nor the budget has a probe for each cell: shorter runs, but not fewer.

    Parameters
    ----------
    spec
        The sweep, of a system that names its rates, such as the toy model.
    store
        SQLite file that keeps the probes; the same call resumes. Cells whose runs it holds already
        are measured.
    name
        Name of the predicted sweep in the store.
    engine
        What runs the probes; the system's own on all cores by default.
    n_jobs
        Runs of that engine at a time, as for `sweep`; not together with ``engine``.
    progress
        Show progress on stderr, as `sweep` does.

    Returns
    -------
    PhaseDiagram
        The diagram. Its cells are predicted (`Source.PREDICTED`), without steps, unless they are
        measured. Its ``prediction`` has the probability of each phase.

    Raises
    ------
    InputError
        If the system names no rates, one of them is 0, or an argument is wrong.
    StoreError
        If the store cannot be used; what it held stays as it was.

    Warns
    -----
    UserWarning
        For each split whose ideal test accuracy is below the threshold, and where runs come from
        several origins.
    ChangedSweep
        As for `sweep`.

    Examples
    --------
    >>> from effective_theory import Addition, ToyModel
    >>> from phase_diagrams import SweepSpec
    >>> axes = {"embedding_lr": [1e-3, 1e-2], "decoder_lr": [1e-4, 1e-3]}
    >>> predict(SweepSpec(Addition(10), axes, ToyModel(width=20)), n_jobs=1).prediction.probes
    3
    """
    of_type("spec", spec, SweepSpec, "a SweepSpec")
    of_type("progress", progress, bool, "True or False")
    if spec.refined:
        raise InputError("spec is a refined sweep; predict the coarse one, and refine that.")
    require_rates(spec.system)
    engine = chosen_engine(spec.system, engine, n_jobs)
    with opened(store, name) as open_store:
        spec = resumed(dataclasses.replace(spec, predicted=True), open_store, name)
        # What cannot be predicted leaves a stored sweep of this name as it is.
        plan = Plan(spec)
        enter(open_store, name, spec)
        diagram = empty_diagram(spec, store, name, engine)
        warn_each(diagram.ideal_test_accuracy.warnings())
        for cell, summary in stored_results(spec, open_store, engine):
            if summary is not None:
                diagram.record(cell.index, summary)

        def run(probes: list[Cell]) -> Iterator[tuple[Cell, RunSummary]]:
            slow_first = sorted(probes, key=lambda cell: -cell.budget.steps)
            return finished(slow_first, open_store, engine, progress)

        ended = plan.follow(run)
    predict_cells(diagram, plan, ended)
    origins = Counter(summary.origin for summary in ended.values())
    warn_each(mixtures(origins + Counter(diagram.origins), spec.system))
    return diagram


def measure_doubtful(
    diagram: PhaseDiagram,
    below: float = 0.9,
    *,
    store: str | Path | None = None,
    engine: Engine | None = None,
    n_jobs: int | None = None,
    progress: bool = True,
) -> PhaseDiagram:
    """Run the cells that a predicted diagram is not sure of, and return a diagram with the results.

    Parameters
    ----------
    diagram
        A diagram that `predict` made, or a part of it, which stays as it is.
    below
        Probability, from 0 to 1: cells are run whose likeliest phase has a smaller one, and those
        that were not predicted.
    store
        SQLite file that keeps the runs: that of the prediction, if `load` is to find them.
    engine, n_jobs, progress
        As for `predict`.

    Returns
    -------
    PhaseDiagram
        A copy of the diagram with these cells measured; the predictions of others stay.

    Raises
    ------
    InputError
        If the diagram was not predicted, has been refined, holds runs of another engine or
        version, or an argument is wrong.
    StoreError
        If the store cannot be used; what it held stays as it was.

    Warns
    -----
    UserWarning
        Where runs come from several origins.
    """
    of_type("diagram", diagram, PhaseDiagram, "a PhaseDiagram such as predict() returns")
    of_type("progress", progress, bool, "True or False")
    if diagram.prediction is None:
        raise InputError("diagram was not predicted; make it with predict().")
    if diagram.spec.refined:
        raise InputError("diagram was refined; measure what is doubtful before it is refined.")
    below = fraction("below", below)
    engine = chosen_engine(diagram.spec.system, engine, n_jobs)
    require_same_engine(diagram, engine)
    unsure = ~diagram.measured & diagram.prediction.doubtful(below)
    cells = [diagram.spec.cell(tuple(place)) for place in np.argwhere(unsure).tolist()]
    name = diagram.name or DEFAULT_NAME
    after = diagram.copy()
    if store is not None:
        after.kept = empty_diagram(diagram.spec, store, name, engine).kept
    with opened(store, name) as open_store:
        for cell, summary in finished(cells, open_store, engine, progress):
            after.record(cell.index, summary)
    after.enter_prediction(diagram.prediction)
    warn_each(mixtures(after.origins, after.spec.system))
    return after
