"""What was submitted to a cluster: its records, and what its elements have finished.

Beside the store ``runs.sqlite`` lies the folder ``runs-jobs`` with a numbered folder for each
submission: ``job.json``, a store for each element and the logs. An element writes its own store
only, run by run; the driver alone copies from them to the sweep's store.
"""

import dataclasses
import json
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from effective_theory import InputError
from effective_theory.files import FileKind, replacing, require_folder, unwritable
from effective_theory.installation import commit_in_words
from phase_diagrams import Cell, RunSummary, Store, SweepSpec
from validation.cluster.job_record import Cluster, Device, EngineKind, read_record

_RECORD = "job.json"
_MOST_CHARACTERS = 300
_KIND = FileKind("the record of a submission", rb'\{\s*"name": ')


@dataclass(frozen=True)
class EngineChoice:
    """What trains the cells of a submission.

    Attributes
    ----------
    kind
        "own" for that of the sweep's system, or "torch", batched PyTorch of toy models in
        float32.
    device
        "cpu" or "cuda".
    jobs
        Runs at a time in an element with the system's own engine; PyTorch's threads.
    """

    kind: EngineKind = "own"
    device: Device = "cpu"
    jobs: int = 1


@dataclass(frozen=True, repr=False)
class Submission:
    """One array of jobs, each element a batch of a sweep's cells.

    Attributes
    ----------
    name, spec
        The sweep: its name in the store, and its specification as JSON.
    batches
        Places of each element's cells in the diagram.
    engine, identity, version
        What trains them, and the name and version under which results are stored.
    cluster
        "slurm", "local" or "debug".
    commit, dirty
        The code: its commit, None outside a git checkout, and whether files differed from it.
    job_ids
        One for each element; empty if the submission failed.
    """

    name: str
    spec: str
    batches: list[list[list[int]]]
    engine: EngineChoice
    identity: str
    version: int
    cluster: Cluster
    commit: str | None
    dirty: bool
    job_ids: list[str] = dataclasses.field(default_factory=list)

    def __repr__(self) -> str:
        """Return the sweep, its engine and how many runs and elements there are."""
        runs = sum(map(len, self.batches))
        return (
            f"Submission({self.name} on {self.cluster}, {self.identity}: {runs} runs, "
            f"{len(self.batches)} elements)"
        )

    def __str__(self) -> str:
        """Return sweep, cluster, engine and commit in a clause."""
        code = commit_in_words(self.commit, self.dirty)
        return f"{self.name} on {self.cluster}, {self.identity}; commit {code}"

    def cells(self, element: int) -> Iterator[Cell]:
        """Yield the cells of one element."""
        spec = SweepSpec.from_json(self.spec)
        return (spec.cell(tuple(place)) for place in self.batches[element])

    def write(self, folder: Path) -> None:
        """Write the record; a reader finds the former one or this one."""
        with replacing(folder / _RECORD, _KIND) as file:
            file.write(json.dumps(dataclasses.asdict(self), indent=1).encode())

    @classmethod
    def read(cls, folder: Path) -> "Submission":
        """Return the record in a submission's folder.

        Raises
        ------
        InputError
            If it is missing, damaged or not what `write` wrote.
        """
        try:
            fields = read_record(folder / _RECORD)
        except InputError as error:
            raise InputError(f"submission {folder} cannot be used: {_short(error)}") from None
        except (OSError, ValueError) as error:
            raise InputError(
                f"submission {folder} cannot be read ({_short(error)}); remove its folder."
            ) from None
        return cls(**{**fields, "engine": EngineChoice(**fields["engine"])})

    def finished(
        self, folder: Path, element: int, *, exact: bool = False
    ) -> list[tuple[Cell, RunSummary]]:
        """Return the runs that an element has finished so far; ``exact`` is that of `Store.find`.

        Raises
        ------
        StoreError
            If the element's store is damaged.
        """
        path = element_store(folder, element)
        if not path.is_file():
            return []
        with Store(path, create=False) as store:
            answers = store.find(self.cells(element), self.identity, self.version, exact=exact)
            return [(cell, summary) for cell, summary in answers if summary is not None]


def _short(error: Exception) -> str:
    """Return what an error says, less the most of what a damaged record made it quote."""
    return textwrap.shorten(str(error), _MOST_CHARACTERS, placeholder=" ..")


def element_store(folder: Path, element: int) -> Path:
    """Return the store that an element of a submission writes."""
    return folder / f"element-{element}.sqlite"


def jobs_folder(store: Path) -> Path:
    """Return the folder of a store's submissions.

    Raises
    ------
    InputError
        If the path ends without a name.
    """
    if not store.name:
        raise InputError(f"store {store} names no file; give one such as runs.sqlite.")
    return store.with_name(f"{store.stem}-jobs")


def submissions(store: Path, name: str | None = None) -> dict[Path, Submission]:
    """Return all submissions for a store, or those of one of its sweeps, the oldest first.

    Raises
    ------
    InputError
        If the record of one cannot be used.
    """
    names = re.compile("[1-9][0-9]*", re.ASCII)
    folders = [path for path in jobs_folder(store).glob("*") if names.fullmatch(path.name)]
    every = {
        folder: Submission.read(folder) for folder in sorted(folders, key=lambda f: int(f.name))
    }
    return {folder: one for folder, one in every.items() if name in (None, one.name)}


def new_folder(store: Path) -> Path:
    """Make the folder of the next submission and return it.

    Raises
    ------
    InputError
        If it cannot be made.
    """
    parent = require_folder(jobs_folder(store))
    number = max((int(folder.name) for folder in submissions(store)), default=0) + 1
    folder = parent / str(number)
    try:
        folder.mkdir()
    except OSError as error:
        raise unwritable(folder, error) from None
    return folder
