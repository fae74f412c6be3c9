"""The pictures of a diagram by name."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, get_args

from effective_theory import InputError
from phase_diagrams.diagram import PhaseDiagram

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: phases and steps are maps of the cells; lags, order and against are of all runs.
Picture = Literal["phases", "steps", "lags", "order", "against"]


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
    from phase_diagrams import distributions, plotting

    match kind:
        case "phases":
            yield kind, plotting.plot_phases(diagram, palette=palette)
        case "steps":
            yield kind, plotting.plot_steps(diagram)
        case "lags":
            yield kind, distributions.plot_lags(diagram, palette=palette)
        case "order":
            yield kind, distributions.plot_order(diagram, palette=palette)
        case "against":
            for axis in diagram.spec.grid:
                yield f"against-{axis}", distributions.plot_against(diagram, axis)
        case _:
            raise InputError(f"kind must be one of {', '.join(get_args(Picture))}, not {kind!r}.")
