"""De-grokking: the nearest settings at which a run that is late to generalise would comprehend."""

import dataclasses
import math
import statistics
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from effective_theory import InputError
from effective_theory.checks import integer, of_type
from effective_theory.report import not_reached
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.phases import Phase, Source
from phase_diagrams.sweeps.axes import Axis
from phase_diagrams.sweeps.spec import SweepSpec
from phase_diagrams.wording import describe, place_name, seed_name

Place = tuple[int, ...]

_SOURCES = {
    Source.MEASURED: "measured",
    Source.INFERRED: "inferred, updates of the nearest measured run of this phase",
}


@dataclass(frozen=True)
class Setting:
    """A setting of the diagram that comprehends.

    Attributes
    ----------
    values
        Values of the axes.
    distance
        From the setting asked about: Euclidean, in decades on log axes, in steps of the (coarse)
        axis on linear ones, in places on ordinal ones.
    test_step
        Updates until the test accuracy is at its threshold there; None if no run tells.
    speedup
        Those of the setting asked about, divided by ``test_step``; None if that does not reach the
        threshold within its run, or if no run tells.
    source
        Whether this cell was measured or inferred.
    comprehending, seeds
        Seeds that comprehend here, of those that are known here.
    neighbours
        Share of the known cells next to this one, diagonally too, that comprehend.
    """

    values: dict[str, Any]
    distance: float
    test_step: int | None
    speedup: float | None
    source: Source
    comprehending: int
    seeds: int
    neighbours: float


@dataclass(frozen=True, repr=False)
class Advice:
    """What a diagram says of a setting, and where to go from there.

    Attributes
    ----------
    asked
        The setting asked about.
    cell
        Values of the cell that contains it.
    seed
        The seed whose runs counted, (split, initialisation); None for several.
    phase, source
        Phase of that cell, and whether it was measured or inferred.
    test_step
        Updates until its test accuracy is at its threshold; None if that is not within its run, or
        if no run tells.
    budget
        Updates that a run of this cell is given; None if ``test_step`` is known, or no run tells.
    settings
        The nearest setting that comprehends, and the nearest whose neighbours all do, if that is
        another; empty where none comprehends, or where the cell does already.
    scales
        What a distance of 1 is on each axis.
    axes
        Those of the sweep, which say how their values are shown.
    """

    asked: dict[str, Any]
    cell: dict[str, Any]
    seed: tuple[int, int] | None
    phase: Phase
    source: Source
    test_step: int | None
    budget: int | None
    settings: tuple[Setting, ...]
    scales: str
    axes: Mapping[str, Axis]

    def __repr__(self) -> str:
        """Return what was asked about, its phase and the nearest setting that comprehends."""
        asked = _written(self.asked, self.axes)
        nearest = [f"; nearest: {_written(s.values, self.axes)}" for s in self.settings[:1]]
        return f"Advice({asked}: {self.phase.label}{''.join(nearest)})"

    def __str__(self) -> str:
        """Return the advice as sentences, one in each line."""
        asked, cell = (_written(values, self.axes) for values in (self.asked, self.cell))
        lines = [
            f"{asked}: {self.phase.label} ({self.source.label} for the cell at "
            f"{cell}, {_seeds_written(self.seed)})"
        ]
        if self.phase is Phase.COMPREHENSION:
            return "\n".join([*lines, "it comprehends already: nothing to change"])
        if not self.settings:
            within = f" within {self.budget} updates" if self.budget is not None else ""
            return "\n".join([*lines, f"no setting of this sweep comprehends{within}"])
        names = ("nearest that comprehends", "nearest surrounded by comprehension")
        for name, setting in zip(names, self.settings, strict=False):
            lines.append(
                f"{name}: {_written(setting.values, self.axes)}, distance {setting.distance:.3g}"
            )
            lines.append(f"  {self._gain(setting)}")
            lines.append(f"  {_SOURCES[setting.source]}")
            lines.append(
                f"  {setting.comprehending} of {setting.seeds} seeds and "
                f"{setting.neighbours:.0%} of the neighbouring cells comprehend"
            )
        return "\n".join([*lines, f"distance 1: {self.scales}"])

    def _gain(self, setting: Setting) -> str:
        if setting.test_step is None:
            return "speed-up not known: no run like it was measured"
        after = f"test accuracy after {setting.test_step} updates"
        if setting.speedup is not None:
            return f"{after} instead of {self.test_step}: {setting.speedup:.3g} times as fast"
        if self.budget is None:
            return f"{after}; speed-up not known"
        if self.phase is Phase.DIVERGED:
            return f"{after}; the run asked about diverges"
        at_least = self.budget / max(setting.test_step, 1)
        fast = f": more than {at_least:.3g} times as fast" if at_least > 1 else ""
        return f"{after}; {not_reached(self.budget)} in the run asked about{fast}"


