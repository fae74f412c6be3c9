"""``advise``: the nearest settings that comprehend, for a run that does not."""

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from effective_theory import InputError
from phase_diagrams.advice.advising import advise, asked_cell
from phase_diagrams.commands.parsing import parse_seeds, parse_value
from phase_diagrams.commands.stored import StoredSweep
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.sweeps.registry import SYSTEMS, first_system
from phase_diagrams.sweeps.spec import SweepSpec


@dataclass(frozen=True)
class Advise(StoredSweep):
    """Say how to make a run comprehend: the nearest settings that do, and what they gain.

    Give a value for each axis of the sweep, such as --decoder-lr 3e-5 --decoder-weight-decay 4.
    """

    seed: str | None = None
    """The seed that counts, such as 0 or 0/1 (default: all of the sweep)."""

    if TYPE_CHECKING:

        @property
        def asked(self) -> Any:
            """Texts of values by field, empty where not given; `advise_options` adds them."""

    def run(self) -> None:
        """Print the advice."""
        values = {n: parse_value(text) for n, text in vars(self.asked).items() if text}
        seeds = parse_seeds(self.seed) if self.seed is not None else [None]
        if len(seeds) != 1:
            raise InputError(f"seed must be one seed, not {self.seed}.")

        def check(spec: SweepSpec) -> None:
            asked_cell(spec, values)
            if seeds[0] is not None:
                PhaseDiagram(spec).seed_index(seeds[0])

        print(advise(self.load(check), seeds[0], **values))


def advise_options() -> type[Advise]:
    """Return the command with an option for each field that can be an axis, of any system."""
    own = {each.name for each in dataclasses.fields(Advise)}
    names = dict.fromkeys(
        ["train_size", *(name for one in SYSTEMS.values() for name in one.fields)]
    )
    values = dataclasses.make_dataclass(
        "AxisValues",
        # One text for each, empty where it is not given.
        [(name, str, "") for name in names if name not in own],
        namespace={"__doc__": first_system().settings.__doc__},
        frozen=True,
    )
    return dataclasses.make_dataclass(
        Advise.__name__,
        [("asked", values, field(default_factory=values))],
        bases=(Advise,),
        namespace={"__doc__": Advise.__doc__},
        frozen=True,
    )
