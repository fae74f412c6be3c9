"""How much of a sweep is done, and how long the rest takes."""

import contextlib
from pathlib import Path

from effective_theory.workers import at_a_time
from phase_diagrams.runs.cost import ExpectedCost
from phase_diagrams.runs.engines import NumbaEngine
from phase_diagrams.runs.store import Store
from phase_diagrams.sweeping import known, resumed
from phase_diagrams.sweeps.spec import SweepSpec


def estimate(spec: SweepSpec, store: Path, name: str, engine: NumbaEngine) -> str:
    """Return in one sentence what is done, to do and how long it takes at most.

    The time is that of a short trial of each shape, times all updates of the budgets; runs that
    stop early make it less.
    """
    with contextlib.ExitStack() as stack:
        kept = stack.enter_context(Store(store, create=False)) if store.exists() else None
        spec = resumed(spec, kept, name)
        todo = [cell for cell, summary in known(spec, kept, engine) if summary is None]
    done = spec.size - len(todo)
    if not todo:
        return f"{spec.size} runs: all done."
    workers = min(at_a_time(engine.workers), len(todo))
    seconds = sum(map(ExpectedCost(), todo))
    return (
        f"{spec.size} runs: {done} done, {len(todo)} to do, at most {seconds / workers / 60:.1f} "
        f"minutes with {workers} at a time."
    )
