"""The margin of quadratic networks that have grokked, in units of their largest weight."""

import dataclasses
from typing import Any

import numpy as np

from effective_theory.figures import Picture
from validation.experiments.experiment import Experiment, Findings, Run
from validation.experiments.kernel_regime.mohamadi_published import published
from validation.experiments.trainings import trained


def measure(run: Run) -> Findings:
    """Train at four p and compare margins and norms."""
    from validation.kernel_regime.laws import normalised_margin
    from validation.kernel_regime.quadratic_state import QuadraticState

    symbols, seeds = ((5,), (0,)) if run.quick else ((11, 17, 23, 31), (0, 1, 2))
    rows: list[dict[str, Any]] = []
    for p in symbols:
        for seed in seeds:
            dataset, settings = published(p, 10.0, seed=seed)
            settings = dataclasses.replace(settings, steps=100 if run.quick else 4000)
            task = dataset.operation
            found = trained(
                run, f"p{p}-{seed}", settings, dataset, dtype="float64", seed=seed,
                measures=lambda network: {
                    "largest_weight": lambda n: max(
                        float(w.detach().abs().max()) for w in n.parameters()
                    )
                },
            )  # fmt: skip
            state = QuadraticState.of(found.network)
            half = len(found.curve["update"]) // 2
            rows.append(
                {
                    "p": p,
                    "seed": seed,
                    "test_step": found.crossings.plain_test_step,
                    "strict_test_step": found.crossings.test_step,
                    "largest_weight_half_way": float(found.curve["largest_weight"][half]),
                    "largest_weight": float(found.curve["largest_weight"][-1]),
                    "normalised_margin": normalised_margin(
                        state, np.asarray(task.pairs)[dataset.train], task.labels[dataset.train]
                    ),
                }
            )
    raw, margin = (
        {p: float(np.median([row[name] for row in rows if row["p"] == p])) for p in symbols}
        for name in ("largest_weight", "normalised_margin")
    )
    spreads = {"raw": _spread(raw), "margin": _spread(margin)}
    generalised = all(row["test_step"] is not None for row in rows)
    grows = float(np.median([r["largest_weight"] / r["largest_weight_half_way"] for r in rows]))
    holds = generalised and min(spreads.values()) <= 2
    return Findings(
        verdict=run.verdict(holds),
        measured="medians by p, largest weight: "
        + ", ".join(f"{p}: {value:.3g}" for p, value in raw.items())
        + f" (it grows {grows:.2f} times from half-way on); margin / largest weight^3: "
        + ", ".join(f"{p}: {value:.3g}" for p, value in margin.items())
        + f"; largest over smallest {spreads['raw']:.2f} and {spreads['margin']:.2f}",
        numbers={"rows": rows},
        figures=(("Largest weight, and margin over its cube, against p", _picture(rows)),),
    )


def _spread(by_p: dict[int, float]) -> float:
    """Return the largest over the smallest; infinity where a margin is not above 0."""
    return max(by_p.values()) / min(by_p.values()) if min(by_p.values()) > 0 else np.inf


def _picture(rows: list[dict[str, Any]]) -> Picture:
    figure = Picture(figsize=(8, 3.4), layout="constrained")
    names = {"largest_weight": "largest weight", "normalised_margin": "margin / largest weight^3"}
    for axes, (name, label) in zip(figure.subplots(1, 2), names.items(), strict=True):
        axes.plot([row["p"] for row in rows], [row[name] for row in rows], "o")
        axes.set(xlabel="p", ylabel=label)
        axes.set_ylim(bottom=min(0, *axes.get_ylim()))
    return figure


EXPERIMENT = Experiment(
    name="mohamadi-norm",
    claim="after grokking the l_inf norm is flat in p, itself or as the unit of the margin",
    source="Mohamadi et al. 2024, figure on the l_inf norm",
    settings="quadratic network of width 8 p at p = 11, 17, 23 and 31, n = 2 p^(5/3), normalised "
    "gradient descent of step 10 without penalty, exact tail, float64, 4000 updates, seeds 0 to 2; "
    "the margin is the least over training pairs",
    bound="all reach test .9, and the medians over p of the largest weight or of the margin over "
    "its cube are within a factor of 2 of each other",
    measure=measure,
    quick="p = 5, one seed, 100 updates",
)
