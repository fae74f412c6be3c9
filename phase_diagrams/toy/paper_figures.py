"""The paper's figures 3, 4b and 5b: what the theory predicts beside what training measures."""

import dataclasses
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from effective_theory import Addition, InputError, ToyModel, grokking_steps, predicted_accuracy
from effective_theory.figures import Picture
from effective_theory.report import not_reached
from phase_diagrams.runs.engines import Engine
from phase_diagrams.runs.summary import RunSummary
from phase_diagrams.sweeping import results
from phase_diagrams.sweeps.axes import Axis
from phase_diagrams.sweeps.cell import Cell
from phase_diagrams.sweeps.spec import SweepSpec


def _released(steps: int, sizes: tuple[int, ...], seeds: tuple[int, ...]) -> SweepSpec:
    """Return a sweep over training sizes from the released start, to the end of the budget."""
    model = ToyModel(decoder_lr=1e-4, steps=steps, stop_when="never")
    return SweepSpec(
        Addition(10), {"train_size": Axis(sizes)}, model, seeds=seeds, start="released"
    )


#: The released code's batch size: the full batch of at most 45 training pairs.
_RELEASED_BATCH = 45
#: Sizes and seeds of the published tables; the largest leaves one test sample.
_PUBLISHED_SIZES = (*range(5, 55, 5), 54)
SPECS = {
    "3": _released(5_000, _PUBLISHED_SIZES, (0, 1, 2)),
    "4b": _released(10_000, _PUBLISHED_SIZES, (0, 1, 2)),
    "5b": _released(10_000, tuple(range(22, 55, 4)), tuple(range(10))),
}


@dataclass(frozen=True)
class TrainedRun:
    """One trained run beside what the theory says of its training set.

    Attributes
    ----------
    train_size, seed
        Which run.
    fraction
        Training samples as a fraction of all samples.
    accuracy, predicted
        Share of all samples that the network has right after its last update, and that its
        embeddings predict (Acc-hat).
    rqi_step
        First update with RQI above its threshold; infinite if not within the budget.
    grokking_steps
        n_h = 1 / (lambda_3 embedding_lr), in steps; infinite where the line is not unique.
    """

    train_size: int
    seed: tuple[int, int]
    fraction: float
    accuracy: float
    predicted: float
    rqi_step: float
    grokking_steps: float


def trained_runs(
    name: str, *, store: str | Path | None = None, engine: Engine | None = None
) -> list[TrainedRun]:
    """Return the runs behind figure ``name`` ("3", "4b" or "5b"), sorted by size and seed.

    Parameters
    ----------
    name
        The figure.
    store, engine
        As for `phase_diagrams.sweep`.

    Raises
    ------
    InputError
        If there is no such figure.
    """
    if name not in SPECS:
        raise InputError(f"name must be one of {', '.join(SPECS)}, not {name!r}.")
    runs = [
        _beside_theory(cell, summary)
        for part, spec in _by_batch(f"figure-{name}", SPECS[name]).items()
        for cell, summary in results(spec, store=store, name=part, engine=engine, exact=True)
    ]
    return sorted(runs, key=lambda run: (run.train_size, run.seed))


def _by_batch(name: str, spec: SweepSpec) -> dict[str, SweepSpec]:
    """Return the sweep of full batches, and that of minibatches, as the released code trains."""
    sizes = spec.grid["train_size"].values
    batched = dataclasses.replace(spec.model, batch_size=_RELEASED_BATCH)
    parts = {
        name: (spec.model, [size for size in sizes if size <= _RELEASED_BATCH]),
        f"{name}-minibatches": (batched, [size for size in sizes if size > _RELEASED_BATCH]),
    }
    return {
        part: dataclasses.replace(spec, axes={"train_size": some}, model=model)
        for part, (model, some) in parts.items()
        if some
    }


def _beside_theory(cell: Cell, summary: RunSummary) -> TrainedRun:
    dataset = cell.split()
    right = summary.train_accuracy * dataset.train_size + summary.test_accuracy * len(dataset.test)
    return TrainedRun(
        train_size=cell.train_size,
        seed=cell.seed,
        fraction=dataset.train_fraction,
        accuracy=right / cell.task.size,
        predicted=predicted_accuracy(summary.state, dataset),
        rqi_step=math.inf if summary.rqi_step is None else summary.rqi_step,
        grokking_steps=grokking_steps(dataset, cell.model.embedding_lr),
    )


def mean_difference(runs: list[TrainedRun]) -> float:
    """Return the mean over runs of |Acc - Acc-hat|."""
    return float(np.mean([abs(run.accuracy - run.predicted) for run in runs]))