def advise(
    diagram: PhaseDiagram, seed: int | tuple[int, int] | None = None, **values: Any
) -> Advice:
    """Return the nearest settings that comprehend, seen from a run that groks, memorises or fails.

    Parameters
    ----------
    diagram
        A sweep, refined or not.
    seed
        The seed whose runs count; by default those of all seeds: a setting has the phase of most of
        them, comprehends if more than half do, and its step is their median.
    values
        A value for each axis. The cell that contains it answers; one of an ordinal axis must be
        met.

    Returns
    -------
    Advice
        An inferred cell has the step of the nearest measured run of its phase and seed.

    Raises
    ------
    InputError
        If an axis is missing or unknown, a value lies outside of the axes, or the cell was not run.
    """
    spec = of_type("diagram", diagram, PhaseDiagram, "a PhaseDiagram").spec
    asked, place = asked_cell(spec, values)
    chosen = [diagram.seed_index(seed)] if seed is not None else list(range(len(spec.seeds)))
    known = _Known(diagram, chosen)
    phase = known.phase(place)
    cell = spec.values_at(place)
    if phase is Phase.NOT_RUN:
        raise InputError(
            f"the cell at {_written(cell, spec.grid)} was not run; finish the sweep first."
        )
    step = known.test_step(place)
    found = () if phase is Phase.COMPREHENSION else _nearest(spec, known, asked)
    return Advice(
        asked=asked,
        cell=cell,
        seed=spec.seeds[chosen[0]] if len(chosen) == 1 else None,
        phase=phase,
        source=known.source(place),
        test_step=_whole(step),
        budget=spec.cell((*place, chosen[0])).model.steps if math.isinf(step) else None,
        settings=tuple(_setting(spec, known, asked, step, there) for there in found),
        scales=", ".join(_unit(spec, name) for name in spec.grid),
        axes=spec.grid,
    )


def asked_cell(spec: SweepSpec, values: dict[str, Any]) -> tuple[dict[str, Any], Place]:
    """Return the values that are asked about, checked, and the place of the cell that holds them.

    Raises
    ------
    InputError
        If an axis is missing or unknown, or a value lies outside of the axes.
    """
    asked = _checked_values(spec, values)
    return asked, tuple(_containing(name, axis, asked[name]) for name, axis in spec.grid.items())


class _Known:
    """What a diagram says of each setting, for some of its seeds."""

    def __init__(self, diagram: PhaseDiagram, chosen: list[int]) -> None:
        # Its import changes the warning filters, which is not for an import of ours to do.
        from scipy import ndimage

        self.spec, self.chosen = diagram.spec, chosen
        self.sources, self.phases = diagram.source, diagram.phases
        self.steps = diagram.test_step.filled(-1)
        mine = self.phases[..., chosen]
        comprehending = (mine == Phase.COMPREHENSION).sum(axis=-1)
        run = (mine != Phase.NOT_RUN).sum(axis=-1)
        self.comprehends = comprehending * 2 > run
        self.all_comprehend = comprehending == len(chosen)
        around = np.ones((3,) * run.ndim, int)
        around[(1,) * run.ndim] = 0
        near = ndimage.convolve(run, around, mode="constant")
        agreeing = ndimage.convolve(comprehending, around, mode="constant")
        self.neighbours = agreeing / np.maximum(near, 1)

    def phase(self, place: Place) -> Phase:
        """Return the phase of most seeds; of equals the one furthest from comprehension."""
        counts = Counter(int(p) for p in self.phases[place][self.chosen] if p != Phase.NOT_RUN)
        if not counts:
            return Phase.NOT_RUN
        return Phase(max(counts, key=lambda phase: (counts[phase], phase)))

    def source(self, place: Place) -> Source:
        """Return MEASURED if all known seeds were measured here, else INFERRED."""
        sources = self.sources[place][self.chosen]
        return Source.INFERRED if (sources == Source.INFERRED).any() else Source.MEASURED

    def test_step(self, place: Place) -> float:
        """Return the median step of the seeds: infinite if it was not met, NaN if no run tells."""
        steps = [self._step(place, seed) for seed in self.chosen]
        told = [step for step in steps if not math.isnan(step)]
        return statistics.median_high(told) if told else math.nan

    def _step(self, place: Place, seed: int) -> float:
        phase = self.phases[place][seed]
        if phase == Phase.NOT_RUN:
            return math.nan
        if self.sources[place][seed] != Source.MEASURED:
            alike = (self.phases[..., seed] == phase) & (self.sources[..., seed] == Source.MEASURED)
            if not alike.any():
                return math.nan
            distances = np.where(alike, _distances(self.spec, self.spec.values_at(place)), np.inf)
            place = _place(distances, int(distances.argmin()))
        step = int(self.steps[place][seed])
        return math.inf if step < 0 else step


