"""How much of a sweep is done, and how long the rest takes."""

import contextlib
from pathlib import Path

from effective_theory.workers import at_a_time
from phase_diagrams.runs.engines import Engine, OneByOne
from phase_diagrams.runs.store import Store
from phase_diagrams.sweeping import resumed, stored_results
from phase_diagrams.sweeps.spec import SweepSpec


def estimate(spec: SweepSpec, store: Path, name: str, engine: Engine) -> str:
    """Return in one sentence what is done, to do and how long it takes at most.

    The time is that of a short trial of each shape, times all updates of the budgets; runs that
    stop early make it less. Of a system that has no such trial no time is told.
    """
    with contextlib.ExitStack() as stack:
        open_store = stack.enter_context(Store(store, create=False)) if store.exists() else None
        spec = resumed(spec, open_store, name)
        todo = [
            cell for cell, summary in stored_results(spec, open_store, engine) if summary is None
        ]
    done = spec.size - len(todo)
    if not todo:
        return f"{spec.size} runs: all done."
    sentence = f"{spec.size} runs: {done} done, {len(todo)} to do"
    if spec.system.expected_seconds is None or not isinstance(engine, OneByOne):
        return f"{sentence}."
    workers = min(at_a_time(engine.workers), len(todo))
    seconds = list(map(spec.system.expected_seconds(), todo))
    return (
        f"{sentence}, at most {sum(seconds) / workers / 60:.1f} minutes with {workers} at a time, "
        f"the longest run {max(seconds) / 60:.1f}."
    )
