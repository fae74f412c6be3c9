"""Sweeping: a specification, an engine and a store make a phase diagram."""

import contextlib
import dataclasses
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from effective_theory import InputError
from effective_theory.checks import of_type, path_of
from effective_theory.notes import warn_each
from effective_theory.progress import progress_bar
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.runs.engines import Checkpointing, Engine, OneByOne, beside, chosen_engine
from phase_diagrams.runs.origin import mixtures
from phase_diagrams.runs.store import Store
from phase_diagrams.runs.stored_run import KeptRuns
from phase_diagrams.runs.summary import RunSummary
from phase_diagrams.sweeps.cell import Cell
from phase_diagrams.sweeps.description import change
from phase_diagrams.sweeps.names import ChangedSweep, require_name
from phase_diagrams.sweeps.spec import SweepSpec
from phase_diagrams.sweeps.splits import few_strict_samples

#: Name of a sweep in the store where the user gives none.
DEFAULT_NAME = "sweep"
_SPEC = "a SweepSpec such as SweepSpec(Addition(10), {'decoder_lr': [1e-4, 1e-3]})"


def sweep(
    spec: SweepSpec,
    *,
    store: str | Path | None = None,
    name: str = DEFAULT_NAME,
    engine: Engine | None = None,
    n_jobs: int | None = None,
    progress: bool = True,
) -> PhaseDiagram:
    """Run all cells of a sweep that the store does not know yet, and return the diagram.

    Parameters
    ----------
    spec
        The sweep.
    store
        SQLite file that keeps finished runs; the same call resumes, extends and, once all is done,
        only reads. Without it nothing is kept but the diagram.
    name
        Name of the sweep in the store.
    engine
        What runs the cells; by default the system's own, for the toy model `numba_engine`.
    n_jobs
        Runs at a time of the system's own engine; not together with ``engine``.
    progress
        Show progress on stderr: a bar in terminals and notebooks, in logs a line now and then.

    Returns
    -------
    PhaseDiagram
        The diagram: the same numbers for the same specification, whatever the number of workers,
        the order of cells or interruptions.

    Raises
    ------
    InputError
        If an argument is wrong, or ``engine`` and ``n_jobs`` are both given.
    RunError
        If a worker cannot be started or dies, memory runs out, or a registered trainer fails.
    StoreError
        If the store cannot be used; what it held stays as it was.

    Warns
    -----
    UserWarning
        For each split whose ideal test accuracy is below the threshold, where splits of networks
        leave few test samples whose mirror is not in training, and where runs come from several
        origins, such as instruction sets.
    ChangedSweep
        If the store holds another sweep of this name, which this one does not just extend.
    """
    of_type("spec", spec, SweepSpec, _SPEC)
    of_type("progress", progress, bool, "True or False")
    engine = chosen_engine(spec.system, engine, n_jobs)
    # The specification of a predicted or refined diagram, swept, means: run every cell.
    if spec.predicted or spec.refined:
        spec = dataclasses.replace(spec, predicted=False, refined={})
    with opened(store, name) as open_store:
        spec = enter(open_store, name, spec)
        diagram = empty_diagram(spec, store, name, engine)
        warn_each([*diagram.ideal_test_accuracy.warnings(), *few_strict_samples(spec)])
        for cell, summary in stored_then_run(spec, open_store, engine, progress):
            diagram.record(cell.index, summary)
    warn_each(mixtures(diagram.origins, spec.system))
    return diagram


def results(
    spec: SweepSpec,
    *,
    store: str | Path | None = None,
    name: str = DEFAULT_NAME,
    engine: Engine | None = None,
    progress: bool = True,
    exact: bool = False,
    places: Sequence[tuple[int, ...]] | None = None,
) -> Iterator[tuple[Cell, RunSummary]]:
    """Yield every run of a sweep: those that the store knows, then the others as they come.

    Parameters and errors are those of `sweep`; the order is not that of the cells. With ``exact``
    a stored run counts only if it ended in the state that is asked for: for those who use its last
    accuracies, RQI or embeddings, which are NaN otherwise. ``places`` are the indices of the runs
    that are asked for, by default all of the sweep.
    """
    engine = chosen_engine(spec.system, engine, None)
    with opened(store, name) as open_store:
        spec = enter(open_store, name, spec)
        yield from stored_then_run(spec, open_store, engine, progress, exact=exact, places=places)


def stored_then_run(
    spec: SweepSpec,
    open_store: Store | None,
    engine: Engine,
    progress: bool,
    *,
    exact: bool = False,
    places: Sequence[tuple[int, ...]] | None = None,
) -> Iterator[tuple[Cell, RunSummary]]:
    """Yield the runs of a sweep whose store is open already, as `results` does."""
    todo = []
    for cell, summary in stored_results(spec, open_store, engine, exact=exact, places=places):
        if summary is None:
            todo.append(cell.index)
        else:
            yield cell, summary
    total = spec.size if places is None else len(places)
    cells = (spec.cell(index) for index in long_first(spec, todo))
    yield from _run(cells, len(todo), total, open_store, engine, progress)


