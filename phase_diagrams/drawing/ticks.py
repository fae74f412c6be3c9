"""Ticks of an axis: at the swept values, and written at as many as there is room for."""

import numpy as np
from matplotlib.axis import Axis as DrawnAxis
from matplotlib.ticker import FixedFormatter, FixedLocator, NullFormatter, NullLocator

from phase_diagrams.sweeps.axes import Axis

#: Values with a tick; of more, single ticks could not be told apart.
_MOST_TICKS = 60
#: Written values upwards, and characters of all written values to the right.
_MOST_UPWARDS, _MOST_CHARACTERS = 12, 38
#: Written values that show a scale.
_ENOUGH = 4


def put_ticks(drawn: DrawnAxis, axis: Axis, *, upwards: bool) -> None:
    """Put ticks at the values of an axis, and write those that there is room for."""
    places = written_places(axis, upwards=upwards)
    texts = tick_texts(axis)
    positions = axis.positions
    drawn.set_major_locator(FixedLocator(positions[places].tolist()))
    drawn.set_major_formatter(FixedFormatter([_shortened(texts[place]) for place in places]))
    between = positions.tolist() if len(axis) <= _MOST_TICKS else []
    drawn.set_minor_locator(FixedLocator(between) if between else NullLocator())
    drawn.set_minor_formatter(NullFormatter())


def _shortened(text: str) -> str:
    """Return a text that alone has no room with its middle left out."""
    half = (_MOST_CHARACTERS - 3) // 2
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:half]}...{text[-half:]}"


def tick_texts(axis: Axis) -> list[str]:
    """Return the values as ticks show them: of three digits where that tells them apart."""
    both = zip(axis.values, axis.texts, strict=True)
    short = [f"{value:.3g}" if isinstance(value, float) else text for value, text in both]
    return short if len(set(short)) == len(short) else list(axis.texts)


def written_places(axis: Axis, *, upwards: bool) -> list[int]:
    """Return the places whose values are written: all, or some that are equally far apart.

    Of those for which there is room it takes the ones with the shortest texts, and does without a
    few for them: 1e-5, 1e-4, .. of decades that are divided in five.
    """
    lengths = np.array([len(text) for text in tick_texts(axis)])
    everything = np.arange(len(lengths))
    # Mean length, step from one written place to the next, first place and number of places.
    fitting: list[tuple[float, int, int, int]] = []
    needed = 0
    for step in range(1, len(lengths) + 1):
        if -(-len(lengths) // step) < needed:
            break
        counts = np.bincount(everything % step)
        characters = np.bincount(everything % step, weights=lengths)
        fit = counts <= _MOST_UPWARDS if upwards else characters + 2 * counts <= _MOST_CHARACTERS
        if step == 1 and fit[0]:
            return everything.tolist()
        for first in np.flatnonzero(fit).tolist():
            count = int(counts[first])
            fitting.append((float(characters[first]) / count, step, first, count))
            needed = max(needed, min(count, _ENOUGH))
    # Of equally short ones the first, which are the most and start with the axis' first value; the
    # very first place where none has room.
    enough = (each for each in fitting if each[-1] >= needed)
    _, step, first, _ = min(enough, default=(0.0, len(lengths), 0, 1))
    return list(range(first, len(lengths), step))
