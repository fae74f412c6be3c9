"""Digits: with enough images there is no delay."""

import numpy as np

from phase_diagrams import SweepSpec
from validation.data.images import Digits
from validation.experiments.experiment import Experiment, Findings, Run
from validation.experiments.outcomes import gap_told, gaps, or_none
from validation.systems.settings import ImageSettings

_SIZES = (50, 100, 200, 400, 800, 1200)


def spec(*, quick: bool) -> SweepSpec:
    """Return the sweep over the number of training images."""
    settings = ImageSettings(
        lr=1e-3, steps=200 if quick else 20_000, train_threshold=0.95, test_threshold=0.8
    )
    return SweepSpec(
        Digits(),
        {"train_size": (50, 200, 1200) if quick else _SIZES},
        settings,
        train_size=_SIZES[0],
        seeds=(0,) if quick else (0, 1, 2),
    )


def measure(run: Run) -> Findings:
    """Train all, and compare delays."""
    diagram = run.swept(spec(quick=run.quick), "digits-training-size")
    found = gaps(diagram.train_step, diagram.test_step, diagram.spec.model.steps)
    sizes = diagram.spec.grid["train_size"].values
    delays = {size: float(np.median(some)) for size, some in zip(sizes, found, strict=True)}
    smallest, largest = min(delays, key=delays.__getitem__), _SIZES[-1]
    holds = delays[largest] <= delays[200] / 10 < np.inf and delays[largest] == delays[smallest]
    return Findings(
        verdict=run.verdict(holds),
        measured="median updates from train .95 to test .8 (where test does not get there: to the "
        "budget) by images "
        + ", ".join(f"{size}: {gap_told(delay)}" for size, delay in delays.items()),
        numbers={
            "delays": {str(size): or_none(delay) for size, delay in delays.items()},
            "rows": diagram.rows(),
        },
        figures=(("Updates to both thresholds against training images", diagram.plot.against()),),
    )


EXPERIMENT = Experiment(
    name="digits-training-size",
    claim="with enough training images there is no delay",
    source="Liu et al. 2022, section 4.3 and Omnigrok (MNIST: 4096 images and more)",
    settings="50 to 1200 of scikit-learn's digits, init scale 9, weight decay .1, AdamW 1e-3, full "
    "batch, budget 20 000, seeds 0 to 2",
    bound="the median delay from train .95 to test .8 is smallest with 1200 images, and a tenth of "
    "that with 200 at most",
    measure=measure,
    quick="three sizes, one seed, 200 updates",
)
