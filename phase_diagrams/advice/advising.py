"""advise(): the nearest settings that comprehend, seen from one that does not."""

import math
from typing import Any

import numpy as np

from effective_theory import InputError
from effective_theory.checks import of_type
from phase_diagrams.advice.distance import Place, containing, distances, place_at, unit
from phase_diagrams.advice.outcomes import Outcomes
from phase_diagrams.advice.result import Advice, Setting, place_in_words
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.phases import Phase
from phase_diagrams.sweeps.parts import require_axes
from phase_diagrams.sweeps.spec import SweepSpec


def advise(
    diagram: PhaseDiagram, seed: int | tuple[int, int] | None = None, **values: Any
) -> Advice:
    """Return the nearest settings that comprehend, seen from a run that groks, memorises or fails.

    Parameters
    ----------
    diagram
        A sweep, refined or not.
    seed
        The seed whose runs count. By default those of all seeds do: a setting has the phase of most
        of them, comprehends if more than half of them do, and its step is their median.
    **values
        A value for each axis. The cell that contains it answers; on an ordinal axis it must be one
        of the axis' values.

    Returns
    -------
    Advice
        The advice; print it for sentences. An inferred cell has the step of the nearest measured
        run of its phase and seed.

    Raises
    ------
    InputError
        If an axis is missing or unknown, a value lies outside of the axes, the seed is not in the
        sweep, or the cell was not run.
    """
    spec = of_type("diagram", diagram, PhaseDiagram, "a PhaseDiagram").spec
    asked, place = asked_cell(spec, values)
    chosen = [diagram.seed_index(seed)] if seed is not None else list(range(len(spec.seeds)))
    outcomes = Outcomes(diagram, chosen)
    phase = outcomes.phase(place)
    cell = spec.values_at(place)
    if phase is Phase.NOT_RUN:
        raise InputError(
            f"the cell at {place_in_words(cell, spec.grid)} was not run; finish the sweep first."
        )
    step = outcomes.test_step(place)
    nearest = () if phase is Phase.COMPREHENSION else _nearest(spec, outcomes, asked)
    return Advice(
        asked=asked,
        cell=cell,
        seed=spec.seeds[chosen[0]] if len(chosen) == 1 else None,
        phase=phase,
        source=outcomes.source(place),
        test_step=_whole(step),
        budget=spec.cell((*place, chosen[0])).model.steps if math.isinf(step) else None,
        settings=tuple(_setting(spec, outcomes, asked, step, there) for there in nearest),
        scales=", ".join(unit(spec, name) for name in spec.grid),
        axes=spec.grid,
        unit=spec.system.unit,
    )


def asked_cell(spec: SweepSpec, values: dict[str, Any]) -> tuple[dict[str, Any], Place]:
    """Return the values that are asked about, checked, and the place of the cell that holds them.

    Raises
    ------
    InputError
        If an axis is missing or unknown, or a value lies outside of the axes.
    """
    asked = _checked_values(spec, values)
    return asked, tuple(containing(name, axis, asked[name]) for name, axis in spec.grid.items())


def _nearest(spec: SweepSpec, outcomes: Outcomes, asked: dict[str, Any]) -> list[Place]:
    """Return the nearest place that comprehends, and the nearest surrounded by such ones."""
    apart = distances(spec, asked)
    surrounded = outcomes.all_comprehend & (outcomes.neighbours == 1)
    nearest: list[Place] = []
    for suited in (outcomes.comprehends, surrounded):
        if suited.any():
            # Of equally near places the one whose neighbours agree most.
            order = np.lexsort((-outcomes.neighbours.ravel(), apart.ravel(), ~suited.ravel()))
            place = place_at(apart, int(order[0]))
            if place not in nearest:
                nearest.append(place)
    return nearest


def _setting(
    spec: SweepSpec, outcomes: Outcomes, asked: dict[str, Any], before: float, place: Place
) -> Setting:
    after = outcomes.test_step(place)
    definite = math.isfinite(before) and math.isfinite(after)
    run = outcomes.phases[place] != Phase.NOT_RUN
    return Setting(
        values=spec.values_at(place),
        distance=float(distances(spec, asked)[place]),
        test_step=_whole(after),
        speedup=before / max(after, 1) if definite else None,
        source=outcomes.source(place),
        comprehending=int((outcomes.phases[place] == Phase.COMPREHENSION).sum()),
        seeds=int(run.sum()),
        neighbours=float(outcomes.neighbours[place]),
    )


def _checked_values(spec: SweepSpec, values: dict[str, Any]) -> dict[str, Any]:
    """Return a value for each axis, in the order of the axes and of their type."""
    require_axes(spec, values, every=True)
    return {name: spec.checked(name, values[name]) for name in spec.grid}


def _whole(step: float) -> int | None:
    return int(step) if math.isfinite(step) else None