@dataclass(frozen=True)
class RankCorrelation:
    """Spearman's rank correlation of predicted and measured time to a good representation.

    "Never" is the longest time, on both sides, so that all runs count. NaN, that is undefined,
    where one side is the same in all runs.
    """

    value: float
    p_value: float
    runs: int

    def __str__(self) -> str:
        """Return the correlation with its number of runs and its p-value."""
        if math.isnan(self.value):
            return f"not defined ({self.runs} runs, one side is the same in all)"
        return f"{self.value:.2f} ({self.runs} runs, p = {self.p_value:.1g})"


def rank_correlation(runs: list[TrainedRun]) -> RankCorrelation:
    """Return the rank correlation of n_h with the measured ``rqi_step`` over runs."""
    from scipy.stats import spearmanr

    # Ranks know no infinity: any number above all others stands for "never".
    predicted = [min(run.grokking_steps, 1e300) for run in runs]
    measured = [min(run.rqi_step, 1e300) for run in runs]
    if min(len(set(predicted)), len(set(measured))) < 2:
        return RankCorrelation(math.nan, math.nan, len(runs))
    correlation = spearmanr(predicted, measured)
    return RankCorrelation(float(correlation.statistic), float(correlation.pvalue), len(runs))


def figure_3(runs: list[TrainedRun]) -> Figure:
    """Draw accuracy, predicted accuracy, and one against the other (paper's figure 3)."""
    fraction, accuracy, predicted = _columns(runs, "fraction", "accuracy", "predicted")
    with sns.axes_style("ticks"):
        figure = Picture(figsize=(11, 3.6), layout="constrained")
        left, middle, right = figure.subplots(1, 3)
        left.plot(fraction, accuracy, "o", alpha=0.6, color="#2C6FBB")
        left.set(xlabel="training fraction", ylabel="accuracy", ylim=(0, 1.03))
        middle.plot(fraction, predicted, "o", alpha=0.6, color="#35B779")
        middle.set(xlabel="training fraction", ylabel="predicted accuracy", ylim=(0, 1.03))
        right.plot([0, 1], [0, 1], color="0.6", linewidth=0.8)
        right.plot(predicted, accuracy, "o", alpha=0.6, color="#46327E")
        right.set(
            xlabel="predicted accuracy",
            ylabel="accuracy",
            title=f"mean difference {mean_difference(runs):.3f}",
        )
        sns.despine(figure)
    return figure


def figure_4b(runs: list[TrainedRun]) -> Figure:
    """Draw the measured updates to a good representation against the fraction (figure 4b)."""
    fraction, steps = _columns(runs, "fraction", "rqi_step")
    with sns.axes_style("ticks"):
        figure = Picture(figsize=(6, 4), layout="constrained")
        axes = figure.subplots()
        _draw_steps(axes, fraction, steps)
        axes.set(xlabel="training fraction", xlim=(0, 1))
        sns.despine(figure)
    return figure


def figure_5b(runs: list[TrainedRun]) -> Figure:
    """Draw the measured updates to a good representation against n_h (paper's figure 5b)."""
    predicted, steps = _columns(runs, "grokking_steps", "rqi_step")
    unique = np.isfinite(predicted)
    with sns.axes_style("ticks"):
        figure = Picture(figsize=(6, 4), layout="constrained")
        axes = figure.subplots()
        _draw_steps(axes, predicted[unique], steps[unique])
        axes.set(
            xscale="log",
            xlabel=r"$n_h = 1 / (\lambda_3 \eta)$, in steps",
            title=f"rank correlation {rank_correlation(runs)}; "
            f"{int((~unique).sum())} with $n_h$ infinite not drawn",
        )
        axes.title.set_fontsize("small")
        sns.despine(figure)
    return figure


#: The figures by the paper's numbers.
FIGURES: dict[str, Callable[[list[TrainedRun]], Figure]] = {
    "3": figure_3,
    "4b": figure_4b,
    "5b": figure_5b,
}


def _columns(runs: list[TrainedRun], *names: str) -> Iterator[NDArray[np.float64]]:
    return (np.array([getattr(run, name) for run in runs], dtype=np.float64) for name in names)


def _draw_steps(axes: Axes, x: NDArray[np.float64], steps: NDArray[np.float64]) -> None:
    """Points where RQI was reached; triangles on the budget's line where it was not."""
    reached, budget = np.isfinite(steps), SPECS["4b"].model.steps
    axes.plot(x[reached], steps[reached], "o", alpha=0.6, color="#2C6FBB", label="RQI > 0.95")
    at_budget = np.full(int((~reached).sum()), budget)
    axes.plot(x[~reached], at_budget, "^", alpha=0.6, color="#D95F0E", label=not_reached(budget))
    axes.set(yscale="log", ylabel="updates to RQI > 0.95")
    axes.legend(frameon=False, fontsize="small")
