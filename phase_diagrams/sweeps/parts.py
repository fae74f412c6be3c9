"""A part of a sweep: some of its axes held at one value."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from effective_theory import InputError
from phase_diagrams.sweeps.spec import SweepSpec


def require_axes(spec: SweepSpec, names: Iterable[str], *, every: bool = False) -> None:
    """Check that names are axes of a sweep, and every one of them if that is asked for.

    Raises
    ------
    InputError
        If one is no axis, or an axis is missing.
    """
    given = list(names)
    for name in given:
        if name not in spec.grid:
            raise InputError(
                f"{name} is not an axis of this sweep; its axes are {', '.join(spec.grid)}."
            )
    for name in spec.grid if every else ():
        if name not in given:
            raise InputError(f"{name} is missing; give a value for each axis.")


def place_on(spec: SweepSpec, values: Mapping[str, Any]) -> dict[str, int]:
    """Return the place of a value on each axis that is named, rates matched as by `Axis.index`.

    Raises
    ------
    InputError
        If a name is no axis of the sweep, or a value is not on it.
    """
    require_axes(spec, values)
    places = {}
    for name, value in values.items():
        try:
            places[name] = spec.grid[name].index(value)
        except InputError as error:
            raise InputError(f"{name}: {error}") from None
    return places


def part_of(spec: SweepSpec, places: Mapping[str, int], seed: int | None) -> SweepSpec:
    """Return the sweep of the runs at some places of the axes, which are no longer its axes.

    Its cells are those of the whole, with the same ids. A part across a refined axis counts as a
    plain sweep: what of it had to be measured followed from cells that it leaves out.

    Parameters
    ----------
    spec
        The whole sweep.
    places
        A place on each axis that is held.
    seed
        Place of the only seed; None for all.

    Raises
    ------
    InputError
        If no axis is left.
    """
    if set(places) == set(spec.grid):
        raise InputError(
            "sel leaves no axis; for a single run use diagram.run(..) or diagram.cell(..)."
        )
    held = {name: spec.grid[name].values[place] for name, place in places.items()}
    model, train_size = spec.with_values(held)
    return dataclasses.replace(
        spec,
        axes={name: axis for name, axis in spec.grid.items() if name not in places},
        model=model,
        train_size=train_size,
        seeds=spec.seeds if seed is None else (spec.seeds[seed],),
        refined={} if set(places) & set(spec.refined) else spec.refined,
    )
