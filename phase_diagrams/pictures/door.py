"""The one door from a diagram to its pictures: ``diagram.plot()``, ``diagram.plot.majority()``..

Pictures of distributions and pages need seaborn, which is loaded when one is asked for.
"""

from collections.abc import Collection
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from effective_theory.checks import RandomSource
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.drawing.layout import Look, Size
from phase_diagrams.drawing.palette import Palette
from phase_diagrams.phases import GENERALISING, Phase
from phase_diagrams.pictures.cells import plot_phases, plot_steps
from phase_diagrams.pictures.over_seeds import plot_boundary, plot_majority
from phase_diagrams.statistics.boundaries import Direction


class Pictures:
    """The pictures of a diagram, as ``diagram.plot`` offers them.

    Maps of cells have one or two axes; of a sweep with more choose a part, as by
    ``diagram.sel(batch_size=15)``. The first of two axes goes upwards, the second to the right.
    All but `page` return a Matplotlib figure, which pyplot does not know: a notebook shows it as a
    cell's result, ``figure.savefig(..)`` writes it.

    Parameters that pictures share:

    ax
        Matplotlib axes to draw on, where the picture is a single panel; by default a new figure.
    title
        In place of the picture's own title.
    figsize
        Width and height of a new figure, in inches.
    palette
        Colours of the phases: "default" (safe for colour-blind readers) or "paper".
    swap_axes
        Draw the first axis to the right and the second upwards.
    legend
        Whether there is a legend.
    """

    def __init__(self, diagram: PhaseDiagram) -> None:
        self._diagram = diagram

    def __repr__(self) -> str:
        """Return what can be drawn."""
        names = [name for name in vars(type(self)) if not name.startswith("_")]
        return f"diagram.plot(), diagram.plot.{'(), .'.join(names)}()"

    def __call__(
        self,
        *,
        ax: Axes | None = None,
        title: str | None = None,
        figsize: Size | None = None,
        palette: Palette = "default",
        swap_axes: bool = False,
        legend: bool = True,
    ) -> Figure:
        """Draw the phase of each cell, one panel for each seed.

        Inferred cells are pale, predicted ones hatched. Phase names stand in their largest region,
        or in the legend where no region is large enough.

        Raises
        ------
        InputError
            If the sweep has more than two axes, too many seeds, several seeds for one ``ax``, or
            the palette is unknown.

        Examples
        --------
        ``diagram.plot(title="full batch").savefig("phases.pdf")``
        """
        look = Look(ax, title, figsize, palette, swap_axes, legend)
        return plot_phases(self._diagram, look)

    def steps(
        self,
        *,
        title: str | None = None,
        figsize: Size | None = None,
        swap_axes: bool = False,
    ) -> Figure:
        """Draw the updates until train and test accuracy reach their thresholds, as heat maps.

        White cells never reached it within their run; grey ones were not measured.

        Raises
        ------
        InputError
            If the sweep has more than two axes or too many seeds.
        """
        look = Look(title=title, figsize=figsize, swap_axes=swap_axes)
        return plot_steps(self._diagram, look)

    def majority(
        self,
        *,
        confidence: float = 0.95,
        ax: Axes | None = None,
        title: str | None = None,
        figsize: Size | None = None,
        palette: Palette = "default",
        swap_axes: bool = False,
        legend: bool = True,
    ) -> Figure:
        """Draw the commonest phase of each cell over all seeds.

        The paler a colour, the smaller the share of the runs in that phase. Cells with a dot are
        not certain: the interval of the share does not lie above 1/2. Ties show a stripe for each
        phase. A name that would cover a dot is left to the legend.

        Parameters
        ----------
        confidence
            Coverage of the interval, between 0 and 1.
        ax, title, figsize, palette, swap_axes, legend
            As in all pictures (`Pictures`).

        Raises
        ------
        InputError
            If the sweep has more than two axes, the confidence is out of range, or the palette is
            unknown.
        """
        look = Look(ax, title, figsize, palette, swap_axes, legend)
        return plot_majority(self._diagram, look, confidence)

    def boundary(
        self,
        along: str,
        *,
        rng: RandomSource,
        of: Phase | str | Collection[Phase | str] = GENERALISING,
        level: float = 0.5,
        direction: Direction = "any",
        confidence: float = 0.95,
        resamples: int = 999,
        ax: Axes | None = None,
        title: str | None = None,
        figsize: Size | None = None,
        palette: Palette = "default",
        swap_axes: bool = False,
        legend: bool = True,
    ) -> Figure:
        """Draw the share of seeds in some phases, and where it crosses a level, with its band.

        Where it crosses nowhere the picture says why.

        Parameters
        ----------
        along, rng, of, level, direction, confidence, resamples
            As for ``diagram.boundary``.
        ax, title, figsize, palette, swap_axes, legend
            As in all pictures (`Pictures`).

        Raises
        ------
        InputError
            If ``diagram.boundary`` refuses an argument, or the sweep has more than two axes.
        """
        edge = self._diagram.boundary(
            along, rng=rng, of=of, level=level, direction=direction, confidence=confidence,
            resamples=resamples,
        )  # fmt: skip
        look = Look(ax, title, figsize, palette, swap_axes, legend)
        return plot_boundary(self._diagram, [edge], look)

    def lags(
        self,
        *,
        ax: Axes | None = None,
        title: str | None = None,
        figsize: Size | None = None,
        palette: Palette = "default",
        legend: bool = True,
    ) -> Figure:
        """Draw the distribution of lags, test_step - train_step, of the runs that reached both.

        The axis is linear near 0, as test may come before train, and logarithmic beyond. A dotted
        line is the lag from which a run counts as grokking.

        Raises
        ------
        InputError
            If the palette is unknown.
        """
        from phase_diagrams.pictures.crossings import plot_lags

        look = Look(ax, title, figsize, palette, legend=legend)
        return plot_lags(self._diagram, look)

    def order(
        self,
        *,
        ax: Axes | None = None,
        title: str | None = None,
        figsize: Size | None = None,
        palette: Palette = "default",
        legend: bool = True,
    ) -> Figure:
        """Draw in how many runs RQI, train and test accuracy were reached in which order.

        A bar names what was reached before the run ended, first crossing first.

        Raises
        ------
        InputError
            If the palette is unknown.
        """
        from phase_diagrams.pictures.crossings import plot_order

        look = Look(ax, title, figsize, palette, legend=legend)
        return plot_order(self._diagram, look)

    def against(
        self,
        axis: str | None = None,
        *,
        title: str | None = None,
        figsize: Size | None = None,
        legend: bool = True,
    ) -> Figure:
        """Draw the updates to each threshold against one axis: median and range over the seeds.

        A run that never reached a threshold counts as later than all that did, in the grey band. Of
        a second axis up to six values are shown, each in its panel.

        Parameters
        ----------
        axis
            The axis that goes to the right; None for the first.
        title, figsize, legend
            As in all pictures (`Pictures`).

        Raises
        ------
        InputError
            If the sweep has more than two axes, or no axis of this name.
        """
        from phase_diagrams.pictures.crossings import plot_against

        look = Look(title=title, figsize=figsize, legend=legend)
        return plot_against(self._diagram, axis, look)

    def page(self, path: str | Path, *, palette: Palette = "default") -> None:
        """Write a page for a browser, in which pointing at a cell shows its run.

        Further axes and seeds have selectors. A click on a cell keeps its run in view, and a click
        beside the cells releases it.

        Parameters
        ----------
        path
            The HTML file.
        palette
            As in all pictures (`Pictures`).

        Raises
        ------
        InputError
            If Bokeh is not installed, the diagram has no store, the page would be too large or
            cannot be written.
        """
        from phase_diagrams.page import save_page

        save_page(self._diagram, path, palette=palette)
