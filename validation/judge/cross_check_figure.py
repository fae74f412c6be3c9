"""The picture of a cross-check."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from validation.judge.trajectory import Trajectory

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STYLES = {"PyTorch float64": ("0.6", "-", 4.0), "PyTorch": ("C0", "-", 1.5)}
_STYLES["simulator"] = ("C1", "--", 1.5)


def plot_cross_check(
    update: NDArray[np.int64],
    runs: Mapping[str, Trajectory],
    exact: Trajectory,
    takeover: int | None,
) -> "Figure":
    """Draw loss, RQI, embeddings and distances from the exact run against the update number."""
    from effective_theory.figures import Picture

    figure = Picture(figsize=(9.0, 6.5), layout="constrained")
    loss, rqi, embeddings, distance = figure.subplots(2, 2, sharex=True).flat
    for name, run in runs.items():
        colour, dashes, width = _STYLES[name]
        style = {"color": colour, "linestyle": dashes, "linewidth": width}
        loss.plot(update, run.train_loss, label=name, **style)
        rqi.plot(update, run.rqi, **style)
        embeddings.plot(update, run.embeddings[:, :, 0], **style)
        if run is not exact:
            off = run.distance(exact)
            distance.plot(update[off > 0.0], off[off > 0.0], **style)
    for axes in (loss, distance):
        # Runs that are the same bit for bit have nothing that a logarithm can show.
        if any((np.asarray(line.get_ydata()) > 0.0).any() for line in axes.lines):
            axes.set_yscale("log")
    if takeover is not None:
        for axes in (loss, rqi, embeddings, distance):
            axes.axvline(takeover, color="0.3", linestyle=":", linewidth=1.0)
        distance.set_title(f"rounding takes over at update {takeover}", fontsize="medium")
    for axes, text in (
        (loss, "train loss"),
        (rqi, "RQI"),
        (embeddings, "embeddings, first dimension"),
        (distance, "relative distance from float64"),
    ):
        axes.set_ylabel(text)
        axes.set_xscale("symlog", linthresh=1.0)
        axes.set_xlim(0, update[-1])
    rqi.set_ylim(-0.02, 1.02)
    for axes in (embeddings, distance):
        axes.set_xlabel("update")
    loss.legend(frameon=False)
    return figure
