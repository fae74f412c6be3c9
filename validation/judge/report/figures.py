"""The pictures of a report."""

from collections.abc import Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from effective_theory.plotting import TEST_COLOUR, TRAIN_COLOUR
from phase_diagrams.drawing.palette import PALETTES
from phase_diagrams.drawing.plane import Plane, draw_cells, draw_phases
from phase_diagrams.drawing.style import STYLE, differing
from phase_diagrams.pictures.cells import not_within
from validation.judge.engine_agreement import EngineAgreement
from validation.judge.nudged_runs import steps_of

_OUTLINE = "#D95F0E"
#: Beyond them single cells are too small to be seen.
_MOST_SEEDS = 4


def plot_agreement(agreement: EngineAgreement) -> Figure:
    """Draw both diagrams and how far the nudged starts' labels differ, a row for each seed.

    The third panel is how undecided each engine's own labels are over the nudged starts, the last
    how far the two engines' frequencies of labels are apart; stable cells are outlined.
    """
    seeds = range(min(len(agreement.simulator.spec.seeds), _MOST_SEEDS))
    with rc_context(STYLE):
        figure = Figure(figsize=(17.0, 4.3 * len(seeds)), layout="constrained")
        rows = figure.subplots(len(seeds), 4, squeeze=False, sharex=True, sharey=True)
        for seed, panels in zip(seeds, rows, strict=True):
            _draw_phases(panels[:2], agreement, seed)
            _draw_nudged(panels[2:], agreement, seed)
        bar = figure.colorbar(rows[0][3].collections[0], ax=rows[:, 3], shrink=0.9)
        bar.set_label(f"share of {agreement.nudges} nudged starts")
    return figure


def _draw_phases(panels: Sequence[Axes], agreement: EngineAgreement, seed: int) -> None:
    """Draw both diagrams from identical starts."""
    seeds = agreement.simulator.spec.seeds
    which = f", seeds {seeds[seed][0]}/{seeds[seed][1]}" if len(seeds) > 1 else ""
    diagrams = (agreement.simulator, agreement.pytorch)
    for panel, diagram, name in zip(panels, diagrams, agreement.comparison.names, strict=True):
        plane = Plane.of(diagram.spec)
        draw_phases(panel, plane, diagram.phases[..., seed], PALETTES["default"])
        panel.set_title(name + which)


def _draw_nudged(panels: Sequence[Axes], agreement: EngineAgreement, seed: int) -> None:
    """Draw how labels differ by a nudge, and between the engines."""
    shares = {
        "labels of one engine that differ by a nudge": agreement.nudged.uncertainty,
        "distance between the two engines' labels": agreement.nudged.distance,
    }
    plane = Plane.of(agreement.simulator.spec)
    for panel, (title, share) in zip(panels, shares.items(), strict=True):
        draw_cells(panel, plane, share[..., seed], cmap=differing(), vmin=0, vmax=1)
        panel.set_title(title)
        _outline(panel, agreement, seed)


def _outline(panel: Axes, agreement: EngineAgreement, seed: int) -> None:
    """Draw a line around the stable cells."""
    stable = agreement.stable[..., seed]
    if not stable.any():
        return
    plane = Plane.of(agreement.simulator.spec)
    grid = plane.arrange(stable)
    rows, columns = np.flatnonzero(grid.any(axis=1)), np.flatnonzero(grid.any(axis=0))
    left, right = plane.x.edges[columns[0]], plane.x.edges[columns[-1] + 1]
    low, high = plane.y.edges[rows[0]], plane.y.edges[rows[-1] + 1]
    panel.plot(
        [left, right, right, left, left], [low, low, high, high, low], color=_OUTLINE, linewidth=2
    )


def plot_step_scatter(agreement: EngineAgreement) -> Figure:
    """Draw PyTorch's steps against the simulator's, from identical starts.

    At the edge are runs that did not reach the threshold.
    """
    with rc_context(STYLE):
        figure = Figure(figsize=(5.2, 5.0), layout="constrained")
        panel = figure.subplots()
        edge = 1.6 * agreement.simulator.spec.model.steps
        every = [steps_of(agreement.simulator, name) for name in ("train", "test")]
        low = max(1.0, 0.6 * min(steps.min() for steps in every))
        low = min(low, edge / 10)
        panel.plot([low, edge], [low, edge], color="#BBBBBB", linewidth=1)
        for name, colour, marker in (("train", TRAIN_COLOUR, "o"), ("test", TEST_COLOUR, "s")):
            a, b = (
                np.clip(steps_of(diagram, name).ravel(), low, edge)
                for diagram in (agreement.simulator, agreement.pytorch)
            )
            panel.plot(
                a, b, marker, color=colour, markersize=4, alpha=0.7, fillstyle="none",
                label=f"{name} step",
            )  # fmt: skip
        panel.set(
            xscale="log", yscale="log", xlabel="simulator, updates", ylabel="PyTorch, updates"
        )
        for axis in (panel.axhline, panel.axvline):
            axis(edge, color="#BBBBBB", linewidth=1, linestyle=":")
        absent = not_within(agreement.simulator)
        panel.text(edge, low, absent, rotation=90, ha="right", va="bottom", color="#777777")
        panel.text(low, edge, absent, ha="left", va="top", color="#777777")
        panel.legend(frameon=False, loc="center right")
    return figure
