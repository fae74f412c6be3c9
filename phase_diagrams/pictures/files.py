"""The pictures of a diagram by name."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from effective_theory import InputError
from effective_theory.files import save_figure
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.sweeps.spec import SweepSpec

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: phases, steps and majority are maps of the cells; lags, order and against are of all runs.
Picture = Literal["phases", "steps", "majority", "lags", "order", "against"]
MAPS: tuple[Picture, ...] = ("phases", "steps", "majority")


def fitting(diagram: PhaseDiagram) -> tuple[Picture, ...]:
    """Return the maps of cells that a sweep has: none with more than two axes."""
    maps: tuple[Picture, ...] = ("phases", "steps") if diagram.fits_a_picture else ()
    return (*maps, "majority") if diagram.fits_a_majority_picture else maps


def save_pictures(
    diagram: PhaseDiagram,
    kinds: Iterable[Picture],
    out: Path,
    palette: Literal["default", "paper"] = "default",
) -> list[Path]:
    """Write pictures into a folder and return their paths."""
    written = []
    for kind in kinds:
        for name, figure in pictures(diagram, kind, palette):
            written.append(out / f"{name}.png")
            save_figure(figure, written[-1], str(diagram.spec))
    return written


def picture_paths(spec: SweepSpec, kinds: Iterable[Picture], out: Path) -> list[Path]:
    """Return the paths that `save_pictures` writes."""
    names = [
        name
        for kind in kinds
        for name in ([f"against-{axis}" for axis in spec.grid] if kind == "against" else [kind])
    ]
    return [out / f"{name}.png" for name in names]


def pictures(
    diagram: PhaseDiagram, kind: Picture, palette: Literal["default", "paper"] = "default"
) -> "Iterator[tuple[str, Figure]]":
    """Yield the pictures of a kind, each with its name: "against" has one for each axis.

    Parameters
    ----------
    diagram
        A sweep.
    kind
        What is drawn.
    palette
        Colours of the phases.

    Raises
    ------
    InputError
        If there is no such kind, or it cannot show this sweep.
    """
    from phase_diagrams.pictures import cells as plotting
    from phase_diagrams.pictures import crossings as distributions
    from phase_diagrams.pictures import over_seeds as majority_plotting

    match kind:
        case "phases":
            yield kind, plotting.plot_phases(diagram, palette=palette)
        case "steps":
            yield kind, plotting.plot_steps(diagram)
        case "majority":
            yield kind, majority_plotting.plot_majority(diagram, palette=palette)
        case "lags":
            yield kind, distributions.plot_lags(diagram, palette=palette)
        case "order":
            yield kind, distributions.plot_order(diagram, palette=palette)
        case "against":
            for axis in diagram.spec.grid:
                yield f"against-{axis}", distributions.plot_against(diagram, axis)
        case _:
            raise InputError(f"kind must be one of {', '.join(get_args(Picture))}, not {kind!r}.")
