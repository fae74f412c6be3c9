"""The paper's figures 4a, 4c, 4d and 5a: those that need no sweep of trained networks."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from effective_theory.checks import RandomSource, integer, random_generator
from effective_theory.critical_size.curve import critical_fraction, unique_line_curve
from effective_theory.critical_size.sizes import critical_training_sizes
from effective_theory.dataset import Dataset
from effective_theory.dynamics import effective_trajectory
from effective_theory.representation import standardise
from effective_theory.tasks import Addition
from effective_theory.timescales import grokking_rate
from effective_theory.toy_model import InitialState, ToyModel
from effective_theory.training import train

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Training pairs of the example of figures 4c and 4d, and how long it is followed.
_EXAMPLE_SIZE = 45
_EXAMPLE_STEPS = 5000


def figure_4a(*, p: int = 10, orders: int = 10_000, rng: RandomSource = 0) -> "Figure":
    """Draw P(the line is the only solution) against the training fraction (paper's figure 4a).

    Parameters
    ----------
    p
        Number of symbols.
    orders
        Random orders behind the curve.
    rng
        Int, SeedSequence or Generator.
    """
    task = Addition(p)
    critical = critical_training_sizes(task, orders=orders, rng=rng)
    curve = unique_line_curve(critical, np.arange(task.size + 1))
    threshold = critical_fraction(task, critical)
    figure, axes = _new_figure()
    fraction = curve.sizes / task.size
    axes.plot(fraction, curve.probability, ".-", label=f"{orders} random orders")
    axes.fill_between(fraction, curve.low, curve.high, alpha=0.3, label="95 % interval")
    axes.axvline(
        threshold.value, color="0.4", linestyle="--", label=f"$r_c$ = {threshold.value:.3f}"
    )
    axes.set(xlabel="training fraction", ylabel="P(linear structure)", title=f"Addition, p = {p}")
    axes.legend()
    return figure


def figure_4c(*, rng: RandomSource = 0, average: bool = False) -> "Figure":
    """Draw embeddings against time under the effective theory (paper's figure 4c).

    The start and the training set are those of `figure_4d` with the same ``rng``.

    Parameters
    ----------
    rng
        Int, SeedSequence or Generator, for the training set and the start.
    average
        False: all parallelograms, summed, as in the published figure; True: the mean over those of
        the training set, about a hundred times slower.
    """
    model, dataset, state = _example(rng)
    steps = np.unique(np.linspace(0, _EXAMPLE_STEPS, 501).astype(np.int64))
    trajectory = effective_trajectory(
        standardise(state.embeddings),
        dataset,
        steps * model.embedding_lr,
        parallelograms="train" if average else "all",
        average=average,
    )
    return _draw_embeddings(steps, trajectory[:, :, 0], "effective theory")


def figure_4d(*, rng: RandomSource = 0) -> "Figure":
    """Draw standardised embeddings against training steps of a toy model (paper's figure 4d).

    Parameters
    ----------
    rng
        Int, SeedSequence or Generator, for the training set and the start.
    """
    model, dataset, state = _example(rng)
    history = train(model, dataset, state, record_every=10).history
    assert history is not None
    embeddings = np.stack([standardise(recorded)[:, 0] for recorded in history.embeddings])
    return _draw_embeddings(history.update, embeddings, "trained network")


def figure_5a(*, p: int = 10, draws: int = 200, rng: RandomSource = 0) -> "Figure":
    """Draw the grokking rate against the training fraction (paper's figure 5a).

    Parameters
    ----------
    p
        Number of symbols, at least 3.
    draws
        Random training sets for each size.
    rng
        Int, SeedSequence or Generator.
    """
    task = Addition(integer("p", p, 3))
    generators = random_generator(rng).spawn(integer("draws", draws, 1))
    sizes = np.unique(np.linspace(2 * p, task.size, 36).astype(np.int64))
    rates = np.array(
        [
            [grokking_rate(Dataset(task, order[:size])) for size in sizes]
            for order in (generator.permutation(task.size) for generator in generators)
        ]
    )
    figure, axes = _new_figure()
    fraction = sizes / task.size
    low, high = np.quantile(rates, [0.1, 0.9], axis=0)
    axes.plot(fraction, rates.mean(axis=0), ".-", label=f"mean of {draws} training sets")
    axes.fill_between(fraction, low, high, alpha=0.3, label="10 % to 90 %")
    axes.set(
        xlabel="training fraction",
        ylabel=r"grokking rate $\lambda_3$ (1 / time)",
        title=f"Addition, p = {p}",
    )
    axes.legend()
    return figure


#: The figures by the paper's numbers, each with its defaults.
FIGURES: dict[str, Callable[[], "Figure"]] = {
    "4a": figure_4a,
    "4c": figure_4c,
    "4d": figure_4d,
    "5a": figure_5a,
}


def _example(rng: RandomSource) -> tuple[ToyModel, Dataset, InitialState]:
    """Return the model, training set and start that figures 4c and 4d share."""
    split, start = random_generator(rng).spawn(2)
    model, task = ToyModel(steps=_EXAMPLE_STEPS, stop_when="never"), Addition(10)
    dataset = Dataset.split(task, _EXAMPLE_SIZE, split)
    return model, dataset, InitialState.random(model, task, start)


def _draw_embeddings(
    steps: NDArray[np.int64], embeddings: NDArray[np.float64], title: str
) -> "Figure":
    from matplotlib import colormaps

    figure, axes = _new_figure()
    symbols = embeddings.shape[1]
    for symbol in range(symbols):
        colour = colormaps["viridis"](symbol / (symbols - 1))
        axes.plot(steps, embeddings[:, symbol], color=colour, label=str(symbol))
    axes.set(xlabel="training step", ylabel="standardised embedding", title=title)
    axes.legend(title="symbol", loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def _new_figure() -> tuple["Figure", "Axes"]:
    from effective_theory.figures import Picture

    figure = Picture(figsize=(6.0, 4.0), layout="constrained")
    return figure, figure.add_subplot()
