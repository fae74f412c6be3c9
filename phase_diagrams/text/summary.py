"""Phase diagrams as text, for terminals and logs."""

import numpy as np

from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.phases import RUN_PHASES, Phase, Source
from phase_diagrams.refinement.coarse import coarse_places, coarse_spec
from phase_diagrams.runs.origin import mixtures
from phase_diagrams.sweeps.axes import Axis
from phase_diagrams.sweeps.splits import few_strict_samples
from phase_diagrams.text.sources import prediction_lines, refinement_lines
from phase_diagrams.wording import describe, place_name, seed_name

#: Ties that are listed one by one.
_LISTED = 8


def phase_map(diagram: PhaseDiagram, seed: int = 0) -> str:
    """Return the phases of the seed at that place as letters, the first axis upwards.

    One map for each value of further axes would be long: they are shown at their first value. Of
    a refined sweep the coarse values are shown. Cells that were not measured have small letters.
    """
    grid_of_axes = coarse_spec(diagram.spec).grid
    names, axes = list(grid_of_axes), list(grid_of_axes.values())
    shown: tuple[slice | int, ...] = (*coarse_places(diagram.spec), seed)
    letters = np.vectorize(lambda phase: Phase(int(phase)).letter)(diagram.phases[shown])
    letters = np.where(diagram.measured[shown], letters, np.char.lower(letters))
    grid = np.atleast_2d(letters.reshape(*letters.shape[:2], -1)[..., 0])
    rows = list(axes[0].texts) if len(axes) > 1 else [""]
    columns = axes[min(1, len(axes) - 1)].texts
    margin = max(len(text) for text in rows)
    lines = [
        f"{text:>{margin}}  " + " ".join(row)
        for text, row in zip(reversed(rows), grid[::-1], strict=True)
    ]
    horizontal = f"{names[min(1, len(axes) - 1)]}: {describe(columns, 4)}"
    lines.append(" " * (margin + 2) + horizontal)
    if len(axes) > 1:
        lines.insert(0, names[0])
    if diagram.spec.refined:
        lines.append("shown at the values that were not refined")
    if (letters != np.char.upper(letters)).any():
        lines.append("small letters: not measured")
    if further := dict(zip(names[2:], axes[2:], strict=True)):
        lines.append(f"shown at {place_name({n: axis.texts[0] for n, axis in further.items()})}")
        lines += [_other_slices(name, axis) for name, axis in further.items() if len(axis) > 1]
    return "\n".join(lines)


def _other_slices(name: str, axis: Axis) -> str:
    return f"{name} has {len(axis)} values; for another one: --at {name}={axis.texts[1]}"


def summary(diagram: PhaseDiagram) -> str:
    """Return each seed's map, what ran, the counts and each seed's ideal test accuracy.

    Where runs come from several origins, such as instruction sets, a sentence says so.
    """
    lines: list[str] = []
    for place, seed in enumerate(diagram.spec.seeds):
        if len(diagram.spec.seeds) > 1:
            lines.append(seed_name(seed))
        lines += [phase_map(diagram, place), ""]
    lines += [str(diagram.spec), _counts(diagram)]
    if len(diagram.spec.seeds) > 1:
        lines += over_seeds(diagram)
    lines += prediction_lines(diagram)
    lines += refinement_lines(diagram)
    if diagram.ideal_test_accuracy.values:
        lines.append(str(diagram.ideal_test_accuracy))
    lines += few_strict_samples(diagram.spec)
    return "\n".join([*lines, *mixtures(diagram.origins, diagram.spec.system)])


def origin_lines(diagram: PhaseDiagram) -> list[str]:
    """Return how many runs come from where, a line for each origin."""
    by = "" if diagram.kept is None else f" by {diagram.kept.engine}"
    return [
        f"{count} run{'s' * (count > 1)}{by}: {'origin not known' if origin is None else origin}"
        for origin, count in diagram.origins.items()
    ]


def _counts(diagram: PhaseDiagram) -> str:
    """Return the runs in each phase; cells that were inferred or predicted stand beside them."""
    measured = diagram.counts()
    others = {source: diagram.counts(source) for source in (Source.INFERRED, Source.PREDICTED)}
    texts = []
    for phase in RUN_PHASES:
        more = [f"{n[phase]} {source.label}" for source, n in others.items() if n[phase]]
        if measured[phase] or more:
            beside = f" (+ {', '.join(more)})" if more else ""
            texts.append(f"{phase.letter} {phase.label} {measured[phase]}{beside}")
    if absent := int((diagram.source == Source.NOT_RUN).sum()):
        texts.append(f"{Phase.NOT_RUN.letter} {Phase.NOT_RUN.label} {absent}")
    return ", ".join(texts)


def over_seeds(diagram: PhaseDiagram) -> list[str]:
    """Return what the seeds say together: majority, ties and what is due to the split."""
    majority, effects = diagram.majority(), diagram.seed_effects()
    ties = majority.ties()
    lines = [str(majority), *(f"  tie at {tie}" for tie in ties[:_LISTED])]
    if len(ties) > _LISTED:
        lines.append(f"  and {len(ties) - _LISTED} more ties")
    if effects.disagreement > 0 and effects.split == effects.split:
        lines.append(
            f"two runs of a cell that share neither seed differ in phase with probability "
            f"{effects.disagreement:.3f}; share of it due to the split: {effects.split:.2f}"
        )
    return lines
