"""Phase diagrams as text, for terminals and logs."""

import numpy as np

from phase_diagrams.axes import describe
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.phases import RUN_PHASES, Phase

#: Ties that are listed one by one.
_LISTED = 8


def phase_map(diagram: PhaseDiagram, seed: int = 0) -> str:
    """Return the phases of the seed at that place as letters, the first axis upwards.

    One map for each value of further axes would be long: they are shown at their first value.
    """
    names = list(diagram.spec.grid)
    axes = list(diagram.spec.grid.values())
    phases = diagram.phases[..., seed]
    grid = np.atleast_2d(phases.reshape(*phases.shape[:2], -1)[..., 0])
    rows = [describe([v]) for v in axes[0].values] if len(axes) > 1 else [""]
    columns = [describe([v]) for v in axes[min(1, len(axes) - 1)].values]
    margin = max(len(text) for text in rows)
    lines = [
        f"{text:>{margin}}  " + " ".join(Phase(int(phase)).letter for phase in row)
        for text, row in zip(reversed(rows), grid[::-1], strict=True)
    ]
    horizontal = f"{names[min(1, len(axes) - 1)]}: {describe(columns, 4)}"
    lines.append(" " * (margin + 2) + horizontal)
    if len(axes) > 1:
        lines.insert(0, names[0])
    for name, axis in list(diagram.spec.grid.items())[2:]:
        lines.append(f"{name} = {describe([axis.values[0]])}")
    return "\n".join(lines)


def summary(diagram: PhaseDiagram) -> str:
    """Return the map of each seed, the counts and each seed's ideal test accuracy."""
    lines: list[str] = []
    for place, (split, initialisation) in enumerate(diagram.spec.seeds):
        if len(diagram.spec.seeds) > 1:
            lines.append(
                f"seed {split}" if split == initialisation else f"{split}/{initialisation}"
            )
        lines += [phase_map(diagram, place), ""]
    counts = diagram.counts()
    shown = [phase for phase in (*RUN_PHASES, Phase.NOT_RUN) if counts[phase]]
    lines.append(", ".join(f"{p.letter} {p.label} {counts[p]}" for p in shown))
    if len(diagram.spec.seeds) > 1:
        lines += over_seeds(diagram)
    return "\n".join([*lines, *diagram.ideal_test_accuracy.lines()])


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
