"""An experiment: a published statement, how it is put to the test, and what counts as met."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from phase_diagrams import PhaseDiagram, SweepSpec, sweep

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from validation.systems.engine import NetworkEngine

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

    @property
    def engine(self) -> "NetworkEngine":
        """What runs the cells of sweeps."""
        from validation.systems.engine import network_engine

        return network_engine(self.jobs, device=self.device)

    def swept(self, spec: SweepSpec, name: str) -> PhaseDiagram:
        """Return the diagram of a sweep under a name in the store."""
        return sweep(spec, store=self.store, name=name, engine=self.engine, progress=False)


@dataclass(frozen=True)
class Findings:
    """What came out.

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
