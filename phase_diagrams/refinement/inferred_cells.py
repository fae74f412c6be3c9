"""What the known cells of a refined sweep say of the others, and what they leave open.

Known is what was measured; where a predicted sweep was refined, also what was predicted.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.phases import Phase, Source
from phase_diagrams.refinement.quadtree import Labels, Mask, filled, wanted
from phase_diagrams.sweeps.spec import SweepSpec


def wanted_cells(spec: SweepSpec, labels: Labels) -> Mask:
    """Return which cells a refined sweep needs, as far as the labels of known cells say.

    Both arrays have the shape of the sweep; cells that are not known are labelled NOT_RUN.
    Each seed stands for itself, and so does each value of an axis that was not refined.
    """
    mask = np.zeros(spec.shape, bool)
    for part, coarse in zip(_parts(spec, mask), _parts(spec, labels), strict=True):
        part[...] = wanted(coarse, _factors(spec))
    return mask


def missing_cells(diagram: PhaseDiagram) -> list[tuple[int, ...]]:
    """Return the places that a refined sweep needs next; none are left once it is done."""
    known = _known(diagram)
    missing = wanted_cells(diagram.spec, known) & (known == Phase.NOT_RUN)
    return [tuple(int(k) for k in place) for place in np.argwhere(missing)]


def infer(diagram: PhaseDiagram) -> None:
    """Enter the phases that agreeing known cells give to those between; else change nothing.

    See `phase_diagrams.refinement.quadtree.filled` for the rule.
    """
    if not diagram.spec.refined:
        return
    spec, labels = diagram.spec, _known(diagram)
    phases = np.full_like(labels, Phase.NOT_RUN)
    for part, known in zip(_parts(spec, phases), _parts(spec, labels), strict=True):
        part[...] = filled(known, _factors(spec))
    diagram.enter(phases, Source.INFERRED)


def _factors(spec: SweepSpec) -> tuple[int, ...]:
    return tuple(spec.refined[name] for name in spec.grid if name in spec.refined)


def _known(diagram: PhaseDiagram) -> Labels:
    """Return the phases of measured and of predicted cells, NOT_RUN elsewhere."""
    known = diagram.measured | (diagram.source == Source.PREDICTED)
    return np.where(known, diagram.phases, Phase.NOT_RUN).astype(np.int8)


def _parts(spec: SweepSpec, values: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Yield views on the refined axes, for each seed and each value of the other axes."""
    refined = [place for place, name in enumerate(spec.grid) if name in spec.refined]
    moved = np.moveaxis(values, refined, range(-len(refined), 0))
    for place in np.ndindex(moved.shape[: -len(refined)]):
        yield moved[place]
