"""Hu's transformer A at three training fractions: where the lag is longest."""

import dataclasses

import numpy as np

from effective_theory import ModularOperation
from phase_diagrams import SweepSpec
from validation.experiments.experiment import Experiment, Findings, Run
from validation.experiments.plain_test import plain_test_rows
from validation.systems.settings import PowerSettings
from validation.training.optimisation import power_batch_size

_NAME, _FRACTIONS = "hu-fractions-power", (0.30, 0.50, 0.75)


def spec(*, quick: bool) -> SweepSpec:
    """Return the sweep over training fractions."""
    p = 11 if quick else 97
    settings = PowerSettings(
        steps=20_000,
        evaluate_every=50,
        train_threshold=0.99,
        test_threshold=0.99,
        # Power's batch size is the same for all three.
        batch_size=power_batch_size(round(_FRACTIONS[0] * p**2)),
    )
    if quick:
        settings = dataclasses.replace(settings, dimension=16, hidden=16, steps=100)
    axes = {"train_fraction": _FRACTIONS}
    return SweepSpec(ModularOperation("x+y", p), axes, settings, seeds=(0,))


def measure(run: Run) -> Findings:
    """Train at each fraction and compare the lags of those that generalise."""
    diagram = run.swept(spec(quick=run.quick), _NAME)
    train, test = (
        [None if np.ma.is_masked(step) else int(step) for step in steps[:, 0]]
        for steps in (diagram.train_step, diagram.test_step)
    )
    lags = {
        share: b - a
        for share, a, b in zip(_FRACTIONS, train, test, strict=True)
        if a is not None and b is not None
    }
    holds = 0.50 in lags and lags[0.50] == max(lags.values()) and len(lags) > 1
    told = ", ".join(
        f"{share:g}: {a} and {b}" for share, a, b in zip(_FRACTIONS, train, test, strict=True)
    )
    return Findings(
        verdict=run.verdict(holds),
        measured=f"updates with train and strict test 0.99 by fraction {told}",
        numbers={"rows": plain_test_rows(diagram), "lags": {str(k): v for k, v in lags.items()}},
        figures=tuple(
            (f"Fraction {share:g}, seed 0", diagram.run(train_size=size).plot())
            for share, size in zip(_FRACTIONS, diagram.spec.grid["train_size"].values, strict=True)
        ),
    )


EXPERIMENT = Experiment(
    name=_NAME,
    claim="transformer A's test accuracy does not rise below a training fraction of some .4, its "
    "lag behind train is longest near .5, and at .75 test follows train",
    source="Hu, Zhou and Yu, transformer A on (x + y) mod 97",
    settings="Power's transformer, AdamW 1e-3, decay 1, warm-up 10, batches of 512, fractions .3, "
    ".5 and .75, budget 20 000 updates, seed 0",
    bound="of the fractions that reach train and strict test 0.99, two at least, the lag is "
    "longest at .5",
    measure=measure,
    quick="p = 11, 100 updates",
)
