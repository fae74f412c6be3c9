"""Sweeping: a specification, an engine and a store make a phase diagram."""

import contextlib
import sys
import warnings
from pathlib import Path

from tqdm import tqdm

from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.engines import Engine, numba_engine
from phase_diagrams.spec import SweepSpec
from phase_diagrams.store import Store

#: Name of a sweep in the store where the user gives none.
DEFAULT_NAME = "sweep"


def sweep(
    spec: SweepSpec,
    *,
    store: str | Path | None = None,
    name: str = DEFAULT_NAME,
    engine: Engine | None = None,
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
        What runs the cells; `numba_engine` on all cores by default.
    progress
        Show one progress bar on stderr; off anyway where that is no terminal.

    Returns
    -------
    PhaseDiagram
        The same numbers for the same specification, whatever the number of workers, the order of
        cells or interruptions.

    Raises
    ------
    StoreError
        If the store cannot be used; what it held stays as it was.

    Warns
    -----
    UserWarning
        For each split whose ideal test accuracy is below the threshold.
    """
    engine = engine if engine is not None else numba_engine()
    diagram = PhaseDiagram(spec)
    for sentence in diagram.ideal_test_accuracy.warnings():
        warnings.warn(sentence, stacklevel=2)
    with contextlib.ExitStack() as stack:
        kept = stack.enter_context(Store(store)) if store is not None else None
        if kept is not None:
            kept.add_sweep(name, spec)
        todo = missing(diagram, kept, engine)
        silent = not progress or not sys.stderr.isatty()
        bar = stack.enter_context(
            tqdm(total=spec.size, initial=spec.size - len(todo), unit="run", disable=silent)
        )
        for cell, summary in engine.run(spec.cell(index) for index in todo):
            if kept is not None:
                kept.add(cell, summary, engine.identity, engine.version)
            diagram.record(cell.index, summary)
            bar.update()
    return diagram


def missing(diagram: PhaseDiagram, store: Store | None, engine: Engine) -> list[tuple[int, ...]]:
    """Enter what the store knows into the diagram and return the places of the other runs."""
    if store is None:
        return [cell.index for cell in diagram.spec.cells()]
    todo = []
    for cell, summary in store.find(diagram.spec.cells(), engine.identity, engine.version):
        if summary is None:
            todo.append(cell.index)
        else:
            diagram.record(cell.index, summary)
    return todo


def load(
    store: str | Path, name: str | None = None, *, engine: Engine | None = None
) -> tuple[str, PhaseDiagram]:
    """Return a stored sweep's name and its diagram; runs that are missing stay "not run".

    Raises
    ------
    StoreError
        If the store is missing or damaged, or does not hold that one sweep.
    """
    engine = engine if engine is not None else numba_engine()
    with Store(store, create=False) as kept:
        name, spec = kept.spec(name)
        diagram = PhaseDiagram(spec)
        missing(diagram, kept, engine)
    return name, diagram
