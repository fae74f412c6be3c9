"""Make the table "Three ways to one diagram" of docs/prediction.md: `python docs/ways.py`.

Some ten minutes on 2 cores; every way begins with nothing.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sections import markdown_table, write_section
from trials import fig6b

from effective_theory.machine import describe_machine
from effective_theory.workers import cores
from phase_diagrams import Axis, PhaseDiagram, SweepSpec, measure_doubtful, predict, refine, sweep
from phase_diagrams.prediction.spent import measured_lengths, spent

PAGE = Path(__file__).with_name("prediction.md")
#: One that had no part in fixing the rule of prediction.
SPEC = fig6b(10)


def coarse(spec: SweepSpec) -> SweepSpec:
    """Return every other value of both axes, which `refine` halves to all."""
    axes = {name: Axis(axis.values[::2], axis.scale) for name, axis in spec.grid.items()}
    return replace(spec, axes=axes)


def timed(way: Callable[[], PhaseDiagram]) -> tuple[PhaseDiagram, float]:
    """Return a diagram and the seconds that it took."""
    began = time.perf_counter()
    return way(), time.perf_counter() - began


def updates(diagram: PhaseDiagram) -> int:
    """Return the updates that were run for a diagram."""
    if diagram.prediction is None:
        return int(measured_lengths(diagram)[diagram.measured].sum())
    cost = spent(diagram)
    return cost.probes + cost.measured


def table() -> str:
    """Return updates, time and agreement of each way."""
    # What is compiled or cached in the first run of a process belongs to no way.
    sweep(replace(SPEC, model=replace(SPEC.model, steps=1)), progress=False)
    whole, all_of_it = timed(lambda: sweep(SPEC))
    refined, halved = timed(lambda: refine(sweep(coarse(SPEC)), to=2))
    predicted, probed = timed(lambda: predict(SPEC))
    measured, besides = timed(lambda: measure_doubtful(predicted))
    rows = []
    for name, diagram, seconds in (
        ("full sweep", whole, all_of_it),
        ("every other value, refined", refined, halved),
        ("predicted", predicted, probed),
        ("predicted, doubtful cells measured", measured, probed + besides),
    ):
        count, right = updates(diagram), (diagram.phases == whole.phases).mean()
        taken = f"{count:.3g} ({count / updates(whole):.0%})"
        rows.append(
            (name, taken, f"{seconds / 60:.1f} ({seconds / all_of_it:.0%})", f"{right:.1%}")
        )
    ways = markdown_table(("way", "updates", "minutes", "labels right"), rows)
    return f"{ways}\n\n{describe_machine()}; {cores()} runs at a time."


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    write_section(PAGE, "ways", table())
