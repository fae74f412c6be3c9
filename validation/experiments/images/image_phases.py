"""Networks on images over weight decay and last-layer learning rate: all four phases."""

import dataclasses
from typing import Any

import numpy as np

from effective_theory import InputError
from phase_diagrams import Phase, PhaseDiagram, SweepSpec
from phase_diagrams.phases import RUN_PHASES
from validation.data.images import Digits, IdxImages, ImageTask
from validation.experiments.experiment import Experiment, Findings, Run
from validation.experiments.outcomes import counts_told, phase_counts
from validation.systems.axes import log_axis
from validation.systems.settings import ImageSettings

_PHASES = [phase for phase in RUN_PHASES if phase is not Phase.DIVERGED]


def spec(task: ImageTask, train_size: int, *, test_threshold: float, quick: bool) -> SweepSpec:
    """Return the sweep over the paper's ranges, with 10 values of each."""
    decays, rates = np.logspace(-5, 2, 10), np.logspace(-6, 1, 10)
    settings = ImageSettings(
        train_threshold=0.9,
        test_threshold=test_threshold,
        batch_size=200 if train_size > 200 else None,
    )
    if quick:
        decays, rates = decays[[0, -1]], rates[[3, 6]]
        settings = dataclasses.replace(settings, steps=200)
    axes = {"weight_decay": log_axis(decays), "lr": log_axis(rates)}
    return SweepSpec(task, axes, settings, train_size=train_size, seeds=(0,))


def _measured(run: Run, task: ImageTask, train_size: int, name: str) -> Findings:
    """Sweep under both thresholds, refine the paper's once, and count phases."""
    coarse = run.swept(spec(task, train_size, test_threshold=0.6, quick=run.quick), f"{name}-0.6")
    strict = under_more(run, coarse, 0.9, f"{name}-0.9")
    diagrams = {0.6: coarse, 0.9: strict}
    fine = run.refined(coarse, 2, f"{name}-x2")
    counts = {
        f"{threshold:g}": phase_counts(each.phases, RUN_PHASES)
        for threshold, each in diagrams.items()
    }
    holds = all(counts["0.6"][phase.label] for phase in _PHASES)
    return Findings(
        verdict=run.verdict(holds),
        measured="; ".join(
            f"test threshold {threshold}: " + counts_told(found)
            for threshold, found in counts.items()
        )
        + f"; refined once: {counts_told(phase_counts(fine.phases, RUN_PHASES))}",
        numbers={
            "counts": counts,
            "rows": {f"{t:g}": each.rows() for t, each in diagrams.items()},
            "refined_phases": fine.phases[..., 0].tolist(),
        },
        figures=(
            ("Phases with a test threshold of 60 %, refined once; pale: inferred", fine.plot()),
            (
                "Phases with a test threshold of 90 %, of the cells that reach 60 %; all others "
                "keep theirs",
                strict.plot(),
            ),
            ("Updates until train 90 % and test 60 %", coarse.plot.steps()),
        ),
    )


def under_more(run: Run, diagram: PhaseDiagram, threshold: float, name: str) -> PhaseDiagram:
    """Return the cells that reach their test threshold, run anew under a higher one.

    A cell that never reaches the lower one cannot reach the higher.
    """
    asked = dataclasses.replace(
        diagram.spec, model=dataclasses.replace(diagram.spec.model, test_threshold=threshold)
    )
    reached = ~np.ma.getmaskarray(diagram.test_step)
    return run.swept_at(asked, name, [tuple(place) for place in np.argwhere(reached).tolist()])


def measure_digits(run: Run) -> Findings:
    """Sweep scikit-learn's digits."""
    return _measured(run, Digits(), 200, "digits-phases")


def measure_mnist(run: Run) -> Findings:
    """Sweep MNIST in the files that the user names; a quick run may have digits in their place."""
    if run.quick and run.images is None:
        return _measured(run, Digits(), 100, "mnist-phases")
    if run.images is None or run.labels is None:
        raise InputError(
            "images and labels are missing; name MNIST's IDX files, as by --images "
            "train-images-idx3-ubyte.gz --labels train-labels-idx1-ubyte.gz."
        )
    count, train_size = (200, 100) if run.quick else (11_000, 1000)
    task = IdxImages(str(run.images), str(run.labels), count)
    return _measured(run, task, train_size, "mnist-phases")


_CLAIM: dict[str, Any] = {
    "claim": "over weight decay and last-layer learning rate networks on images have all four "
    "phases",
    "source": "Liu et al. 2022, section 4.3 and appendix J",
    "bound": "with a test threshold of 60 % each of comprehension, grokking, memorization and "
    "confusion occurs",
}
_SETTINGS = (
    "200-200 ReLU units, mean square error, init scale 9, AdamW 1e-3 before the last layer, batch "
    "200, weight decay 1e-5 to 1e2 x last-layer learning rate 1e-6 to 10, 10 x 10, budget 10 000, "
    "lag 1000, train .9, test .6 (refined once) and, of the cells that reach it, .9, seed 0"
)
DIGITS = Experiment(
    name="digits-phases",
    **_CLAIM,
    settings=f"200 of scikit-learn's 8 x 8 digits, {_SETTINGS}",
    measure=measure_digits,
    quick="2 x 2 cells, 200 updates",
)
MNIST = Experiment(
    name="mnist-phases",
    **_CLAIM,
    settings=f"1000 MNIST images, tested on 10 000, from the user's IDX files, {_SETTINGS}",
    measure=measure_mnist,
    quick="digits in place of MNIST, or 200 images of the files, 2 x 2 cells, 200 updates",
)
