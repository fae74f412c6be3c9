"""How much of a sweep is done, and how long the rest takes."""

import contextlib
import dataclasses
import time
from pathlib import Path

from joblib import effective_n_jobs

from effective_theory import train
from effective_theory.training import compile_kernels
from phase_diagrams.engines import NumbaEngine
from phase_diagrams.spec import Cell, SweepSpec
from phase_diagrams.store import Store
from phase_diagrams.sweeping import known

_TRIAL_UPDATES = 50


def estimate(spec: SweepSpec, store: Path, engine: NumbaEngine) -> str:
    """Return in one sentence what is done, to do and how long it takes at most.

    The time is that of a short trial of each shape, times all updates of the budgets; runs that
    stop early make it less.
    """
    with contextlib.ExitStack() as stack:
        kept = stack.enter_context(Store(store, create=False)) if store.is_file() else None
        todo = [cell for cell, summary in known(spec, kept, engine) if summary is None]
    done = spec.size - len(todo)
    if not todo:
        return f"{spec.size} runs: all done."
    workers = min(effective_n_jobs(engine.workers), len(todo))
    # Time depends on shapes alone: one trial for each.
    shapes = {_shape(cell): cell for cell in todo}
    update = {shape: _seconds(cell) for shape, cell in shapes.items()}
    seconds = sum(cell.model.steps * update[_shape(cell)] for cell in todo)
    return (
        f"{spec.size} runs: {done} done, {len(todo)} to do, at most {seconds / workers / 60:.1f} "
        f"minutes with {workers} at a time."
    )


def _shape(cell: Cell) -> tuple[object, ...]:
    """Return what the time of an update depends on."""
    model = cell.model
    return (*model.layer_sizes(cell.task), model.loss, model.batch_size, cell.train_size)


def _seconds(cell: Cell) -> float:
    """Time of one update of a cell."""
    compile_kernels()
    model = dataclasses.replace(cell.model, steps=_TRIAL_UPDATES, stop_when="never")
    start = cell.draw()
    began = time.perf_counter()
    run = train(model, *start)
    return (time.perf_counter() - began) / max(run.steps_run, 1)
