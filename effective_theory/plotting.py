"""Pictures of single training runs."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from effective_theory.figures import Picture
from effective_theory.history import History

#: Colours of what is measured on train and test samples, and of RQI, in all pictures.
TRAIN_COLOUR, TEST_COLOUR, RQI_COLOUR = "#2C6FBB", "#D95F0E", "#35B779"
#: The same by what is measured.
MEASURE_COLOURS = {"train": TRAIN_COLOUR, "test": TEST_COLOUR, "rqi": RQI_COLOUR}


def plot_history(
    history: History,
    crossings: Mapping[str, int | None],
    *,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
) -> Figure:
    """Draw accuracies with RQI, losses and embeddings against the number of updates.

    The axis of updates is logarithmic, so that it begins with the first record after update 0.

    Parameters
    ----------
    history
        What was recorded.
    crossings
        First update with "train" and "test" accuracy and "rqi" at their thresholds, dotted lines;
        None for never.
    title
        Over the panels; by default none.
    figsize
        Width and height of the figure, in inches.
    """
    with sns.axes_style("ticks"):
        figure = Picture(figsize=figsize or (6.4, 7.2), layout="constrained")
        top, middle, bottom = figure.subplots(3, 1, sharex=True)
        if title is not None:
            figure.suptitle(title)
        _draw_accuracies(top, history, crossings)
        _draw_losses(middle, history)
        _draw_embeddings(bottom, history)
        later = history.update[history.update > 0]
        # A run that diverged at once has nothing that a logarithm could show.
        bottom.set(xlabel="updates", xscale="log" if len(later) else "linear")
        if len(later) > 1:
            bottom.set_xlim(later[0], later[-1])
        sns.despine(figure)
    return figure


def _draw_accuracies(axes: Axes, history: History, crossings: Mapping[str, int | None]) -> None:
    lines: tuple[tuple[str, Any, str, str], ...] = (
        ("train accuracy", history.train_accuracy, TRAIN_COLOUR, "train"),
        ("test accuracy", history.test_accuracy, TEST_COLOUR, "test"),
        ("RQI", history.rqi, RQI_COLOUR, "rqi"),
    )
    for name, values, colour, side in lines:
        # RQI is not defined for every task; accuracies are, though a run may have ended at once.
        if name != "RQI" or np.isfinite(values).any():
            axes.plot(history.update, values, color=colour, label=name)
        step = crossings[side]
        if step is not None:
            axes.axvline(step, color=colour, linewidth=0.8, linestyle=":")
    axes.set(ylim=(-0.02, 1.02), ylabel="fraction")
    axes.legend(frameon=False, ncols=3, loc="lower right", fontsize="small")


def _draw_losses(axes: Axes, history: History) -> None:
    axes.plot(history.update, history.train_loss, color=TRAIN_COLOUR, label="train loss")
    axes.plot(history.update, history.test_loss, color=TEST_COLOUR, label="test loss")
    is_above_zero = (np.array([history.train_loss, history.test_loss]) > 0).any()
    axes.set(yscale="log" if is_above_zero else "linear", ylabel="loss")
    axes.legend(frameon=False, ncols=2, fontsize="small")


def _draw_embeddings(axes: Axes, history: History) -> None:
    """One line for each symbol; of several dimensions the first is shown."""
    first = history.embeddings[:, :, 0]
    for colour, line in zip(sns.color_palette("viridis", first.shape[1]), first.T, strict=True):
        axes.plot(history.update, line, color=colour, linewidth=1.2)
    several = history.embeddings.shape[2] > 1
    axes.set(ylabel="embeddings (first dimension)" if several else "embeddings")
