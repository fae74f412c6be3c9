"""What the commands that read a store share."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from effective_theory import InputError
from phase_diagrams.commands.parsing import parse_place
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.loading import stored_diagram
from phase_diagrams.runs.store import Store
from phase_diagrams.sweeps.spec import SweepSpec


def require_table(table: Path | None, table_steps: int | None) -> None:
    """Raise InputError where the budget of a published table is given, and no table."""
    if table_steps is not None and table is None:
        raise InputError("table_steps is the budget of a table; name it with --table.")


@dataclass(frozen=True)
class StoredSweep:
    """What the commands that read one stored sweep share."""

    store: Annotated[Path, tyro.conf.Positional]
    """Store of finished runs."""
    name: str | None = None
    """Name of the sweep, where the store holds several."""
    engine: str | None = None
    """Identity of the engine whose runs to read (default: the system's own)."""

    at: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """A part of the sweep: FIELD=VALUE holds an axis there, seed=SEED keeps one seed; such as
    batch_size=15, several with commas or by repeating it."""

    def place(self) -> tuple[int | tuple[int, int] | None, dict[str, Any]]:
        """Return the seed, or None, and the values at which axes are held."""
        return parse_place("at", ",".join(self.at)) if self.at else (None, {})

    def load(self, check: Callable[[SweepSpec], object]) -> PhaseDiagram:
        """Return the diagram of the chosen part, whose ``check`` need not wait for its runs."""
        seed, values = self.place()
        with Store(self.store, create=False) as open_store:
            name, spec = open_store.spec(self.name)
            check(PhaseDiagram(spec).sel(seed=seed, **values).spec)
            diagram = stored_diagram(open_store, name, spec, self.engine)
        return diagram.sel(seed=seed, **values) if self.at else diagram
