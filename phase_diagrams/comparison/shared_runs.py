"""Which runs of two diagrams belong together, and in what else the two sweeps differ."""

from dataclasses import replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from effective_theory import InputError
from effective_theory.checks import shown
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.sweeps.axes import Axis
from phase_diagrams.sweeps.spec import SweepSpec
from phase_diagrams.sweeps.systems import Budget
from phase_diagrams.wording import written_apart

By = Literal["cell", "place"]
Index = tuple[int, ...]


def shared_runs(a: PhaseDiagram, b: PhaseDiagram, by: By) -> list[tuple[Index, Index]]:
    """Return the places, in both diagrams, of the runs that both made.

    Parameters
    ----------
    a, b
        The diagrams.
    by
        "cell": runs with the same cell id, whatever the order of the axes; swept numbers match to
        1e-9 relative, so that rounding in an axis parts nothing. "place": runs with the
        same values on the axes and the same seeds, whatever else differs; where each has a single
        seed the two are paired.

    Raises
    ------
    InputError
        If ``by`` is neither, one diagram holds no run, the axes differ in "place", or no run is
        shared.
    """
    if not isinstance(by, str) or by not in get_args(By):
        raise InputError(f'by must be "cell" or "place", not {shown(by)}.')
    for name, diagram in (("a", a), ("b", b)):
        if not diagram.measured.any():
            raise InputError(
                f"{name} holds no finished run; sweep it first, or choose the engine that ran it "
                f"(--engine-{name})."
            )
    pairs = _by_cell(a, b) if by == "cell" else _by_place(a, b)
    if not pairs:
        raise InputError(
            "a and b share no run by cell id; where starts or fixed fields differ, compare by "
            '"place" on the axes.'
            if by == "cell"
            else "a and b share no run by place; their values on the axes or their seeds differ."
        )
    return pairs


def _by_cell(a: PhaseDiagram, b: PhaseDiagram) -> list[tuple[Index, Index]]:
    if a.spec.system is not b.spec.system:
        raise InputError(
            f"a and b are of different systems ({a.spec.system.name} and {b.spec.system.name}), "
            'whose runs have no id in common; compare by "place" on the axes.'
        )
    # The cell id leaves the budget out: where it is swept, runs are joined on it, too.
    swept = [name for name in Budget._fields if name in a.spec.grid or name in b.spec.grid]
    common = _rounded_alike(a.spec, b.spec)

    def identities(diagram: PhaseDiagram) -> dict[tuple[Any, ...], Index]:
        places = {}
        for index in _places(diagram):
            cell = diagram.spec.cell(index)
            model = cell.model
            moved = {
                name: values[value]
                for name, values in common.items()
                if (value := getattr(model, name)) in values
            }
            if moved:
                cell = replace(cell, model=replace(model, **moved))
            places[cell.cell_id, *(getattr(model, name) for name in swept)] = index
        return places

    theirs = identities(b)
    return [(index, theirs[key]) for key, index in identities(a).items() if key in theirs]


def _rounded_alike(a: SweepSpec, b: SweepSpec) -> dict[str, dict[Any, Any]]:
    """Return, by field, the numbers of b that differ from one of a by rounding only, with that."""
    alike = {}
    for name in sorted({*a.grid, *b.grid} & set(a.system.all_fields)):
        ours = Axis(a.grid[name].values if name in a.grid else (getattr(a.model, name),))
        theirs = b.grid[name].values if name in b.grid else (getattr(b.model, name),)
        matches = ((value, ours.match(value)) for value in theirs)
        alike[name] = {
            value: ours.values[place]
            for value, place in matches
            if place is not None and ours.values[place] != value
        }
    return {name: values for name, values in alike.items() if values}


def _by_place(a: PhaseDiagram, b: PhaseDiagram) -> list[tuple[Index, Index]]:
    names = list(a.spec.grid)
    if set(names) != set(b.spec.grid):
        raise InputError(
            f'by "place" needs the same axes; a has {", ".join(names)} and b has '
            f"{', '.join(b.spec.grid)}."
        )
    maps = [_matches(a.spec.grid[name].values, b.spec.grid[name]) for name in names]
    single = len(a.spec.seeds) == len(b.spec.seeds) == 1
    seeds = {
        place: 0 if single else list(b.spec.seeds).index(seed)
        for place, seed in enumerate(a.spec.seeds)
        if single or seed in b.spec.seeds
    }
    there = b.measured
    pairs = []
    for index in _places(a):
        theirs = {name: m.get(k) for name, m, k in zip(names, maps, index, strict=False)}
        place = (*(theirs[name] for name in b.spec.grid), seeds.get(index[-1]))
        theirs_at = tuple(k for k in place if k is not None)
        if len(theirs_at) == len(place) and there[theirs_at]:
            pairs.append((index, theirs_at))
    return pairs


def _matches(values: tuple[Any, ...], axis: Axis) -> dict[int, int]:
    """Places of one axis' values on another; numbers match to 1e-9 relative."""
    matches = ((place, axis.match(value)) for place, value in enumerate(values))
    return {place: other for place, other in matches if other is not None}


def _places(diagram: PhaseDiagram) -> list[Index]:
    return [tuple(map(int, index)) for index in np.argwhere(diagram.measured)]


def differences(a: SweepSpec, b: SweepSpec) -> tuple[str, ...]:
    """Return what is fixed in both sweeps and differs, one phrase for each field."""
    ours, theirs = ({"system": spec.system.name, **spec.fixed} for spec in (a, b))
    fixed = [(name, ours[name], theirs[name]) for name in ours if name in theirs]
    if len(a.seeds) == len(b.seeds) == 1:
        fixed.append(("seed", a.seeds[0], b.seeds[0]))
    return tuple(
        f"{name} {' and '.join(written_apart([one, other]))}"
        for name, one, other in fixed
        if one != other
    )


def on_places(
    values: NDArray[Any], pairs: list[tuple[Index, Index]], which: int, shape: Index, empty: Any
) -> NDArray[Any]:
    """Return one diagram's values at the places of the first, ``empty`` where none is shared."""
    moved = np.full(shape, empty, values.dtype)
    targets = tuple(np.array([pair[0] for pair in pairs]).T)
    moved[targets] = values[tuple(np.array([pair[which] for pair in pairs]).T)]
    return moved
