"""Whether the circle that a transformer ends with lies in its embeddings from the start."""

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from effective_theory import Dataset, ModularOperation
from effective_theory.figures import Picture
from validation.experiments.experiment import Experiment, Findings, Run
from validation.experiments.trainings import trained
from validation.systems.settings import OneLayerSettings

_DIMENSIONS, _SEEDS, _PLANES = (32, 64, 128), (0, 1, 2), 1000


def measure(run: Run) -> Findings:
    """Train at three widths, and project the start on the last leading axes."""
    rows: list[dict[str, Any]] = []
    shown: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
    p, dimensions, seeds = (11, (16,), (0,)) if run.quick else (31, _DIMENSIONS, _SEEDS)
    for dimension in dimensions:
        for seed in seeds:
            settings = OneLayerSettings(
                lr=3e-3, dimension=dimension, hidden=256, steps=6000, evaluate_every=50,
                stop_when="never",
            )  # fmt: skip
            if run.quick:
                settings = dataclasses.replace(settings, steps=100, hidden=16)
            task = ModularOperation("x+y", p)
            dataset = Dataset.split(task, rng=seed, train_fraction=0.5)
            start = settings.network(task, seed).embeddings.detach().cpu().double().numpy()
            found = trained(run, f"d{dimension}-{seed}", settings, dataset, seed=seed)
            end = found.network.embeddings.detach().cpu().double().numpy()
            rows.append(
                {
                    "dimension": dimension,
                    "seed": seed,
                    "test_step": found.crossings.test_step,
                    **in_last_plane(start, end),
                }
            )
            if shown is None:
                shown = plane_of(end, end), plane_of(start, end)
    above = sum(row["start_share"] > row["random_95"] for row in rows)
    medians = {
        d: float(np.median([row["start_share"] for row in rows if row["dimension"] == d]))
        for d in dimensions
    }
    rising = list(medians.values()) == sorted(medians.values())
    assert shown is not None
    return Findings(
        verdict=run.verdict(above >= 8 and rising),
        measured=f"share of the last circle's frequency in the start's projection above that in 95 "
        f"% of random planes: {above} of {len(rows)}; medians by width "
        + ", ".join(f"d {d}: {value:.2f}" for d, value in medians.items())
        + ", at the end "
        + ", ".join(
            f"d {d}: {np.median([r['end_share'] for r in rows if r['dimension'] == d]):.2f}"
            for d in dimensions
        ),
        numbers={"rows": rows},
        figures=(
            ("Embeddings in the plane of the last leading components, at the end and at the start "
             "(lines join symbols that are next to each other on the last circle)",
             _picture(*shown)),
        ),
    )  # fmt: skip


def plane_of(values: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return embeddings on the first two principal axes of the last ones, shape (p, 2)."""
    _, _, axes = np.linalg.svd(end - end.mean(axis=0), full_matrices=False)
    return np.asarray((values - values.mean(axis=0)) @ axes[:2].T)


def in_last_plane(start: NDArray[np.float64], end: NDArray[np.float64]) -> dict[str, Any]:
    """Return how much of the last circle's frequency there is in the plane, now and at first.

    "random_95": the 95th percentile of that share in random planes of the start.
    """
    from validation.measures.embeddings import circle, frequency_shares

    last = plane_of(end, end)
    frequency = circle(last).frequency
    draws = np.random.default_rng(0)
    planes = draws.normal(size=(_PLANES, start.shape[1], 2))
    random = [frequency_shares(start @ plane)[frequency - 1] for plane in planes]
    return {
        "frequency": frequency,
        "end_share": float(frequency_shares(last)[frequency - 1]),
        "start_share": float(frequency_shares(plane_of(start, end))[frequency - 1]),
        "random_95": float(np.percentile(random, 95)),
    }


def _picture(last: NDArray[np.float64], first: NDArray[np.float64]) -> Picture:
    from validation.measures.embeddings import circle

    p, figure = len(last), Picture(figsize=(8, 4), layout="constrained")
    step = pow(circle(last).frequency, -1, p)
    order = [(step * k) % p for k in range(p + 1)]
    for axes, (title, values) in zip(
        figure.subplots(1, 2), {"at the end": last, "at the start": first}.items(), strict=True
    ):
        axes.plot(*values[order].T, "o-", linewidth=0.7)
        axes.set(title=title, aspect="equal", xlabel="first axis", ylabel="second axis")
    return figure


EXPERIMENT = Experiment(
    name="lottery-of-axes",
    claim="the axes in which embeddings end as a circle show it at the start already, the more so "
    "the wider the embeddings",
    source="Liu et al. 2022, appendix K",
    settings="one-layer transformer at p = 31, d 32, 64 and 128, 256 ReLU units, half of the "
    "ordered pairs, AdamW 3e-3, decay 1, 6000 updates, seeds 0 to 2; initial embeddings on the "
    "first two principal axes of the last ones",
    bound="the share of the last circle's frequency there is above that in 95 % of random planes "
    "in 8 of 9 runs at least, and its median rises with the width",
    measure=measure,
    quick="p = 11, d 16, one seed, 100 updates",
)
