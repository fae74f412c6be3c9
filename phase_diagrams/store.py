"""The run store: one SQLite file that sweeps write to and resume from.

A run is stored once and never changed. Its key is the cell (what was run), the engine with its
version (what ran it), the budget and when it was to stop. Only the driving process writes, in
transactions grouped to a few a second; rollback journal and full synchronisation work on network
file systems and survive a power loss.
"""

import sqlite3
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from effective_theory import InputError
from phase_diagrams.names import require_name
from phase_diagrams.spec import Cell, SweepSpec
from phase_diagrams.stored_runs import COLUMNS, TABLES, checksum, run_as_row, run_of_row
from phase_diagrams.summary import RunSummary

#: Raised when the tables change; older ones stay readable, newer ones are refused.
STORE_VERSION = 1
#: Marks an SQLite file as ours ("grok" in ASCII).
APPLICATION_ID = 0x67726F6B
#: Runs that follow each other faster are committed together, a few times a second.
_SECONDS_BETWEEN_RUNS, _SECONDS_BETWEEN_COMMITS = 0.05, 0.25
_MOST_IDS_IN_A_QUERY = 500


class StoreError(InputError):
    """The store cannot be used; the message is one sentence that names it and the remedy."""


class Store:
    """An open run store.

    Parameters
    ----------
    path
        The SQLite file.
    create
        Make the file, and its folder, if it is not there.

    Raises
    ------
    StoreError
        If the file is missing, not a store, made by a newer version, damaged or not writable.
    """

    def __init__(self, path: str | Path, *, create: bool = True) -> None:
        self.path = Path(path)
        self._waiting: list[tuple[Any, ...]] = []
        self._last_add = self._last_commit = 0.0
        if not create and not self.path.is_file():
            raise StoreError(f"store {self.path} does not exist; run a sweep with --store first.")
        if self.path.is_dir():
            raise StoreError(f"store {self.path} is a folder; name a file in it.")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self.path, timeout=60.0, isolation_level=None)
        except (OSError, ValueError, sqlite3.Error) as error:
            raise StoreError(f"store {self.path} cannot be opened ({error}).") from None
        try:
            self._open(create)
        except sqlite3.Error as error:
            self._connection.close()
            raise self._failure(error) from None
        except StoreError:
            self._connection.close()
            raise

    def _open(self, create: bool) -> None:
        query = self._connection.execute
        if create and self._is_empty():
            # Two processes may create one store at once: the second finds it made.
            query("BEGIN IMMEDIATE")
            if self._is_empty():
                for table in TABLES.values():
                    query(table)
                query(f"PRAGMA application_id = {APPLICATION_ID}")
                query(f"PRAGMA user_version = {STORE_VERSION}")
            query("COMMIT")
        if query("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            raise StoreError(f"store {self.path} is another program's file; name another one.")
        version = query("PRAGMA user_version").fetchone()[0]
        if version > STORE_VERSION:
            raise StoreError(
                f"store {self.path} has format {version}, newer than the {STORE_VERSION} that this "
                "version reads; update the package."
            )
        if version < STORE_VERSION:
            raise self._damage(f"its format is {version}")
        self._require_own_tables()
        query("PRAGMA journal_mode = DELETE")
        query("PRAGMA synchronous = FULL")
        # Keys stand in the table and in its index: a damaged key would otherwise pass as "not run".
        found = query("PRAGMA integrity_check(1)").fetchone()[0]
        if found != "ok":
            raise self._damage(" ".join(found.split()))

    def _require_own_tables(self) -> None:
        """Refuse a file that holds views or triggers, which could make a query do anything."""
        self._connection.execute("PRAGMA trusted_schema = OFF")
        stored = self._connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"
        ).fetchall()
        if sorted(stored) != sorted(TABLES.items()):
            raise self._damage(f"its tables are not those of format {STORE_VERSION}")

    def _is_empty(self) -> bool:
        return bool(
            self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
        )

    def _failure(self, error: sqlite3.Error) -> StoreError:
        return StoreError(
            f"store {self.path} cannot be used ({error}); "
            "check that it is a run store on a writable disk with space left."
        )

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
        try:
            self.commit()
        finally:
            self._connection.close()

    def commit(self) -> None:
        """Write all added runs to the disk."""
        if self._waiting:
            marks = ", ".join("?" * len(self._waiting[0]))
            self._write(f"INSERT OR IGNORE INTO runs VALUES ({marks})", self._waiting)
            self._waiting = []
        self._last_commit = time.monotonic()

    def _write(self, statement: str, rows: list[tuple[Any, ...]]) -> None:
        """Write rows in one transaction; the file is locked for no longer than that."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(statement, rows)
            self._connection.execute("COMMIT")
        except BaseException as error:
            # Also on Ctrl-C: the rows still wait, and `close` writes them.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise self._failure(error) from None
            raise

    def _read(self, statement: str, values: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        """Yield rows without their last column, the checksum, which must be theirs."""
        try:
            rows = self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise self._failure(error) from None
        for *row, found in rows:
            if checksum(tuple(row)) != found:
                raise self._damage(f"the row of {str(row[0])[:12]} fails its checksum")
            yield tuple(row)

    def _damage(self, what: str) -> StoreError:
        return StoreError(f"store {self.path} is damaged ({what}); restore a copy of it.")

    def sweeps(self) -> dict[str, str]:
        """Return the stored sweeps' specifications as JSON, by name."""
        rows = dict(self._read("SELECT name, spec, checksum FROM sweeps ORDER BY name"))
        if not all(isinstance(text, str) for text in (*rows, *rows.values())):
            raise self._damage("a sweep is no text")
        return rows

    def spec(self, name: str | None = None) -> tuple[str, SweepSpec]:
        """Return the sweep of that name, or the only one there is, with its name.

        Raises
        ------
        StoreError
            If there is no such sweep, or several and no name.
        """
        sweeps = self.sweeps()
        names = ", ".join(sweeps) or "none"
        chosen = next(iter(sweeps)) if name is None and len(sweeps) == 1 else name
        if chosen is not None and chosen in sweeps:
            return chosen, SweepSpec.from_json(sweeps[chosen])
        problem = "holds several sweeps" if name is None else f"holds no sweep {name!r}"
        raise StoreError(f"store {self.path} {problem}; choose one by its name: {names}.")

    def engines(self) -> dict[str, int]:
        """Return the newest stored version of each engine, by the engine's identity."""
        try:
            rows = self._connection.execute(
                "SELECT engine, max(engine_version) FROM runs GROUP BY engine ORDER BY engine"
            ).fetchall()
        except sqlite3.Error as error:
            raise self._failure(error) from None
        return dict(rows)

    def engine_version(self, identity: str) -> int:
        """Return the newest stored version of an engine.

        Raises
        ------
        StoreError
            If the store has no run of that engine.
        """
        engines = self.engines()
        if identity not in engines:
            raise StoreError(
                f"store {self.path} holds no run of the engine {identity!r}; its engines are "
                f"{', '.join(engines) or 'none'}."
            )
        return engines[identity]

    def add_sweep(self, name: str, spec: SweepSpec) -> None:
        """Store a sweep's description; that of an earlier sweep of this name is replaced.

        Runs belong to cells, not to sweeps: extending or changing a sweep loses none of them.
        """
        row = (require_name(name), spec.to_json())
        self._write("INSERT OR REPLACE INTO sweeps VALUES (?, ?, ?)", [(*row, checksum(row))])

    def add(self, cell: Cell, summary: RunSummary, engine: str, version: int) -> None:
        """Add a finished run; one that is there already stays as it is."""
        row = run_as_row(cell, summary, engine, version)
        self._waiting.append((*row, checksum(row)))
        now = time.monotonic()
        alone = now - self._last_add > _SECONDS_BETWEEN_RUNS
        self._last_add = now
        if alone or now - self._last_commit > _SECONDS_BETWEEN_COMMITS:
            self.commit()

    def find(
        self, cells: Iterable[Cell], engine: str, version: int, *, exact: bool = False
    ) -> Iterator[tuple[Cell, RunSummary | None]]:
        """Yield each cell with what is known of it: a stored run that answers it, or None.

        A run that ended where the cell's would comes before one that went on for longer, whose
        last state says nothing of the cell's; with ``exact`` the latter does not count.
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
        ids = tuple(cell.cell_id for cell in cells)
        stored: dict[str, list[tuple[Any, ...]]] = {}
        marks = ", ".join("?" * len(ids))
        for row in self._read(
            f"SELECT {', '.join(COLUMNS)}, checksum FROM runs "
            f"WHERE engine = ? AND engine_version = ? AND cell_id IN ({marks}) ORDER BY steps",
            (engine, version, *ids),
        ):
            stored.setdefault(row[0], []).append(row)
        for cell, cell_id in zip(cells, ids, strict=True):
            asked = cell.model.steps, cell.model.stop_when
            runs = [self._summary(row, cell) for row in stored.get(cell_id, ())]
            alike = [run for run in runs if run.ends_like(*asked)]
            longer = [run for run in runs if run.answers(*asked)] if not exact else []
            yield cell, next((run.within(*asked) for run in (*alike, *longer)), None)

    def _summary(self, row: tuple[Any, ...], cell: Cell) -> RunSummary:
        try:
            return run_of_row(row, cell)
        except ValueError as error:
            raise self._damage(f"the row of {cell.cell_id[:12]} holds {error}") from None
