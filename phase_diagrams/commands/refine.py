"""``refine``: run finer cells where the phases of a stored sweep meet."""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from effective_theory.files import foreseen_folder, require_outputs
from phase_diagrams.commands.parsing import parse_factors
from phase_diagrams.commands.sweep import files_of, leave_and_tell
from phase_diagrams.loading import stored_diagram
from phase_diagrams.refining import expected_runs, refine, refined_spec
from phase_diagrams.runs.engines import chosen_engine
from phase_diagrams.runs.store import Store
from phase_diagrams.sweeps.names import require_name
from phase_diagrams.sweeps.systems import UnknownSystem


@dataclass(frozen=True)
class Refine:
    """Refine a stored sweep where its phases meet; run the same command to continue.

    The store keeps the runs, under a name of their own, such as NAME-x8. Leaves phases.png,
    steps.png and runs.csv in the folder --out, and majority.png where there are several seeds.
    """

    store: Annotated[Path, tyro.conf.Positional]
    """Store of finished runs."""
    to: str = "8"
    """Resolution as a multiple of the sweep's: 8, or decoder_lr=8,decoder_weight_decay=4."""
    name: str | None = None
    """Name of the sweep to refine, where the store holds several."""
    out: Path | None = None
    """Folder for pictures and the table (default: the refined sweep's name, beside the store)."""
    jobs: int | None = None
    """Runs at a time (default: one on each core)."""
    dry_run: bool = False
    """Only say how many runs there are about to be."""

    def run(self) -> None:
        """Refine, and leave the files."""
        to = parse_factors(self.to)
        if self.out is not None:
            foreseen_folder(self.out)
        with Store(self.store, create=False) as open_store:
            name, spec = open_store.spec(self.name or _only_coarse(open_store))
            engine = chosen_engine(spec.system, None, self.jobs)
            finer = refined_spec(spec, to)  # a wrong factor need not wait for the runs
            coarse = stored_diagram(open_store, name, spec, engine)
        if self.dry_run:
            cells, runs = expected_runs(coarse, to)
            print(
                f"{cells} cells: about {runs} to measure ({runs / cells:.1%}), of which the store "
                "may hold some; more where phases meet in ways that the coarse sweep does not show."
            )
            return
        each = f"x{to}" if isinstance(to, int) else "-".join(f"{n}-x{f}" for n, f in to.items())
        fine = require_name(f"{name}-{each}")
        out = self.out if self.out is not None else self.store.parent / fine
        require_outputs(files_of(finer, out), out, self.store)
        diagram = refine(coarse, to, store=self.store, name=fine, engine=engine)
        print(f"{fine}: {leave_and_tell(diagram, out)}")


def _only_coarse(open_store: Store) -> str | None:
    """Return the name of a store's only readable sweep that is not itself a refined one."""
    coarse = []
    for name in open_store.sweeps():
        with contextlib.suppress(UnknownSystem):
            if not open_store.spec(name)[1].refined:
                coarse.append(name)
    return coarse[0] if len(coarse) == 1 else None
