"""Liu's transformer over decoder learning rate x weight decay: phases and delays."""

import dataclasses
from typing import Any

import numpy as np

from effective_theory import ModularOperation
from phase_diagrams import Phase, PhaseDiagram, SweepSpec
from validation.experiments.experiment import Experiment, Findings, Run
from validation.experiments.outcomes import counts_told, phase_counts
from validation.experiments.plain_test import plain_test_rows
from validation.systems.axes import log_axis
from validation.systems.settings import LiuSettings

_NAME = "liu-transformer-phases"
_WANTED = (Phase.COMPREHENSION, Phase.MEMORIZATION, Phase.CONFUSION)


def spec(*, quick: bool) -> SweepSpec:
    """Return the sweep over the paper's ranges, with 8 values of each."""
    rates, decays = np.logspace(-7, -1, 8), np.exp(np.linspace(-4, 3, 8))
    p, settings = (
        31,
        LiuSettings(
            dimension=64,
            hidden=64,
            embedding_scale=0.05,
            steps=2000,
            train_threshold=0.99,
            test_threshold=0.99,
        ),
    )
    if quick:
        rates, decays = np.array([1e-3, 1e-2]), np.array([0.1, 1.0])
        p, settings = 11, dataclasses.replace(settings, dimension=16, hidden=16, steps=40)
    axes = {"lr": log_axis(rates), "weight_decay": log_axis(decays)}
    return SweepSpec(ModularOperation("x+y", p), axes, settings, train_fraction=0.8, seeds=(0,))


def measure(run: Run) -> Findings:
    """Sweep, count phases, and look where the delays are shortest."""
    diagram = run.swept(spec(quick=run.quick), _NAME)
    counts = phase_counts(diagram.phases)
    delays = shortest_delays(diagram)
    moderate = [each["inside"] for each in delays]
    holds = all(counts[phase.label] for phase in _WANTED) and bool(moderate) and all(moderate)
    told = ", ".join(
        f"{each['delay']} at lr {each['lr']:g} with decay {each['weight_decay']:g}"
        for each in delays
    )
    return Findings(
        verdict=run.verdict(holds),
        measured=f"{counts_told(counts)} of "
        f"{diagram.spec.size} cells within {diagram.spec.model.steps} updates; shortest delays "
        f"{told or 'none'}",
        numbers={
            "counts": counts,
            "shortest_delays": delays,
            # What a longer budget could still change: trained, and not generalised when it ended.
            "ended_by_budget": counts[Phase.MEMORIZATION.label] + counts[Phase.CONFUSION.label],
            "rows": plain_test_rows(diagram),
        },
        figures=(
            (
                f"Phases within {diagram.spec.model.steps} updates (the paper: 100 000): "
                "memorization and confusion are cells that the budget ended, and what took longer "
                "is not told from what never generalises",
                diagram.plot(),
            ),
            ("Updates until both thresholds", diagram.plot.steps()),
        ),
    )


def shortest_delays(diagram: PhaseDiagram) -> list[dict[str, Any]]:
    """Return, for each learning rate with two delays or more, the shortest and where it is.

    A delay is the test step less the train step. ``inside`` says whether the weight decay of the
    shortest is neither the smallest nor the largest of the sweep.
    """
    rates, decays = (diagram.spec.grid[name].values for name in ("lr", "weight_decay"))
    found = []
    for rate, delays in zip(rates, (diagram.test_step - diagram.train_step)[..., 0], strict=True):
        known = np.flatnonzero(~np.ma.getmaskarray(delays))
        if len(known) < 2:
            continue
        shortest = int(known[np.argmin(delays[known])])
        found.append(
            {
                "lr": rate,
                "weight_decay": decays[shortest],
                "delay": int(delays[shortest]),
                "longest": int(delays[known].max()),
                "inside": 0 < shortest < len(decays) - 1,
            }
        )
    return found


EXPERIMENT = Experiment(
    name=_NAME,
    claim="over decoder learning rate and weight decay the transformer has phases as the toy model "
    "does, and a moderate weight decay makes the delay shortest",
    source="Liu et al. 2022, section 4.2 and appendix F",
    settings="Liu's transformer at p = 31, d 64, 80 % of the ordered pairs, full batch, embeddings "
    "1e-3 without decay and of scale 0.05, decoder lr 1e-7 to 1e-1 x weight decay e^-4 to e^3, "
    "8 x 8, budget 2000 (the paper: 100 000), lag 1000, seed 0",
    bound="comprehension, memorization and confusion occur, and at each learning rate with at "
    "least two delays the shortest has neither the smallest nor the largest weight decay",
    measure=measure,
    quick="p = 11, d 16, 2 x 2 cells, 40 updates",
)
