"""One element of a submission, as its job runs it."""

from dataclasses import dataclass
from pathlib import Path

from submitit.helpers import DelayedSubmission

from effective_theory.checks import RunError
from phase_diagrams import Engine, Store, SweepSpec, System
from phase_diagrams.runs.engines import beside, chosen_engine
from validation.cluster.submissions import EngineChoice, Submission, element_store


@dataclass(frozen=True)
class Element:
    """What the job of one element does, as often as the cluster starts it.

    Attributes
    ----------
    folder, submission
        The submission and its folder.
    number
        Which of its elements.
    """

    folder: Path
    submission: Submission
    number: int

    def __call__(self) -> int:
        """Run the cells that are not finished, each stored when done; return their number.

        Raises
        ------
        RunError
            If the engine has another version here than where the element was submitted.
        """
        submission, engine = self.submission, self.engine()
        if (engine.identity, engine.version) != (submission.identity, submission.version):
            raise RunError(
                f"engine {engine.identity} has version {engine.version} here, and "
                f"{submission.version} where it was submitted; submit again."
            )
        with Store(element_store(self.folder, self.number)) as store:
            answers = store.find(
                submission.cells(self.number), submission.identity, submission.version
            )
            todo = [cell for cell, summary in answers if summary is None]
            for cell, summary in beside(engine, store.path).run(todo):
                store.add(cell, summary, submission.identity, submission.version)
        return len(todo)

    def engine(self) -> Engine:
        """Return what trains the cells."""
        system = SweepSpec.from_json(self.submission.spec).system
        return engine_of(self.submission.engine, system)

    def checkpoint(self) -> DelayedSubmission:
        """Go on in the next job after walltime or preemption: the finished runs are stored."""
        return DelayedSubmission(self)


def engine_of(choice: EngineChoice, system: System) -> Engine:
    """Return the engine that a submission names, ready to run here."""
    if choice.kind == "torch":
        from validation.engine.engine import torch_engine

        return torch_engine(choice.device)
    return chosen_engine(system, None, choice.jobs)
