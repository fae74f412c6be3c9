"""What a diagram has from elsewhere than runs of its own cells, in sentences."""

import numpy as np

from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.phases import Source
from phase_diagrams.prediction.spent import spent
from phase_diagrams.refinement.inferred_cells import missing_cells
from phase_diagrams.sweeps.spec import SweepSpec
from phase_diagrams.sweeps.systems import BUDGET


def prediction_lines(diagram: PhaseDiagram) -> list[str]:
    """Return what a diagram was predicted from, what it took and how sure it is, in sentences."""
    if diagram.prediction is None:
        return []
    cost, prediction = spent(diagram), diagram.prediction
    whole = " of the whole sweep" if prediction.is_part else ""
    predicted = diagram.source == Source.PREDICTED
    sure = int((predicted & (prediction.certainty >= 0.9)).sum())
    besides = int((diagram.measured & ~prediction.probed).sum())
    lines = [
        f"predicted: {int(predicted.sum())} of {predicted.size} cells, {sure} of them with a "
        f"probability of 0.9 or more, from {prediction.probes} probes{whole}, which "
        f"measured {int(prediction.probed.sum())} cells; {besides} measured besides",
    ]
    if not prediction.is_part:
        lines.append(
            f"updates: {cost.probes:.3g} of probes, {cost.measured:.3g} of other cells, together "
            f"{cost.share:.1%} of some {cost.whole:.3g} that measured and predicted cells take"
        )
    if not {*diagram.spec.system.rates, BUDGET} & set(diagram.spec.grid):
        lines.append("no learning rate is swept: each cell had a probe of its own, only shorter")
    return lines


def refinement_lines(diagram: PhaseDiagram) -> list[str]:
    """Return what a refined sweep measured, inferred and could have missed, one sentence each."""
    if not diagram.spec.refined:
        return []
    source = diagram.source
    measured, inferred, predicted, absent = (
        int((source == kind).sum())
        for kind in (Source.MEASURED, Source.INFERRED, Source.PREDICTED, Source.NOT_RUN)
    )
    guessed = f", {predicted} predicted" if predicted else ""
    factors = ", ".join(f"{name} {factor} times" for name, factor in diagram.spec.refined.items())
    lines = [
        f"refined {factors}: {measured} of {source.size} cells measured "
        f"({measured / source.size:.1%}), {inferred} inferred from agreeing ones around them"
        f"{guessed}, {absent} not run",
        f"could have missed: a region narrower than {_coarse_spacing(diagram.spec)} that lies "
        "between the coarse values and touches no block where measured phases meet",
    ]
    if missing := len(missing_cells(diagram)):
        lines.append(f"not finished: at least {missing} runs to do; refine again to continue")
    return lines


def _coarse_spacing(spec: SweepSpec) -> str:
    """Return the largest step between coarse values of each refined axis, in its units."""
    steps = []
    for name, factor in spec.refined.items():
        axis = spec.grid[name]
        coarse = axis.positions[::factor]
        if axis.scale == "log":
            steps.append(f"{np.diff(np.log10(coarse)).max():.3g} decades of {name}")
        else:
            steps.append(f"{np.diff(coarse).max():.3g} of {name}")
    return " or ".join(steps)
