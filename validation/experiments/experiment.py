"""An experiment: a published statement, how it is put to the test, and what counts as met."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from phase_diagrams import Engine, PhaseDiagram, SweepSpec, refine, sweep
from phase_diagrams.runs.engines import chosen_engine
from phase_diagrams.sweeping import empty_diagram, results

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: "not reachable here": the budget or the machine does not suffice to tell.
Verdict = Literal["met", "refuted", "not reachable here"]


@dataclass(frozen=True)
class Run:
    """How an experiment is run.

    Attributes
    ----------
    store
        Keeps finished runs: the same experiment goes on where it was.
    quick
        Whether only what takes seconds is run, which is no record.
    jobs
        Runs at a time; None for one on each core.
    device
        Where networks are trained.
    images, labels
        IDX files that the user names, for what is trained on such.
    """

    store: Path
    quick: bool = False
    jobs: int | None = None
    device: str = "cpu"
    images: Path | None = None
    labels: Path | None = None

    def verdict(self, holds: bool, *, can_refute: bool = True) -> Verdict:
        """Return what follows from whether the bound holds; a quick run meets none.

        What does not hold is refuted only where the run was able to tell.
        """
        if holds and not self.quick:
            return "met"
        return "refuted" if can_refute else "not reachable here"

    def engine(self, spec: SweepSpec) -> Engine:
        """Return what runs the cells of a sweep: networks on the device, others as they do."""
        from validation.systems.engine import network_engine
        from validation.systems.settings import NetworkSettings

        if isinstance(spec.model, NetworkSettings):
            return network_engine(self.jobs, device=self.device)
        return chosen_engine(spec.system, None, self.jobs)

    def swept(self, spec: SweepSpec, name: str) -> PhaseDiagram:
        """Return the diagram of a sweep under a name in the store."""
        return sweep(spec, store=self.store, name=name, engine=self.engine(spec), progress=False)

    def refined(self, coarse: PhaseDiagram, to: int | Mapping[str, int], name: str) -> PhaseDiagram:
        """Return a diagram refined under a name in the store."""
        engine = self.engine(coarse.spec)
        return refine(coarse, to, store=self.store, name=name, engine=engine, progress=False)

    def swept_at(
        self, spec: SweepSpec, name: str, places: Sequence[tuple[int, ...]]
    ) -> PhaseDiagram:
        """Return the diagram of a sweep of which some places alone are run."""
        engine = self.engine(spec)
        diagram = empty_diagram(spec, self.store, name, engine)
        for cell, summary in results(
            spec, store=self.store, name=name, engine=engine, progress=False, places=places
        ):
            diagram.record(cell.index, summary)
        return diagram


@dataclass(frozen=True)
class Findings:
    """What came out of an experiment.

    Attributes
    ----------
    verdict
        Whether the bound holds.
    measured
        In one line, the numbers that decide.
    numbers
        All numbers, as plain values.
    figures
        Each with its caption.
    """

    verdict: Verdict
    measured: str
    numbers: dict[str, Any]
    figures: tuple[tuple[str, "Figure"], ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Experiment:
    """A published statement and its test.

    Attributes
    ----------
    name
        On the command line.
    claim, source
        What is said, and where.
    settings
        What is run, in words.
    bound
        What must come out for the statement to be met, written before the run.
    measure
        ``(run) -> Findings``.
    quick
        What ``--quick`` runs instead, in words.
    """

    name: str
    claim: str
    source: str
    settings: str
    bound: str
    measure: Callable[[Run], Findings]
    quick: str
