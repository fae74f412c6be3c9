"""How far submissions are, whether or not their results were collected, and what to do next."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from phase_diagrams import Cell, Store, StoreError, SweepSpec
from validation.cluster.jobs import live_elements
from validation.cluster.submissions import Submission


@dataclass(frozen=True)
class SubmissionProgress:
    """How far one submission is.

    Attributes
    ----------
    folder, submission
        The submission and its folder.
    stored
        Number of its runs that the sweep's store holds.
    waiting
        Number of its runs that are done and wait to be collected.
    live, damaged
        Elements whose jobs wait or run, and those whose own store is damaged.
    """

    folder: Path
    submission: Submission
    stored: int
    waiting: int
    live: list[int]
    damaged: list[int]

    def __str__(self) -> str:
        """Return the submission and how far it is, in one line."""
        one = self.submission
        done, runs = self.stored + self.waiting, sum(map(len, one.batches))
        parts = [
            f"{self.folder.name}: {one}",
            f"{done} of {runs} runs done, {self.stored} of them stored",
            f"{len(self.live)} of {len(one.batches)} elements wait or run",
        ]
        if self.damaged:
            parts.append(f"damaged elements {', '.join(map(str, self.damaged))}")
        return "; ".join(parts)


@dataclass(frozen=True)
class SweepProgress:
    """How many of a sweep's runs, trained by one engine, its store holds.

    Attributes
    ----------
    name, identity, store
        The sweep, the engine and the store.
    stored, runs
        Number of runs that the store holds, and that the sweep has.
    """

    name: str
    identity: str
    store: Path
    stored: int
    runs: int

    def __str__(self) -> str:
        """Return how many runs the store holds, in one line."""
        count = f"{self.stored} of {self.runs} runs are stored in {self.store}"
        return f"{self.name}, {self.identity}: {count}"


def submission_progress(
    submissions: Mapping[Path, Submission], store: Path
) -> list[SubmissionProgress]:
    """Return how far each of the submissions for a store is.

    Raises
    ------
    RunError
        If Slurm does not answer.
    StoreError
        If the sweep's store is damaged.
    """
    return [_progress(folder, one, store) for folder, one in submissions.items()]


def _progress(folder: Path, submission: Submission, store: Path) -> SubmissionProgress:
    elements = range(len(submission.batches))
    cells = [cell for element in elements for cell in submission.cells(element)]
    stored = _stored(cells, submission, store)
    finished: set[tuple[int, ...]] = set()
    damaged = []
    for element in elements:
        try:
            finished |= {cell.index for cell, _ in submission.finished(folder, element)}
        except StoreError:
            damaged.append(element)
    live = live_elements(folder, submission)
    return SubmissionProgress(
        folder, submission, len(stored), len(finished - stored), live, damaged
    )


def sweep_progress(submissions: Iterable[Submission], store: Path) -> list[SweepProgress]:
    """Return how much the store holds of each sweep and engine that were submitted.

    Raises
    ------
    StoreError
        If the store is damaged.
    """
    latest = {(one.name, one.identity): one for one in submissions}
    sweeps = []
    for (name, identity), one in latest.items():
        spec = _spec(one, store)
        stored = len(_stored(spec.cells(), one, store))
        sweeps.append(SweepProgress(name, identity, store, stored, spec.size))
    return sweeps


def _spec(submission: Submission, store: Path) -> SweepSpec:
    """Return the sweep as the store has it now; as it was submitted where the store is missing."""
    if store.is_file():
        with Store(store, create=False) as runs:
            if submission.name in runs.sweeps():
                return runs.spec(submission.name)[1]
    return SweepSpec.from_json(submission.spec)


def _stored(cells: Iterable[Cell], submission: Submission, store: Path) -> set[tuple[int, ...]]:
    """Return the places of the cells whose runs the store holds."""
    if not store.is_file():
        return set()
    with Store(store, create=False) as runs:
        answers = runs.find(cells, submission.identity, submission.version)
        return {cell.index for cell, summary in answers if summary is not None}


def next_step(
    store: Path, submissions: Sequence[SubmissionProgress], sweeps: Sequence[SweepProgress]
) -> str:
    """Return what the user does next, from how far the submissions and their sweeps are."""
    live = any(one.live for one in submissions)
    missing = sum(one.runs - one.stored for one in sweeps)
    waiting = sum(one.waiting for one in submissions)
    again = "the same submit again"
    if waiting:
        collect = f"python -m validation collect {store}"
        return collect if live or missing <= waiting else f"{collect}, then {again}"
    if live:
        return "wait; status says when there is more to collect"
    if missing:
        logs = submissions[-1].folder / "logs"
        return f"{again}, for the {missing} runs that are missing; why jobs ended says {logs}"
    return "; ".join(_show(one) for one in sweeps)


def _show(sweep: SweepProgress) -> str:
    """Return the command that shows a sweep."""
    engine = "" if sweep.identity.startswith("numba") else f" --engine {sweep.identity}"
    return f"python -m phase_diagrams show {sweep.store} --name {sweep.name}{engine}"
