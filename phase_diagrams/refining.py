"""Refinement: runs where phases meet, on axes as fine as they are asked for."""

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from effective_theory import InputError
from effective_theory.checks import integer, of_type, path_of
from effective_theory.notes import warn_each
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.phases import Phase
from phase_diagrams.refinement.coarse import coarse_places
from phase_diagrams.refinement.inferred_cells import infer, missing_cells, wanted_cells
from phase_diagrams.runs.engines import Engine, chosen_engine
from phase_diagrams.runs.origin import mixtures
from phase_diagrams.sweeping import (
    empty_diagram,
    enter,
    opened,
    require_same_engine,
    stored_then_run,
)
from phase_diagrams.sweeps.axes import MOST_VALUES, Axis
from phase_diagrams.sweeps.spacing import between
from phase_diagrams.sweeps.spec import SweepSpec

#: Name of the refined sweep in the store where the user gives none.
DEFAULT_NAME = "refined"


def refine(
    diagram: PhaseDiagram,
    to: int | Mapping[str, int] = 8,
    *,
    store: str | Path | None = None,
    name: str = DEFAULT_NAME,
    engine: Engine | None = None,
    n_jobs: int | None = None,
    progress: bool = True,
) -> PhaseDiagram:
    """Run finer cells where neighbouring ones disagree, and return the diagram on finer axes.

    Blocks of cells whose measured phases disagree are halved along each axis, and so are those
    around them (but for the last halving), down to single cells and until no new disagreement turns
    up: a quad-tree on the axes' own scales, see `phase_diagrams.refinement.quadtree`. All other
    cells are inferred, and marked so in ``source``. Each seed is refined where its own phases meet.
    A region narrower than the coarse spacing that touches no such block is missed: the coarse grid
    must be fine enough for it.

    Parameters
    ----------
    diagram
        A sweep. Its measured runs and its predicted cells are taken as they are; those that are
        missing are run.
    to
        Resolution as a multiple of the sweep's: a power of two for all linear and log axes, which
        may be one or two, or one for each of one or two axes by name. Values of whole-number
        fields are rounded. Ordinal axes stay.
    store
        SQLite file that keeps finished runs, preferably that of the sweep; the same call resumes.
    name
        Name of the refined sweep in the store.
    engine
        What runs the cells; the system's own on all cores by default.
    n_jobs
        Runs of that engine at a time, as for `numba_engine`; not together with ``engine``.
    progress
        Show the progress of each round of runs on stderr, as `sweep` does.

    Returns
    -------
    PhaseDiagram
        The diagram on the finer axes, which hold the coarse values, to the bit. Which cells are
        measured depends on the runs' phases alone: not on workers, order, interruptions or what
        else lies in the store.

    Raises
    ------
    InputError
        If the sweep has been refined before, holds runs of another engine or version, ``to`` does
        not fit its axes, or another argument is wrong.
    StoreError
        If the store cannot be used; what it held stays as it was.

    Warns
    -----
    UserWarning
        Where runs come from several origins, such as instruction sets.

    Examples
    --------
    >>> from effective_theory import Addition, ToyModel
    >>> from phase_diagrams import SweepSpec, sweep
    >>> model = ToyModel(width=20, steps=800, embedding_lr=1e-2)
    >>> axes = {"decoder_lr": [1e-4, 1e-3, 1e-2]}
    >>> coarse = sweep(SweepSpec(Addition(10), axes, model, seeds=(5,)), n_jobs=1)
    >>> refine(coarse, to=4, n_jobs=1).spec.shape
    (9, 1)
    """
    of_type("diagram", diagram, PhaseDiagram, "a PhaseDiagram such as sweep() returns")
    of_type("progress", progress, bool, "True or False")
    engine = chosen_engine(diagram.spec.system, engine, n_jobs)
    require_same_engine(diagram, engine)
    _require_another_name(diagram, store, name)
    if store is not None and diagram.prediction is not None and diagram.prediction.is_part:
        raise InputError(
            "diagram is a part of a predicted one, whose probes a store would not find again; "
            "refine the whole, or leave out store."
        )
    spec = refined_spec(diagram.spec, to)
    with opened(store, name) as open_store:
        spec = enter(open_store, name, spec)
        fine = empty_diagram(spec, store, name, engine)
        fine.take(coarse_places(spec), diagram)
        while places := missing_cells(fine):
            for cell, summary in stored_then_run(spec, open_store, engine, progress, places=places):
                fine.record(cell.index, summary)
    if fine.prediction is not None:
        fine.enter_prediction(fine.prediction)
    infer(fine)
    warn_each(mixtures(fine.origins, fine.spec.system))
    return fine


