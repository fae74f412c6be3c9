"""How much of a sweep is done, and how long the rest takes."""

import dataclasses
import time
from pathlib import Path

from effective_theory import train
from effective_theory.training import compile_kernels
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.engines import NumbaEngine
from phase_diagrams.spec import Cell, SweepSpec
from phase_diagrams.store import Store
from phase_diagrams.sweeping import missing

_TRIAL_UPDATES = 200


def estimate(spec: SweepSpec, store: Path, engine: NumbaEngine) -> str:
    """Return in one sentence what is done, to do and how long it takes at most.

    The time is that of a short trial of the first missing run, times all updates of the budget;
    runs that stop early make it less.
    """
    diagram = PhaseDiagram(spec)
    if store.is_file():
        with Store(store, create=False) as kept:
            todo = missing(diagram, kept, engine)
    else:
        todo = missing(diagram, None, engine)
    done = spec.size - len(todo)
    if not todo:
        return f"{spec.size} runs: all done."
    workers = min(engine.workers if engine.workers > 0 else 1, len(todo))
    seconds = sum(spec.cell(index).model.steps for index in todo) * _seconds(spec.cell(todo[0]))
    return (
        f"{spec.size} runs: {done} done, {len(todo)} to do, at most {seconds / workers / 60:.1f} "
        f"minutes with {workers} at a time."
    )


def _seconds(cell: Cell) -> float:
    """Time of one update of a cell."""
    compile_kernels()
    model = dataclasses.replace(cell.model, steps=_TRIAL_UPDATES, stop_when="never")
    start = cell.draw()
    began = time.perf_counter()
    run = train(model, *start)
    return (time.perf_counter() - began) / max(run.steps_run, 1)
