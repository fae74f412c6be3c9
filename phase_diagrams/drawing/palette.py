"""Colours of the phases; nothing here loads Matplotlib."""

from typing import Literal

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


def colours_of(palette: Palette) -> Colours:
    """Return the colours of a palette, or raise InputError if there is none of that name."""
    if not isinstance(palette, str) or palette not in PALETTES:
        raise InputError(f"palette must be one of {', '.join(PALETTES)}, not {shown(palette)}.")
    return PALETTES[palette]


def is_dark(colour: str) -> bool:
    """Return whether writing on a colour is white."""
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue < 140
