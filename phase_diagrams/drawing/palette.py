"""Colours: of the phases, and of what pictures say beside them."""

from collections.abc import Iterable
from typing import Any, Literal

from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Patch

from effective_theory import InputError
from effective_theory.checks import shown
from phase_diagrams.phases import Phase

Palette = Literal["default", "paper"]
Colours = dict[Phase, str]

_NEUTRAL = {Phase.DIVERGED: "#C0392B", Phase.NOT_RUN: "#FFFFFF"}
#: Colours of the phases. "paper" is the published palette, whose first two nearly merge for
#: red-green colour-blind readers; the default raises their distance (Lab) from 12 to 44.
PALETTES: dict[Palette, Colours] = {
    "default": {
        Phase.COMPREHENSION: "#35B779",
        Phase.GROKKING: "#FDE725",
        Phase.MEMORIZATION: "#46327E",
        Phase.CONFUSION: "#1E1E1E",
        **_NEUTRAL,
    },
    "paper": {
        Phase.COMPREHENSION: "#A0DA39",
        Phase.GROKKING: "#FDE725",
        Phase.MEMORIZATION: "#46327E",
        Phase.CONFUSION: "#1E1E1E",
        **_NEUTRAL,
    },
}
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


def colours_of(palette: Palette) -> Colours:
    """Return the colours of a palette, or raise InputError if there is none of that name."""
    if not isinstance(palette, str) or palette not in PALETTES:
        raise InputError(f"palette must be one of {', '.join(PALETTES)}, not {shown(palette)}.")
    return PALETTES[palette]


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


def is_dark(colour: str) -> bool:
    """Return whether writing on a colour is white."""
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue < 140
