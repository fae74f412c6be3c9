"""Pictures of first crossings over all runs of a sweep: their lags, their order, their spread."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from effective_theory import InputError
from effective_theory.plotting import MEASURE_COLOURS
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.drawing.layout import Look
from phase_diagrams.drawing.palette import Palette, colours_of
from phase_diagrams.drawing.ticks import put_ticks
from phase_diagrams.phases import RUN_PHASES
from phase_diagrams.wording import place_name

if TYPE_CHECKING:
    import pandas as pd

#: Lags below this are drawn on a nearly linear scale, larger ones on a log scale.
_LINEAR_LAG = 10.0
#: Values of the other axis that have a panel of their own.
_MOST_PANELS = 6
#: Columns beside those of the axes, which may have any field's name.
_POSITION, _STEP, _THRESHOLD = " position", " step", " threshold"
#: Where the runs are drawn that never reached a threshold, side by side.
_BESIDE = {"train": 1.0, "test": 1.15, "rqi": 1.3}


def plot_lags(diagram: PhaseDiagram, look: Look) -> Figure:
    """Draw the distribution of lags; see `phase_diagrams.pictures.door.Pictures.lags`."""
    colours = _colours(look.palette)
    frame = diagram.to_frame().dropna(subset=["train_step", "test_step"])
    frame["lag"] = (frame["test_step"] - frame["train_step"]).astype(float)
    with sns.axes_style("ticks"):
        figure, axes = look.panel((6.4, 4))
        axes.set_xlim(-_LINEAR_LAG, 2 * diagram.spec.most_steps)
        if len(frame):
            bins = _lag_bins(frame["lag"], diagram.spec.lag)
            sns.histplot(
                data=frame, x="lag", hue="phase", bins=bins,
                multiple="stack", alpha=1, edgecolor="white", linewidth=0.4, ax=axes,
                hue_order=_present(frame), palette=colours, legend=look.legend,
            )  # fmt: skip
            if look.legend:
                sns.move_legend(axes, "best", title=None, frameon=False)
            axes.set_xlim(bins[0], bins[-1])
        axes.axvline(diagram.spec.lag, color="#444444", linestyle=":", linewidth=1)
        _scale_lags(axes)
        usual = f"{len(frame)} of {_measured(diagram)} runs reached both"
        axes.set(
            xlabel=f"lag of test after train accuracy, in {diagram.spec.system.unit}s",
            ylabel="runs",
            title=look.titled(usual),
        )
        axes.yaxis.set_major_locator(_counts())
        sns.despine(ax=axes)
    return figure


def plot_order(diagram: PhaseDiagram, look: Look) -> Figure:
    """Draw the order of the crossings; see `phase_diagrams.pictures.door.Pictures.order`."""
    colours = _colours(look.palette)
    frame = diagram.to_frame()
    frame = frame[frame["status"] != "not run"].copy()
    # Equal steps are named in this order.
    names = [name for name in ("rqi", "train", "test") if name in diagram.spec.system.measures]
    steps = frame[[f"{name}_step" for name in names]].itertuples(index=False)
    frame["order"] = [order(**dict(zip(names, crossings, strict=True))) for crossings in steps]
    commonest = frame["order"].value_counts().index.tolist()
    with sns.axes_style("ticks"):
        height = 1.3 + 0.36 * max(3, len(commonest))
        figure, axes = look.panel((6.4, height))
        if len(frame):
            frame["order"] = frame["order"].astype("category").cat.set_categories(commonest)
            sns.histplot(
                data=frame, y="order", hue="phase", multiple="stack", shrink=0.8, alpha=1,
                edgecolor="white", linewidth=0.4, ax=axes,
                hue_order=_present(frame), palette=colours, legend=look.legend,
            )  # fmt: skip
            if look.legend:
                sns.move_legend(axes, "best", title=None, frameon=False)
        usual = "order of the first crossings within the run"
        axes.set(xlabel="runs", ylabel="", title=look.titled(usual))
        axes.xaxis.set_major_locator(_counts())
        sns.despine(ax=axes)
    return figure


def order(**crossings: Any) -> str:
    """Return the order of a run's crossings, such as "RQI < train < test"; missing if never.

    Examples
    --------
    >>> order(rqi=933, train=1404, test=2097), order(rqi=None, train=7, test=7)
    ('RQI < train < test', 'train = test')
    >>> order(train=None, test=None)
    'none'
    """
    # Missing steps are None, and NA in a frame, whose type alone tells it.
    reached = sorted(
        (int(step), place, "RQI" if name == "rqi" else name)
        for place, (name, step) in enumerate(crossings.items())
        if isinstance(step, int | np.integer)
    )
    text = reached[0][2] if reached else "none"
    for (before, _, _), (step, _, name) in zip(reached, reached[1:], strict=False):
        text += f" {'=' if step == before else '<'} {name}"
    return text


def plot_against(diagram: PhaseDiagram, axis: str | None, look: Look) -> Figure:
    """Draw steps against one axis; see `phase_diagrams.pictures.door.Pictures.against`."""
    names = list(diagram.spec.grid)
    axis = names[0] if axis is None else axis
    if axis not in names:
        raise InputError(f"axis {axis!r} is not in this sweep; its axes are {', '.join(names)}.")
    if len(names) > 2:
        raise InputError(
            f"steps are drawn against one of one or two axes, this sweep has {len(names)} "
            f"({', '.join(names)}); choose a part of it."
        )
    others = [name for name in names if name != axis]
    values = diagram.spec.grid[others[0]].values if others else (None,)
    chosen = np.unique(np.linspace(0, len(values) - 1, min(len(values), _MOST_PANELS)).round())
    beyond = 2.0 * diagram.spec.most_steps
    frame = _long(diagram, axis, beyond)
    with sns.axes_style("ticks"):
        figure, drawn = look.panels(len(chosen), 3, (3.6, 2.9), (1.2, 0.6))
        for panel, place in zip(drawn, chosen.astype(int), strict=True):
            part, at = frame, ""
            if others:
                value = diagram.spec.system.written(others[0], values[place])
                part = frame[frame[others[0]] == value]
                at = place_name({others[0]: diagram.spec.grid[others[0]].texts[place]})
            _draw_against(panel, diagram, axis, part, beyond)
            panel.set_title(at, fontsize="medium")
        drawn[0].set_ylim(top=1.7 * beyond)
        if look.legend:
            handles, labels = drawn[0].get_legend_handles_labels()
            figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
        sns.despine(figure)
    return figure


def _draw_against(
    panel: Axes, diagram: PhaseDiagram, name: str, part: "pd.DataFrame", beyond: float
) -> None:
    """Draw one panel: a line for each threshold."""
    axis = diagram.spec.grid[name]
    system, measures = diagram.spec.system, diagram.spec.system.measures
    absent = f"not within the run (≤ {diagram.spec.most_steps} {system.unit}s)"
    panel.axhspan(0.85 * beyond, 1.7 * beyond, color="#EEEEEE", linewidth=0)
    panel.annotate(
        absent, (1, 1), xycoords="axes fraction", xytext=(-3, -2), ha="right", va="top",
        textcoords="offset points", color="#777777", fontsize="small",
    )  # fmt: skip
    if len(part):
        sns.lineplot(
            data=part, x=_POSITION, y=_STEP, hue=_THRESHOLD, ax=panel, legend="full",
            hue_order=[measure.label for measure in measures.values()],
            palette={measure.label: MEASURE_COLOURS[name] for name, measure in measures.items()},
            estimator=_median, errorbar=_range, marker="o", markersize=4, linewidth=1.4,
        )  # fmt: skip
        # One legend stands below all panels.
        panel.legend().remove()
    panel.set(yscale="log", ylabel=f"{system.unit}s", xlabel=system.label(name))
    if axis.scale == "log":
        panel.set_xscale("log")
    put_ticks(panel.xaxis, axis, upwards=False)
    panel.label_outer()


def _long(diagram: PhaseDiagram, axis: str, beyond: float) -> "pd.DataFrame":
    """Return one row for each run and threshold, with the step, or ``beyond``."""
    import pandas as pd

    frame = diagram.to_frame()
    frame = frame[frame["status"] != "not run"]
    system, swept = diagram.spec.system, diagram.spec.grid[axis]
    values = [system.written(axis, value) for value in swept.values]
    places = dict(zip(values, swept.positions, strict=True))
    frame[_POSITION] = [places[value] for value in frame[axis]]
    parts = []
    for name, measure in system.measures.items():
        part = frame[[*diagram.spec.grid, _POSITION]].copy()
        steps = frame[f"{name}_step"].astype("Float64").fillna(_BESIDE[name] * beyond)
        # A crossing at update 0 has no logarithm; it is drawn as the first update.
        part[_STEP] = steps.astype(float).clip(lower=1)
        part[_THRESHOLD] = measure.label
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _median(steps: Sequence[float]) -> float:
    """Return the middle run's step, of two the earlier: between a step and no step lies nothing."""
    return float(np.quantile(np.asarray(steps, float), 0.5, method="inverted_cdf"))


