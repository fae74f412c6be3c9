"""What the commands that read a store share."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.spec import SweepSpec
from phase_diagrams.store import Store
from phase_diagrams.sweeping import load


@dataclass(frozen=True)
class StoredSweep:
    """What the commands that read one stored sweep share."""

    store: Annotated[Path, tyro.conf.Positional]
    """Store of finished runs."""
    name: str | None = None
    """Name of the sweep, where the store holds several."""
    engine: str | None = None
    """Identity of the engine whose runs to read (default: the simulator)."""

    def spec(self) -> SweepSpec:
        """Return the chosen sweep, whose runs are not read yet."""
        with Store(self.store, create=False) as kept:
            return kept.spec(self.name)[1]

    def load(self) -> PhaseDiagram:
        """Return the diagram of the chosen sweep."""
        return load(self.store, self.name, engine=self.engine)[1]
