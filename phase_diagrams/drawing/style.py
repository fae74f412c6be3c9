"""What pictures of cells share in Matplotlib: settings, maps of shares, parts of legends."""

from collections.abc import Iterable
from typing import Any

from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Patch

from phase_diagrams.drawing.palette import Colours
from phase_diagrams.phases import Phase

#: What maps of cells share, as matplotlib's settings: seaborn, which would take as long to load as
#: all else, is for pictures of distributions.
STYLE: Any = {
    "axes.edgecolor": "#444444",
    "axes.facecolor": "white",
    "axes.grid": False,
    "axes.labelcolor": "#262626",
    "axes.titlesize": "medium",
    "figure.facecolor": "white",
    "patch.edgecolor": "white",
    "patch.force_edgecolor": True,
    "text.color": "#262626",
    "xtick.color": "#262626",
    "ytick.color": "#262626",
}
#: Lines over cells; cells of which nothing is known.
LINE, UNKNOWN = "#1E1E1E", "#DDDDDD"
_RIM = "#444444"


def shares_to(colour: Any) -> LinearSegmentedColormap:
    """Return a map of shares, from white at 0 to a colour at 1; grey where there is none."""
    shares = LinearSegmentedColormap.from_list("share", ["#FFFFFF", colour])
    return shares.with_extremes(bad=UNKNOWN)  # type: ignore[return-value]


def differing() -> LinearSegmentedColormap:
    """Return the map of the share of labels that differ."""
    return shares_to("#C0392B")


def phase_patches(phases: Iterable[Phase], colours: Colours) -> list[Any]:
    """Return what a legend shows for some phases."""
    return [patch(colours[phase], phase.label) for phase in phases]


def patch(colour: Any, label: str) -> Patch:
    """Return what a legend shows for cells of a colour."""
    return Patch(facecolor=colour, edgecolor=_RIM, label=label)