def _nearest(spec: SweepSpec, known: _Known, asked: dict[str, Any]) -> list[Place]:
    """Return the nearest place that comprehends, and the nearest surrounded by such ones."""
    distances = _distances(spec, asked)
    surrounded = known.all_comprehend & (known.neighbours == 1)
    found: list[Place] = []
    for suited in (known.comprehends, surrounded):
        if suited.any():
            # Of equally near places the one whose neighbours agree most.
            order = np.lexsort((-known.neighbours.ravel(), distances.ravel(), ~suited.ravel()))
            place = _place(distances, int(order[0]))
            if place not in found:
                found.append(place)
    return found


def _setting(
    spec: SweepSpec, known: _Known, asked: dict[str, Any], before: float, place: Place
) -> Setting:
    after = known.test_step(place)
    told = math.isfinite(before) and math.isfinite(after)
    run = known.phases[place] != Phase.NOT_RUN
    return Setting(
        values=spec.values_at(place),
        distance=float(_distances(spec, asked)[place]),
        test_step=_whole(after),
        speedup=before / max(after, 1) if told else None,
        source=known.source(place),
        comprehending=int((known.phases[place] == Phase.COMPREHENSION).sum()),
        seeds=int(run.sum()),
        neighbours=float(known.neighbours[place]),
    )


def _checked_values(spec: SweepSpec, values: dict[str, Any]) -> dict[str, Any]:
    """Return a value for each axis, in the order of the axes and of their type."""
    for name in values:
        if name not in spec.grid:
            raise InputError(
                f"{name} is not an axis of this sweep; its axes are {', '.join(spec.grid)}."
            )
    checked = {}
    for name in spec.grid:
        if name not in values:
            raise InputError(f"{name} is missing; give a value for each axis.")
        if name == "train_size":
            checked[name] = integer(name, values[name], 1, spec.task.size - 1)
        else:
            checked[name] = getattr(dataclasses.replace(spec.model, **{name: values[name]}), name)
    return checked


def _containing(name: str, axis: Axis, value: Any) -> int:
    """Return the place of the cell that contains a value; the upper one on a border."""
    if axis.scale == "ordinal":
        try:
            return axis.index(value)
        except InputError as error:
            raise InputError(f"{name}: {error}") from None
    edges = axis.edges
    if not edges[0] <= value <= edges[-1]:
        raise InputError(
            f"{name} {value:g} lies outside of the sweep, {edges[0]:.3g} to {edges[-1]:.3g}; "
            "sweep there first."
        )
    return min(int(np.searchsorted(edges, value, side="right")), len(axis)) - 1


def _distances(spec: SweepSpec, asked: dict[str, Any]) -> NDArray[np.float64]:
    """Return the distance of every place of the axes from a setting."""
    squares = []
    for name, axis in spec.grid.items():
        if axis.scale == "ordinal":
            apart = axis.positions - axis.index(asked[name])
        elif axis.scale == "log":
            apart = np.log10(axis.positions) - math.log10(asked[name])
        else:
            apart = (axis.positions - asked[name]) / _step(spec, name)
        squares.append(apart**2)
    total: NDArray[np.float64] = np.sqrt(sum(np.ix_(*squares)))
    return total


def _step(spec: SweepSpec, name: str) -> float:
    """Return the mean step of a linear axis, before it was refined."""
    positions = spec.grid[name].positions[:: spec.refined.get(name, 1)]
    return float(np.diff(positions).mean()) if len(positions) > 1 else 1.0


def _unit(spec: SweepSpec, name: str) -> str:
    """Return what a distance of 1 is on an axis."""
    scale = spec.grid[name].scale
    if scale == "log":
        return f"one decade of {name}"
    return f"{_step(spec, name):.3g} of {name}" if scale == "linear" else f"one place of {name}"


def _place(values: NDArray[Any], number: int) -> Place:
    return tuple(int(k) for k in np.unravel_index(number, values.shape))


def _whole(step: float) -> int | None:
    return int(step) if math.isfinite(step) else None


def _written(values: dict[str, Any], axes: Mapping[str, Axis]) -> str:
    """Return values of the axes in words; on an axis no two look alike."""
    texts = (
        axes[name].text(value) if value in axes[name].values else describe([value])
        for name, value in values.items()
    )
    return place_name(dict(zip(values, texts, strict=True)))


def _seeds_written(seed: tuple[int, int] | None) -> str:
    if seed is None:
        return "most seeds"
    return seed_name(seed)
