"""Loading: the diagram of a stored sweep."""

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from effective_theory.checks import of_type
from effective_theory.notes import warn_each
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.phases import Phase, Source
from phase_diagrams.prediction.predicted_cells import predict_cells
from phase_diagrams.prediction.probes import Plan
from phase_diagrams.refinement.coarse import coarse_places, coarse_spec
from phase_diagrams.refinement.inferred_cells import infer, missing_cells
from phase_diagrams.runs.engines import Engine, chosen_engine
from phase_diagrams.runs.origin import mixtures
from phase_diagrams.runs.store import Store
from phase_diagrams.runs.store_errors import StoreError
from phase_diagrams.runs.stored_run import KeptRuns
from phase_diagrams.runs.summary import RunSummary
from phase_diagrams.sweeps.cell import Cell
from phase_diagrams.sweeps.spec import SweepSpec


def load(
    store: str | Path, name: str | None = None, *, engine: Engine | str | None = None
) -> PhaseDiagram:
    """Return the diagram of a stored sweep; runs that are missing stay "not run".

    Cells between agreeing runs of a refined sweep are inferred, as by `refine`, and cells of a
    predicted sweep are predicted from the stored probes, as by `predict`.

    Parameters
    ----------
    store
        The store's SQLite file.
    name
        Name of the sweep; it may be left out where the store holds only one.
    engine
        The engine whose runs are wanted, or its identity, which stands for the newest of its
        versions that has run a cell of the sweep; by default the system's own. A sweep may hold
        runs of several engines.

    Returns
    -------
    PhaseDiagram
        The diagram.

    Raises
    ------
    StoreError
        If the store is missing or damaged, or does not hold that sweep or that engine; or if no
        engine is given and other engines alone have trained it.
    InputError
        If the sweep's system is not known here, or an argument is wrong.

    Warns
    -----
    UserWarning
        Where runs come from several origins, such as instruction sets.
    """
    if name is not None:
        of_type("name", name, str, "that of a stored sweep")
    with Store(store, create=False) as open_store:
        return stored_diagram(open_store, *open_store.spec(name), engine)


def stored_diagram(
    open_store: Store, name: str, spec: SweepSpec, engine: Engine | str | None = None
) -> PhaseDiagram:
    """Return the diagram of what an open store knows of a sweep; see `load`."""
    runs = _runs_of(open_store, spec, engine)
    diagram = PhaseDiagram(spec, kept=runs, name=name)
    if spec.refined or spec.predicted:
        diagram = _as_made(diagram, open_store, runs)
    else:
        _record(diagram, open_store, runs, spec.cells())
    if engine is None and (diagram.source == Source.NOT_RUN).all():
        _require_no_others(diagram, open_store, runs)
    # Through `load` to the user.
    warn_each(mixtures(diagram.origins, spec.system), stacklevel=3)
    return diagram


def _runs_of(open_store: Store, spec: SweepSpec, engine: Engine | str | None) -> KeptRuns:
    """Return which runs of a store are asked for: an engine's, of one version."""
    if isinstance(engine, str):
        newest = KeptRuns(open_store.path, engine, open_store.versions(engine)[0])
        return _newest_that_ran(open_store, spec, engine) or newest
    engine = chosen_engine(spec.system, engine, None)
    return KeptRuns(open_store.path, engine.identity, engine.version)


def _newest_that_ran(open_store: Store, spec: SweepSpec, engine: str) -> KeptRuns | None:
    """Return the runs of an engine's newest version that has run a cell of a sweep."""
    for version in open_store.versions(engine):
        runs = KeptRuns(open_store.path, engine, version)
        if any(True for _ in _known(open_store, runs, spec.cells())):
            return runs
    return None


def _known(
    open_store: Store, runs: KeptRuns, cells: Iterable[Cell]
) -> Iterator[tuple[Cell, RunSummary]]:
    """Yield those of some cells whose runs a store has, with these."""
    for cell, summary in open_store.find(cells, runs.engine, runs.version):
        if summary is not None:
            yield cell, summary


def _record(
    diagram: PhaseDiagram, open_store: Store, runs: KeptRuns, cells: Iterable[Cell]
) -> bool:
    """Enter what a store knows of some cells; return whether it knows any."""
    any_known = False
    for cell, summary in _known(open_store, runs, cells):
        diagram.record(cell.index, summary)
        any_known = True
    return any_known


def _as_made(empty: PhaseDiagram, open_store: Store, runs: KeptRuns) -> PhaseDiagram:
    """Return a diagram with what `predict` and `refine` entered, whatever else the store holds."""
    spec = empty.spec
    coarse = map(spec.cell, missing_cells(empty)) if spec.refined else spec.cells()
    diagram = empty.copy()
    any_measured = _record(diagram, open_store, runs, coarse)
    if _refine_again(diagram, open_store, runs) or not (spec.predicted and any_measured):
        return diagram
    # Coarse cells that were measured after it had been refined ask for runs that were never made:
    # there what had been inferred before stands.
    before = empty.copy()
    _refine_again(before, open_store, runs)
    phases = np.where(diagram.source == Source.NOT_RUN, before.phases, diagram.phases)
    diagram.enter(np.where(diagram.measured, Phase.NOT_RUN, phases), Source.INFERRED)
    return diagram


def _refine_again(diagram: PhaseDiagram, open_store: Store, runs: KeptRuns) -> bool:
    """Enter what follows from the coarse cells; return whether no run was missing."""
    spec, is_finished = diagram.spec, True
    if spec.predicted:
        _predict_again(diagram, open_store, runs)
    while spec.refined and (missing := missing_cells(diagram)):
        if not _record(diagram, open_store, runs, map(spec.cell, missing)):
            # It was not finished: what is there is shown.
            _record(diagram, open_store, runs, spec.cells())
            is_finished = False
            break
    if diagram.prediction is not None:
        diagram.enter_prediction(diagram.prediction)
    infer(diagram)
    return is_finished


def _predict_again(diagram: PhaseDiagram, open_store: Store, runs: KeptRuns) -> None:
    """Enter what the stored probes of a predicted sweep say, as `predict` did."""
    coarse = PhaseDiagram(coarse_spec(diagram.spec))
    plan = Plan(coarse.spec)
    predict_cells(coarse, plan, plan.follow(partial(_known, open_store, runs)))
    diagram.take(coarse_places(diagram.spec), coarse)


def _require_no_others(diagram: PhaseDiagram, open_store: Store, own: KeptRuns) -> None:
    """Raise StoreError where only others than the system's own engine have run a sweep's cells."""
    others = [
        engine
        for engine in open_store.engines()
        if _newest_that_ran(open_store, diagram.spec, engine) is not None
    ]
    if others:
        raise StoreError(
            f"store {open_store.path} holds no run of {diagram.name!r} by version {own.version} of "
            f"{own.engine}, the system's own engine; give engine, one of: {', '.join(others)}."
        )
