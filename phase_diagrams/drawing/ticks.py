"""Ticks of an axis: at the swept values, and written at as many as there is room for."""

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
    drawn.set_major_formatter(FixedFormatter([texts[place] for place in places]))
    between = positions.tolist() if len(axis) <= _MOST_TICKS else []
    drawn.set_minor_locator(FixedLocator(between) if between else NullLocator())
    drawn.set_minor_formatter(NullFormatter())


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
    texts = tick_texts(axis)
    fitting = [
        places
        for step in range(1, len(texts) + 1)
        for places in (list(range(first, len(texts), step)) for first in range(step))
        if _fit([texts[k] for k in places], upwards)
    ]
    most = max(map(len, fitting))
    if most == len(texts):
        return fitting[0]
    # Of equal ones the first, which are the most and start with the axis' first value.
    enough = [places for places in fitting if len(places) >= min(most, _ENOUGH)]
    return min(enough, key=lambda places: _mean_length([texts[k] for k in places]))


def _fit(texts: list[str], upwards: bool) -> bool:
    if upwards:
        return len(texts) <= _MOST_UPWARDS
    return sum(len(text) + 2 for text in texts) <= _MOST_CHARACTERS


def _mean_length(texts: list[str]) -> float:
    return sum(map(len, texts)) / len(texts)
