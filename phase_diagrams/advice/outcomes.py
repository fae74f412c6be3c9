"""What a diagram says of each setting, over some of its seeds."""

import math
import statistics
from collections import Counter

import numpy as np

from phase_diagrams.advice.distance import Place, distances, place_at
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.phases import Phase, Source


class Outcomes:
    """Phases, steps and neighbours of each setting, over the chosen seeds.

    Attributes
    ----------
    comprehends
        Whether more than half of the known seeds comprehend, shape of the axes.
    all_comprehend
        Whether every chosen seed does.
    neighbours
        Share of the known runs in adjacent cells, diagonals too, that comprehend.
    """

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
        """Return MEASURED if all known seeds were measured here, else another source."""
        return Source(int(self.sources[place][self.chosen].max()))

    def test_step(self, place: Place) -> float:
        """Return the median step of the seeds: infinite if it was not met, NaN if no run tells."""
        steps = [self._step(place, seed) for seed in self.chosen]
        definite = [step for step in steps if not math.isnan(step)]
        return statistics.median_high(definite) if definite else math.nan

    def _step(self, place: Place, seed: int) -> float:
        phase = self.phases[place][seed]
        # Runs of a phase that are measured at one rate say nothing of the updates at another.
        if phase == Phase.NOT_RUN or self.sources[place][seed] == Source.PREDICTED:
            return math.nan
        if self.sources[place][seed] != Source.MEASURED:
            alike = (self.phases[..., seed] == phase) & (self.sources[..., seed] == Source.MEASURED)
            if not alike.any():
                return math.nan
            apart = distances(self.spec, self.spec.values_at(place))
            apart = np.where(alike, apart, np.inf)
            place = place_at(apart, int(apart.argmin()))
        step = int(self.steps[place][seed])
        return math.inf if step < 0 else step