def finished(
    cells: Sequence[Cell], open_store: Store | None, engine: Engine, progress: bool
) -> Iterator[tuple[Cell, RunSummary]]:
    """Yield runs that belong to no sweep: those that a store knows, then the others as they come.

    The others begin in the order of the cells.
    """
    todo = list(cells)
    if open_store is not None:
        todo = []
        for cell, summary in open_store.find(cells, engine.identity, engine.version):
            if summary is None:
                todo.append(cell)
            else:
                yield cell, summary
    yield from _run(todo, len(todo), len(cells), open_store, engine, progress)


def _run(
    cells: Iterable[Cell],
    count: int,
    total: int,
    open_store: Store | None,
    engine: Engine,
    progress: bool,
) -> Iterator[tuple[Cell, RunSummary]]:
    """Yield runs as they come, and let the store have them."""
    if open_store is not None:
        if count:
            open_store.require_writable()
        engine = beside(engine, open_store.path)
    # What is compiled once takes no part in the rate that is told of the runs.
    if count and isinstance(engine, OneByOne):
        engine.prepare()
    with progress_bar(total, unit="run", initial=total - count, progress=progress) as done:
        for cell, summary in engine.run(cells):
            if open_store is not None:
                open_store.add(cell, summary, engine.identity, engine.version)
                # It then removes the run's own file.
                if isinstance(engine, Checkpointing):
                    open_store.commit()
            done(1)
            yield cell, summary


def empty_diagram(
    spec: SweepSpec, store: str | Path | None, name: str, engine: Engine
) -> PhaseDiagram:
    """Return a diagram without runs that knows where they will be kept."""
    if store is None:
        return PhaseDiagram(spec)
    kept = KeptRuns(path_of("store", store), engine.identity, engine.version)
    return PhaseDiagram(spec, kept=kept, name=name)


def require_same_engine(diagram: PhaseDiagram, engine: Engine) -> None:
    """Check that an engine, of the same version, ran what a diagram from a store holds already.

    Raises
    ------
    InputError
        If another one did: a store tells the runs of the two apart, a diagram would not.
    """
    kept = diagram.kept
    holds_runs = diagram.measured.any() or diagram.prediction is not None
    if kept is None or not holds_runs:
        return
    if (kept.engine, kept.version) != (engine.identity, engine.version):
        raise InputError(
            f"the diagram's runs are those of the engine {kept.engine}, version {kept.version}, "
            f"and {engine.identity}, version {engine.version}, is to run the others; give that "
            "engine, or sweep the diagram's specification with this one first."
        )


def opened(store: str | Path | None, name: str) -> contextlib.AbstractContextManager[Store | None]:
    """Open the store of a sweep, made if it is not there; None where nothing is to be kept."""
    # A bad name leaves no file behind.
    require_name(name)
    return contextlib.nullcontext() if store is None else Store(store)


def resumed(spec: SweepSpec, open_store: Store | None, name: str) -> SweepSpec:
    """Return the sweep with the values that a store's sweep of this name has for its axes.

    Numbers that differ in the last bits only, such as those of an axis that another version has
    spaced, would be other runs: a stored sweep goes on with its own.
    """
    return spec if open_store is None else _resumed(spec, open_store, name)[0]


def enter(open_store: Store | None, name: str, spec: SweepSpec) -> SweepSpec:
    """Tell a store of a sweep, and return the sweep as `resumed` does.

    Warns
    -----
    ChangedSweep
        If the name stood for a sweep that this does not extend: with what was and what is now.
    """
    spec.require_together()
    if open_store is None:
        return spec
    spec, changed = _resumed(spec, open_store, name)
    if changed is not None:
        was, now = changed
        sentence = (
            f"sweep {name!r} was: {was}; is now: {now}; pictures and tables of this name are "
            "replaced, finished runs stay in the store."
        )
        # Through what calls this, such as `sweep`, to the user.
        warnings.warn(sentence, ChangedSweep, stacklevel=3)
    open_store.add_sweep(name, spec)
    return spec


def _resumed(
    spec: SweepSpec, open_store: Store, name: str
) -> tuple[SweepSpec, tuple[str, str] | None]:
    """Return what `resumed` does, and what the name stood for and does now, where that differs."""
    stored = open_store.sweeps().get(name)
    if stored is None:
        return spec, None
    try:
        before = SweepSpec.from_json(stored)
    except InputError as error:  # such as a start that is not registered here
        return spec, (f"not readable ({error})", str(spec))
    spec = spec.with_values_of(before)
    return spec, change(before.settings, spec.settings)


def long_first(spec: SweepSpec, places: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Return the places so that no long run is left over for the end.

    The fields of the system say which values make a run long; budgets count first.
    """
    names, fields = list(spec.grid), spec.system.fields
    signs = {"largest": -1, "smallest": 1}
    axes = [
        (names.index(name), sign)
        for longest, sign in signs.items()
        for name in names
        if name in fields and fields[name].longest == longest
    ]
    return sorted(places, key=lambda place: [sign * place[axis] for axis, sign in axes])


def stored_results(
    spec: SweepSpec,
    store: Store | None,
    engine: Engine,
    *,
    exact: bool = False,
    places: Sequence[tuple[int, ...]] | None = None,
) -> Iterator[tuple[Cell, RunSummary | None]]:
    """Yield every cell of a sweep, or those at ``places``, with what the store knows, or None."""
    cells = spec.cells() if places is None else (spec.cell(place) for place in places)
    if store is None:
        return ((cell, None) for cell in cells)
    return store.find(cells, engine.identity, engine.version, exact=exact)
