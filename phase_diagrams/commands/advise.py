"""``advise``: the nearest settings that comprehend, for a run that does not."""

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from effective_theory import InputError, ToyModel
from phase_diagrams.advice.advising import advise, asked_cell
from phase_diagrams.commands.parsing import parse_seeds, parse_value
from phase_diagrams.commands.stored import StoredSweep
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.sweeps.spec import MODEL_FIELDS, SweepSpec

if TYPE_CHECKING:
    AxisValues = Any
else:
    #: One text for each field that can be an axis, empty where it is not given.
    AxisValues = dataclasses.make_dataclass(
        "AxisValues",
        [(name, str, "") for name in (*MODEL_FIELDS, "train_size")],
        frozen=True,
        namespace={"__doc__": ToyModel.__doc__},
    )


@dataclass(frozen=True)
class Advise(StoredSweep):
    """Say how to make a run comprehend: the nearest settings that do, and what they gain.

    Give a value for each axis of the sweep, such as --decoder-lr 3e-5 --decoder-weight-decay 4.
    """

    seed: str | None = None
    """The seed that counts, such as 0 or 0/1 (default: all of the sweep)."""
    asked: AxisValues = field(default_factory=AxisValues)

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
