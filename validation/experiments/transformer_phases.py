"""Learning rate x weight decay of a small one-layer transformer: which phases there are."""

import dataclasses

import numpy as np

from phase_diagrams import Phase, PhaseDiagram, SweepSpec, refine, sweep
from phase_diagrams.phases import GENERALISING
from validation.experiments.experiment import Experiment, Findings, Run
from validation.experiments.plain_test import plain_test_rows
from validation.systems.entries import transformer_phases

_NAME = "transformer-phases"


def spec(*, quick: bool) -> SweepSpec:
    """Return the sweep, or a corner of it with a budget of 200."""
    whole = transformer_phases()
    if not quick:
        return whole
    settings = dataclasses.replace(whole.model, steps=200, dimension=32, hidden=64)
    axes = {"lr": [1e-3, 3e-3, 1e-2], "weight_decay": [0.0, 1.0]}
    return dataclasses.replace(whole, axes=axes, model=settings)


def measure(run: Run) -> Findings:
    """Sweep, refine the learning rates once, and count phases."""
    coarse = sweep(
        spec(quick=run.quick), store=run.store, name=_NAME, n_jobs=run.jobs, progress=False
    )
    fine = refine(
        coarse, {"lr": 2}, store=run.store, name=f"{_NAME}-x2", n_jobs=run.jobs, progress=False
    )
    counts = {phase.label: int((coarse.phases == phase).sum()) for phase in Phase}
    without, decays = _without_decay(coarse), coarse.spec.grid["weight_decay"].values
    generalising = np.isin(coarse.phases[..., 0], GENERALISING)
    with_decay = generalising[:, [k for k, decay in enumerate(decays) if decay >= 0.5]]
    memorises = counts[Phase.MEMORIZATION.label] > 0
    holds = not generalising[:, 0].any() and with_decay.any() and memorises
    return Findings(
        verdict="met" if holds and not run.quick else "refuted",
        measured=f"{', '.join(f'{label} {n}' for label, n in counts.items() if n)} of "
        f"{coarse.spec.size} cells; without decay {without}",
        numbers={
            "counts": counts,
            "rows": plain_test_rows(coarse),
            "refined_rows": plain_test_rows(fine),
        },
        figures=(
            ("Phases, refined once along the learning rate; pale: inferred", fine.plot()),
            ("Updates until both thresholds", coarse.plot.steps()),
            ("Lags of the strict test accuracy", coarse.plot.lags()),
        ),
    )


def _without_decay(diagram: PhaseDiagram) -> str:
    labels = [Phase(int(phase)).label for phase in diagram.phases[:, 0, 0]]
    return ", ".join(f"{label} {labels.count(label)}" for label in dict.fromkeys(labels))


EXPERIMENT = Experiment(
    name=_NAME,
    claim="transformers have phases over learning rate and weight decay, and weight decay is what "
    "brings generalisation",
    source="Liu et al. 2022, section 4.2, on a transformer of Hu's kind at p = 31",
    settings="one layer, d 64, 4 heads, 256 ReLU units, half of the ordered pairs, full batch, "
    "10 x 10, budget 4000, lag 1000, seed 0; refined once along the learning rate",
    bound="no cell without weight decay generalises, some with decay 0.5 or more do, and "
    "memorization occurs",
    measure=measure,
    quick="3 x 2 cells, budget 200",
)
