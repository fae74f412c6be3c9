"""The run store: one SQLite file that sweeps write to and resume from.

A run is stored once and never changed. Its key is the cell (what was run), the engine with its
version (what ran it), the budget and when it was to stop. Only the driving process writes, in
transactions grouped to a few a second: no finished run waits for another to end.
"""

import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from effective_theory import InputError
from effective_theory.checks import path_of
from effective_theory.notes import note
from phase_diagrams.runs.rows import COLUMNS, STORE_VERSION, checksum, run_as_row, runs_of_rows
from phase_diagrams.runs.store_errors import StoreError, damage
from phase_diagrams.runs.store_file import StoreFile
from phase_diagrams.runs.summary import RunSummary
from phase_diagrams.sweeps.cell import Cell
from phase_diagrams.sweeps.names import require_name
from phase_diagrams.sweeps.spec import SweepSpec
from phase_diagrams.sweeps.systems import UnknownSystem

#: Runs that follow each other faster are committed together, a few times a second; the last of
#: them by a timer.
_SECONDS_BETWEEN_RUNS, _SECONDS_BETWEEN_COMMITS = 0.05, 0.25
_MOST_IDS_IN_A_QUERY = 500


class Store:
    """An open run store.

    A file of an older format is read as it is. It gets the newest one when a run is added to it.

    Parameters
    ----------
    path
        The SQLite file.
    create
        Make the file, and its folder, if it is not there.

    Raises
    ------
    StoreError
        If the file is missing, not a store, made by a newer version, damaged, locked by another
        process for a minute, or not writable; when it is opened, or later by a method.
    """

    def __init__(self, path: str | Path, *, create: bool = True) -> None:
        self.path = path_of("store", path)
        self._waiting: list[tuple[Any, ...]] = []
        self._last_add = self._last_commit = 0.0
        self._timer: threading.Timer | None = None
        self._is_closed = self._is_told = False
        #: Held by whom `_waiting` is about to be changed: this thread, or that of the timer.
        self._turn = threading.RLock()
        self._file = StoreFile(self.path, create=create)

    def __enter__(self) -> Self:
        """Return the open store."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Keep what was added, whatever happened, and close."""
        self.close()

    def close(self) -> None:
        """Commit what was added and close the file."""
        self._is_closed = True
        try:
            self.commit()
        finally:
            self._file.close()

    def commit(self) -> None:
        """Write all added runs to the disk."""
        with self._turn:
            self._write_waiting(once=False)
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _write_waiting(self, *, once: bool) -> None:
        if self._waiting:
            names, marks = ", ".join(COLUMNS), ", ".join("?" * len(COLUMNS))
            insert = f"INSERT OR IGNORE INTO runs ({names}, checksum) VALUES ({marks}, ?)"
            self._file.write(insert, self._waiting, version=STORE_VERSION, once=once)
            self._waiting = []
        self._last_commit = time.monotonic()

    def _commit_soon(self) -> None:
        """Let a timer commit, as the next run may be hours away."""
        if self._timer is not None:
            return
        self._timer = threading.Timer(_SECONDS_BETWEEN_COMMITS, self._commit_late)
        self._timer.daemon = True
        try:
            self._timer.start()
        except RuntimeError:  # no thread can be started
            self.commit()

    def _commit_late(self) -> None:
        """Commit in the timer's thread; what cannot be written now is tried again soon."""
        with self._turn:
            self._timer = None
            if self._is_closed:
                return
            try:
                self._write_waiting(once=True)
            except StoreError as error:
                if not self._is_told:
                    self._is_told = True
                    note(f"{len(self._waiting)} finished runs wait to be kept: {error}")
                self._commit_soon()

    def require_writable(self) -> None:
        """Write to the file without changing what it holds.

        Raises
        ------
        StoreError
            If it cannot be written: better now than when a run has ended.
        """
        self._file.write("UPDATE sweeps SET checksum = checksum", [()])

    def sweeps(self) -> dict[str, str]:
        """Return the stored sweeps' specifications as JSON, by name."""
        rows = {row["name"]: row["spec"] for row in self._file.read("sweeps", "ORDER BY name")}
        if not all(isinstance(text, str) for text in (*rows, *rows.values())):
            raise damage(self.path, "a sweep is no text")
        return rows

    def spec(self, name: str | None = None) -> tuple[str, SweepSpec]:
        """Return the sweep of that name, or the only one there is: its name and specification.

        Raises
        ------
        StoreError
            If there is no such sweep, several and no name is given, or its specification cannot be
            read.
        UnknownSystem
            If it is a sweep of a system that is not known here.
        """
        sweeps = self.sweeps()
        names = ", ".join(sweeps) or "none"
        chosen = next(iter(sweeps)) if name is None and len(sweeps) == 1 else name
        if chosen is not None and chosen in sweeps:
            try:
                return chosen, SweepSpec.from_json(sweeps[chosen])
            except UnknownSystem as error:
                raise UnknownSystem(f"sweep {chosen!r} cannot be read: {error}") from None
            except InputError as error:
                raise StoreError(
                    f"store {self.path} holds the sweep {chosen!r}, which cannot be read: {error}"
                ) from None
        problem = "holds several sweeps" if name is None else f"holds no sweep {name!r}"
        raise StoreError(f"store {self.path} {problem}; give name, one of: {names}.")

    def engines(self) -> list[str]:
        """Return the identities of the engines that have runs here."""
        statement = "SELECT DISTINCT engine FROM runs ORDER BY engine"
        return [identity for (identity,) in self._file.query(statement)]

    def versions(self, identity: str) -> list[int]:
        """Return the versions of an engine that have runs here, the newest first.

        Raises
        ------
        StoreError
            If the store has no run of that engine.
        """
        statement = (
            "SELECT DISTINCT engine_version FROM runs WHERE engine = ? ORDER BY engine_version DESC"
        )
        versions = [version for (version,) in self._file.query(statement, (identity,))]
        if not versions:
            raise StoreError(
                f"store {self.path} holds no run of the engine {identity!r}; its engines are "
                f"{', '.join(self.engines()) or 'none'}."
            )
        return versions

    def add_sweep(self, name: str, spec: SweepSpec) -> None:
        """Store a sweep's specification; that of an earlier sweep of this name is replaced.

        Runs belong to cells, not to sweeps: extending or changing a sweep loses none of them. One
        that is there already is not written again, so that a complete sweep can be read from a file
        that may not be written.
        """
        row = (require_name(name), spec.to_json())
        if self.sweeps().get(name) == row[1]:
            return
        self._file.write("INSERT OR REPLACE INTO sweeps VALUES (?, ?, ?)", [(*row, checksum(row))])

    def add(self, cell: Cell, summary: RunSummary, engine: str, version: int) -> None:
        """Add a finished run; one that is there already stays as it is.

        Parameters
        ----------
        cell
            What was run.
        summary
            Its result.
        engine, version
            Identity and version of the engine that ran it.

        Raises
        ------
        StoreError
            If no run can have such a summary, or the file cannot be written.
        """
        try:
            row = run_as_row(cell, summary, engine, version)
        except ValueError as error:
            raise StoreError(
                f"store {self.path} takes no run of the engine {engine!r} with {error}: "
                "mend the engine."
            ) from None
        with self._turn:
            self._waiting.append((*row, checksum(row)))
            now = time.monotonic()
            alone = now - self._last_add > _SECONDS_BETWEEN_RUNS
            self._last_add = now
            if alone or now - self._last_commit > _SECONDS_BETWEEN_COMMITS:
                self.commit()
            else:
                self._commit_soon()

    def find(
        self, cells: Iterable[Cell], engine: str, version: int, *, exact: bool = False
    ) -> Iterator[tuple[Cell, RunSummary | None]]:
        """Yield each cell with a stored run that answers it, or None if there is none.

        A run that ended where the cell's would is preferred to one that went on for longer, whose
        last state is not the cell's.

        Parameters
        ----------
        cells
            The cells that are looked for.
        engine, version
            Identity and version of the engine whose runs count.
        exact
            Whether a run counts only if it ended where the cell's would.

        Yields
        ------
        tuple
            Each cell, in the order given, and a RunSummary cut to its budget, or None.
        """
        waiting: list[Cell] = []
        for cell in cells:
            waiting.append(cell)
            if len(waiting) == _MOST_IDS_IN_A_QUERY:
                yield from self._find(waiting, engine, version, exact)
                waiting = []
        yield from self._find(waiting, engine, version, exact)

    def _find(
        self, cells: list[Cell], engine: str, version: int, exact: bool
    ) -> Iterator[tuple[Cell, RunSummary | None]]:
        ids = [cell.cell_id for cell in cells]
        by_id = dict(zip(ids, cells, strict=True))
        marks = ", ".join("?" * len(ids))
        rows = [
            (row, by_id[row["cell_id"]])
            for row in self._file.read(
                "runs",
                f"WHERE engine = ? AND engine_version = ? AND cell_id IN ({marks}) ORDER BY steps",
                (engine, version, *ids),
            )
        ]
        stored: dict[str, list[RunSummary]] = {}
        for (_, cell), run in zip(rows, self._runs(rows), strict=True):
            stored.setdefault(cell.cell_id, []).append(run)
        for cell, cell_id in zip(cells, ids, strict=True):
            asked = cell.budget
            runs = stored.get(cell_id, [])
            answer = next((run for run in runs if run.ends_like(*asked)), None)
            if answer is None and not exact:
                answer = next((run for run in runs if run.answers(*asked)), None)
            yield cell, None if answer is None else answer.within(*asked)

    def _runs(self, rows: list[tuple[dict[str, Any], Cell]]) -> list[RunSummary]:
        try:
            return runs_of_rows(rows)
        except ValueError:
            for row in rows:
                self._require_run(*row)
            raise

    def _require_run(self, row: dict[str, Any], cell: Cell) -> None:
        """Name the row where it is not that of a run."""
        try:
            runs_of_rows([(row, cell)])
        except ValueError as error:
            raise damage(self.path, f"the row of {cell.cell_id[:12]} holds {error}") from None