def _require_another_name(diagram: PhaseDiagram, store: str | Path | None, name: str) -> None:
    """Check that the refined sweep does not take the place of the one it is made of."""
    kept = diagram.kept
    if store is None or kept is None or name != diagram.name:
        return
    if path_of("store", store).resolve() == kept.store.resolve():
        raise InputError(f"name {name!r} is that of the sweep to refine; choose another one.")


def expected_runs(diagram: PhaseDiagram, to: int | Mapping[str, int]) -> tuple[int, int]:
    """Return how many cells the finer axes have, and about how many of them would be measured.

    The latter is what the rule takes if phases meet half-way between the coarse cells.
    """
    fine = refined_spec(diagram.spec, to)
    nearest = nearest_coarse(diagram.phases, fine)
    labels = np.full_like(nearest, Phase.NOT_RUN)
    while not (labels == (known := np.where(wanted_cells(fine, labels), nearest, labels))).all():
        labels = known
    return fine.size, int(wanted_cells(fine, labels).sum())


def nearest_coarse(phases: NDArray[np.int8], fine: SweepSpec) -> NDArray[np.int8]:
    """Return the phases of a coarse sweep on the axes of the refined one, each cell the nearest."""
    for place, name in enumerate(fine.grid):
        factor = fine.refined.get(name, 1)
        phases = phases.take((np.arange(fine.shape[place]) + factor // 2) // factor, axis=place)
    return phases


def refined_spec(spec: SweepSpec, to: int | Mapping[str, int]) -> SweepSpec:
    """Return a sweep's specification on finer axes, which hold its values to the bit.

    Raises
    ------
    InputError
        If the sweep has been refined before, or ``to`` does not suit its axes.
    """
    if spec.refined:
        raise InputError(
            "diagram is refined already; refine the coarse one by a larger factor: "
            "what has been run is used again."
        )
    factors = _checked_factors(spec, to)
    lengths = [(len(axis) - 1) * factors.get(name, 1) + 1 for name, axis in spec.grid.items()]
    if math.prod(lengths) * len(spec.seeds) > MOST_VALUES:
        raise InputError(f"to={to!r} makes more than {MOST_VALUES} cells; use a smaller factor.")
    axes = {
        name: _finer(name, axis, factors[name]) if name in factors else axis
        for name, axis in spec.grid.items()
    }
    return dataclasses.replace(spec, axes=axes, refined=factors)


def _checked_factors(spec: SweepSpec, to: int | Mapping[str, int]) -> dict[str, int]:
    """Return the factor of each axis that is to be refined, in the order of the axes."""
    suited = [n for n, axis in spec.grid.items() if axis.scale != "ordinal" and len(axis) > 1]
    given = to if isinstance(to, Mapping) else dict.fromkeys(suited, to)
    for name, factor in given.items():
        if name not in suited:
            raise InputError(
                f"to names {name!r}, which cannot be refined; axes with a linear or log scale and "
                f"several values: {', '.join(suited) or 'none'}."
            )
        if integer("to", factor, 2).bit_count() != 1:
            raise InputError(f"to must be a power of two such as 2, 4 or 8, not {factor}.")
    if not 1 <= len(given) <= 2:
        raise InputError(
            "to must name one or two axes with a linear or log scale and several values; "
            f"this sweep has {', '.join(suited) or 'none'}."
        )
    return {name: int(given[name]) for name in spec.grid if name in given}


def _finer(name: str, axis: Axis, factor: int) -> Axis:
    """Return the axis with ``factor`` steps for each of its own, even on its scale."""
    whole = all(isinstance(value, int) for value in axis.values)
    values = list(axis.values[:1])
    for low, high in zip(axis.values[:-1], axis.values[1:], strict=True):
        for step in range(1, factor):
            # Fractions of powers of two are exact: finer axes hold the values of coarser ones.
            part = step / factor
            value = between(low, high, part, "log" if axis.scale == "log" else "linear")
            values.append(round(value) if whole else value)
        values.append(high)
    if len(set(values)) < len(values):
        raise InputError(
            f"{name} has too few numbers between its values to be refined {factor} times; "
            "use a smaller factor for it."
        )
    return Axis(tuple(values), axis.scale)
