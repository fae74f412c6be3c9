"""The pictures of a diagram by name, as files."""

import itertools
import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from effective_theory import InputError
from effective_theory.files import OUR_PICTURE, save_figure
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.drawing.palette import Palette
from phase_diagrams.sweeps.spec import SweepSpec

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: phases, steps and majority are maps of the cells; lags, order and against are of all runs.
Kind = Literal["phases", "steps", "majority", "lags", "order", "against"]
Format = Literal["png", "pdf", "svg"]
_MAPS: tuple[Kind, ...] = ("phases", "steps", "majority")
#: Slices of a sweep with more than two axes that have pictures of their own.
MOST_SLICES = 12

#: Values of the axes at which a slice lies.
Slice = dict[str, Any]


def fitting(spec: SweepSpec) -> tuple[Kind, ...]:
    """Return the maps that a sweep, or each of its slices, has room for."""
    first = next(_slices(spec))
    part = PhaseDiagram(spec).sel(**first) if first else PhaseDiagram(spec)
    maps: tuple[Kind, ...] = ("phases", "steps") if part.fits_a_picture else ()
    return (*maps, "majority") if part.fits_a_majority_picture else maps


def left_out(spec: SweepSpec) -> str | None:
    """Return in a sentence which slices have no picture of their own; None if all have."""
    beyond = next(itertools.islice(_slices(spec), MOST_SLICES, None), None)
    if beyond is None:
        return None
    count = math.prod(spec.shape[2:-1]) - MOST_SLICES
    at = ",".join(f"{name}={text}" for name, text in _texts(spec, beyond).items())
    return f"{count} more slices have no picture; for one of them: plot --at {at}"


def save_pictures(
    diagram: PhaseDiagram,
    kinds: Iterable[Kind],
    out: Path,
    *,
    palette: Palette = "default",
    format: Format = "png",
    part: str = "",
) -> list[Path]:
    """Write pictures into a folder and return their paths.

    Parameters
    ----------
    diagram
        A sweep; of more than two axes each slice has its own maps, up to MOST_SLICES.
    kinds
        What is drawn.
    out
        The folder.
    palette, format
        Colours of the phases, and ending of the files.
    part
        What part of a sweep the diagram is, in the names of the files.
    """
    paths = []
    for kind in kinds:
        for name, figure in pictures(diagram, kind, palette):
            paths.append(out / f"{name}{part}.{format}")
            save_figure(figure, paths[-1], str(diagram.spec))
    return paths


def picture_paths(
    spec: SweepSpec, kinds: Iterable[Kind], out: Path, format: Format = "png", part: str = ""
) -> list[Path]:
    """Return the paths that `save_pictures` writes."""
    return [out / f"{name}{part}.{format}" for kind in kinds for name in _names(spec, kind)]


def remove_pictures(out: Path) -> None:
    """Remove the maps that an earlier sweep left in a folder: they could pass for another's."""
    for kind in _MAPS:
        for path in (out / f"{kind}.png", *out.glob(f"{kind}-*=*.png")):
            if OUR_PICTURE.is_that_of(path):
                path.unlink()


def pictures(
    diagram: PhaseDiagram, kind: Kind, palette: Palette = "default"
) -> "Iterator[tuple[str, Figure]]":
    """Yield the pictures of a kind, each with its name.

    "against" has one for each axis, a map one for each slice of a sweep with more than two.

    Raises
    ------
    InputError
        If there is no such kind, or it cannot show this sweep.
    """
    plot = diagram.plot
    match kind:
        case "phases" | "steps" | "majority":
            for name, place in zip(_names(diagram.spec, kind), _drawn(diagram.spec), strict=True):
                part = diagram.sel(**place) if place else diagram
                yield name, _map(part, kind, palette)
        case "lags":
            yield kind, plot.lags(palette=palette)
        case "order":
            yield kind, plot.order(palette=palette)
        case "against":
            for name, axis in zip(_names(diagram.spec, kind), diagram.spec.grid, strict=True):
                yield name, plot.against(axis)
        case _:
            raise InputError(f"kind must be one of {', '.join(get_args(Kind))}, not {kind!r}.")


def file_part(values: dict[str, str]) -> str:
    """Return a part of a sweep as the end of a file's name, such as "-batch_size=15".

    Examples
    --------
    >>> file_part({"batch_size": "full batch", "decoder_lr": "1e-05"})
    '-batch_size=full-batch-decoder_lr=1e-05'
    """
    allowed = {name: re.sub(r"[^\w.+-]+", "-", value) for name, value in values.items()}
    return "".join(f"-{name}={value}" for name, value in allowed.items())


def _map(diagram: PhaseDiagram, kind: Kind, palette: Palette) -> "Figure":
    if kind == "phases":
        return diagram.plot(palette=palette)
    return diagram.plot.steps() if kind == "steps" else diagram.plot.majority(palette=palette)


def _slices(spec: SweepSpec) -> Iterator[Slice]:
    """Yield where the planes of a sweep's first two axes lie; nowhere where it is one plane."""
    further = dict(list(spec.grid.items())[2:])
    for place in itertools.product(*(axis.values for axis in further.values())):
        yield dict(zip(further, place, strict=True))


def _drawn(spec: SweepSpec) -> Iterator[Slice]:
    return itertools.islice(_slices(spec), MOST_SLICES)


def _texts(spec: SweepSpec, place: Slice) -> dict[str, str]:
    return {name: spec.grid[name].text(value) for name, value in place.items()}


def _names(spec: SweepSpec, kind: Kind) -> list[str]:
    """Return the names of a kind's files, without their ending."""
    if kind == "against":
        return [f"against-{axis}" for axis in spec.grid]
    if kind in _MAPS:
        return _apart([f"{kind}{file_part(_texts(spec, place))}" for place in _drawn(spec)])
    return [kind]


def _apart(names: list[str]) -> list[str]:
    """Return the names with numbers behind those that stand for another value already."""
    taken: dict[str, None] = {}
    for name in names:
        numbered = (f"{name}-{number}" for number in itertools.count(2))
        taken[next(free for free in itertools.chain([name], numbered) if free not in taken)] = None
    return list(taken)
