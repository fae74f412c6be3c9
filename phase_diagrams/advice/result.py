"""Advice: the nearest settings at which a run that is late to generalise would comprehend."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from effective_theory.report import not_reached
from phase_diagrams.phases import Phase, Source
from phase_diagrams.sweeps.axes import Axis
from phase_diagrams.wording import describe, place_name, seed_name

_SOURCES = {
    Source.MEASURED: "measured",
    Source.INFERRED: "inferred, time of the nearest measured run of this phase",
    Source.PREDICTED: "predicted",
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
        Updates until the test accuracy there reaches its threshold; None if no run is known.
    speedup
        The same updates at the setting asked about, divided by ``test_step``; None if that setting
        does not reach the threshold within its run, or if no run is known.
    source
        Whether this cell was measured, inferred or predicted.
    comprehending, seeds
        Number of seeds that comprehend here, and of those whose phase is known here.
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
    """What a diagram says about a setting, and where to go from there; see `advise`.

    Attributes
    ----------
    asked
        The setting asked about.
    cell
        Values of the cell that contains it.
    seed
        The seed whose runs counted, (split, initialisation); None for several.
    phase, source
        Phase of that cell, and whether it was measured, inferred or predicted.
    test_step
        Updates until its test accuracy reaches its threshold; None if it does not within its run,
        or if no run is known.
    budget
        Updates that a run of this cell is given; None if ``test_step`` is known, or if no run is.
    settings
        The nearest setting that comprehends, and the nearest whose neighbours all do, if that is
        another one; empty where none comprehends, or where the cell does already.
    scales
        What a distance of 1 is on each axis, in words.
    axes
        The axes of the sweep, by name.
    unit
        What steps count, such as "update".
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
    unit: str

    def __repr__(self) -> str:
        """Return what was asked about, its phase and the nearest setting that comprehends."""
        asked = place_in_words(self.asked, self.axes)
        nearest = [f"; nearest: {place_in_words(s.values, self.axes)}" for s in self.settings[:1]]
        return f"Advice({asked}: {self.phase.label}{''.join(nearest)})"

    def __str__(self) -> str:
        """Return the advice as sentences, one in each line."""
        asked, cell = (place_in_words(values, self.axes) for values in (self.asked, self.cell))
        lines = [
            f"{asked}: {self.phase.label} ({self.source.label} for the cell at "
            f"{cell}, {_seeds_in_words(self.seed)})"
        ]
        if self.phase is Phase.COMPREHENSION:
            return "\n".join([*lines, "it comprehends already: nothing to change"])
        if not self.settings:
            within = f" within {self.budget} {self.unit}s" if self.budget is not None else ""
            often = " in most seeds" if self.seed is None else ""
            return "\n".join([*lines, f"no setting of this sweep comprehends{often}{within}"])
        names = ("nearest that comprehends", "nearest surrounded by comprehension")
        for name, setting in zip(names, self.settings, strict=False):
            place = place_in_words(setting.values, self.axes)
            lines.append(f"{name}: {place}, distance {setting.distance:.3g}")
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
        after = f"test accuracy after {setting.test_step} {self.unit}s"
        if setting.speedup is not None:
            return f"{after} instead of {self.test_step}: {setting.speedup:.3g} times as fast"
        if self.budget is None:
            return f"{after}; speed-up not known"
        if self.phase is Phase.DIVERGED:
            return f"{after}; the run asked about diverges"
        at_least = self.budget / max(setting.test_step, 1)
        fast = f": more than {at_least:.3g} times as fast" if at_least > 1 else ""
        return f"{after}; {not_reached(self.budget, unit=self.unit)} in the run asked about{fast}"


def place_in_words(values: dict[str, Any], axes: Mapping[str, Axis]) -> str:
    """Return values of the axes in words; on an axis no two look alike."""
    texts = (
        axes[name].text(value) if value in axes[name].values else describe([value])
        for name, value in values.items()
    )
    return place_name(dict(zip(values, texts, strict=True)))


def _seeds_in_words(seed: tuple[int, int] | None) -> str:
    if seed is None:
        return "most seeds"
    return seed_name(seed)