def _range(steps: Sequence[float]) -> tuple[float, float]:
    return float(np.min(steps)), float(np.max(steps))


def _counts() -> MaxNLocator:
    """Return where an axis of counts has its marks: at integers."""
    return MaxNLocator(integer=True)


def _scale_lags(axes: Axes) -> None:
    """Set a scale for lags, with marks at 0 and powers of ten."""
    low, high = axes.get_xlim()
    axes.set_xscale("asinh", linear_width=_LINEAR_LAG)
    powers = 10.0 ** np.arange(1, 8)
    marks = np.concatenate([-powers[::-1], [0.0], powers])
    marks = marks[(marks >= low) & (marks <= high)]
    axes.set_xticks(marks, [f"{mark:.0f}" for mark in marks])
    axes.set_xticks([], minor=True)
    axes.set_xlim(low, high)


def _lag_bins(lags: Any, lag: int) -> NDArray[np.float64]:
    """Bins of equal width on the axis, one of whose borders is the lag that counts as grokking."""
    low, high = np.arcsinh(np.array([min(lags) - 1.0, max(lags) + 1.0]) / _LINEAR_LAG)
    bins = _LINEAR_LAG * np.sinh(np.linspace(low, high, 31))
    if bins[0] < lag < bins[-1]:
        # The outermost borders stay: beyond them no run would be counted.
        bins[1 + np.abs(bins[1:-1] - lag).argmin()] = lag
    return np.asarray(bins, dtype=np.float64)


def _measured(diagram: PhaseDiagram) -> int:
    return int(diagram.measured.sum())


def _present(frame: "pd.DataFrame") -> list[str]:
    return [phase.label for phase in RUN_PHASES if (frame["phase"] == phase.label).any()]


def _colours(palette: Palette) -> dict[str, str]:
    return {phase.label: colour for phase, colour in colours_of(palette).items()}
