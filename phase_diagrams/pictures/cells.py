"""Pictures of a diagram's cells: their phases, and the steps to both thresholds."""

import numpy as np
from matplotlib import rc_context
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.figure import Figure

from effective_theory import InputError
from effective_theory.report import not_reached
from phase_diagrams.diagram import MOST_PANELS, PhaseDiagram
from phase_diagrams.drawing.layout import Look
from phase_diagrams.drawing.palette import colours_of
from phase_diagrams.drawing.plane import (
    HATCH,
    ORDER,
    PALE,
    Plane,
    draw_cells,
    draw_over,
    draw_phases,
    require_plane,
)
from phase_diagrams.drawing.style import STYLE, patch, phase_patches
from phase_diagrams.phases import Source
from phase_diagrams.sweeps.systems import ACCURACIES
from phase_diagrams.wording import seed_name

#: Drawn in maps of steps over cells that were not run.
_ABSENT = "#D0D0D0"


def plot_phases(diagram: PhaseDiagram, look: Look) -> Figure:
    """Draw the phase of each cell; see `phase_diagrams.pictures.door.Pictures`."""
    colours = colours_of(look.palette)
    _require_panels(diagram)
    seeds, phases = diagram.spec.seeds, diagram.phases
    plane = Plane.of(diagram.spec, swap=look.swap_axes)
    if look.ax is not None and len(seeds) > 1:
        raise InputError(
            f"ax holds one seed, this sweep has {len(seeds)}; choose one with sel(seed=..), "
            "or draw plot.majority(ax=..)."
        )
    with rc_context(STYLE):
        if len(seeds) == 1:
            figure, only = look.panel((6.4, 5.5))
            drawn, titles = [only], [look.titled("")]
        else:
            figure, drawn = look.panels(len(seeds), 4, (4.6, 3.96))
            titles = [seed_name(seed) for seed in seeds]
        for seed, (panel, title) in enumerate(zip(drawn, titles, strict=True)):
            inferred, predicted = (
                diagram.source[..., seed] == kind for kind in (Source.INFERRED, Source.PREDICTED)
            )
            cells = phases[..., seed]
            draw_phases(panel, plane, cells, colours, pale=inferred, hatched=predicted)
            panel.set_title(title)
        present = [phase for phase in ORDER if (phases == phase).any()]
        handles = phase_patches(present, colours)
        if (diagram.source == Source.INFERRED).any():
            handles.append(patch(ListedColormap([PALE])(0), "pale: inferred"))
        if (diagram.source == Source.PREDICTED).any():
            hatched = patch("#BBBBBB", "hatched: predicted")
            hatched.set(hatch=HATCH, edgecolor="white")
            handles.append(hatched)
        look.put_legend(figure, handles, 4 if len(handles) == len(present) <= 4 else 3)
    return figure


def plot_steps(diagram: PhaseDiagram, look: Look) -> Figure:
    """Draw the steps to both thresholds; see `phase_diagrams.pictures.door.Pictures.steps`."""
    _require_panels(diagram)
    plane = Plane.of(diagram.spec, swap=look.swap_axes)
    titles = tuple(diagram.spec.condition(side) for side in ACCURACIES)
    both = np.ma.stack([diagram.train_step, diagram.test_step])
    top = int(both.max()) if both.count() else 1
    low = max(1, int(both.min())) if both.count() else 1
    norm = LogNorm(low, max(top, low + 1))
    with rc_context(STYLE):
        figure, drawn = look.panels(2 * len(diagram.spec.seeds), 2, (4.6, 3.96))
        for place, panel in enumerate(drawn):
            seed, which = divmod(place, 2)
            # A crossing at update 0 has no logarithm; it is drawn as the first update.
            steps = np.ma.clip(both[which][..., seed], 1, None)
            draw_cells(panel, plane, steps, cmap="viridis_r", norm=norm)
            draw_over(panel, plane, ~diagram.measured[..., seed], _ABSENT)
            seed_title = _seed_title(diagram, seed)
            panel.set_title(f"{seed_title}, {titles[which]}" if seed_title else titles[which])
        bar = figure.colorbar(drawn[0].collections[0], ax=drawn, shrink=0.9)
        grey = "" if diagram.measured.all() else ";\ngrey: not measured"
        bar.set_label(f"{diagram.spec.system.unit}s (white: {not_within(diagram)}{grey})")
    return figure


def not_within(diagram: PhaseDiagram) -> str:
    """Return in words what it means that runs of a sweep did not reach a threshold."""
    budgets, unit = diagram.spec.budgets, diagram.spec.system.unit
    one = len(budgets) == 1
    text = not_reached(budgets[0], unit=unit) if one else "not within its budget"
    return f"{text}, or before it diverged" if diagram.diverged_step.count() else text


def _require_panels(diagram: PhaseDiagram) -> None:
    require_plane(diagram.spec.grid)
    if len(diagram.spec.seeds) > MOST_PANELS:
        raise InputError(
            f"a picture has panels for {MOST_PANELS} seeds, this sweep has "
            f"{len(diagram.spec.seeds)}; choose one with sel(seed=..), or draw the majority."
        )


def _seed_title(diagram: PhaseDiagram, seed: int) -> str:
    return seed_name(diagram.spec.seeds[seed]) if len(diagram.spec.seeds) > 1 else ""
