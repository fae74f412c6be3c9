"""A store's file: SQLite opened with care, its format, and its transactions.

Rollback journal and full synchronisation work on network file systems and survive a power loss.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from effective_theory.notes import note
from phase_diagrams.runs.rows import STORE_VERSION, TABLES, UPGRADES, checksum, columns
from phase_diagrams.runs.store_errors import (
    StoreError,
    damage,
    failure,
    is_locked,
    lock_holder,
    regular_file,
)

T = TypeVar("T")

#: Marks an SQLite file as ours ("grok" in ASCII).
APPLICATION_ID = 0x67726F6B
#: How long another process may keep the file locked, before it is said and before it is an error.
_SECONDS_OF_SILENCE, _SECONDS_OF_PATIENCE = 1.0, 60.0


class StoreFile:
    """An open SQLite file with the tables of a run store.

    Parameters
    ----------
    path
        The file.
    create
        Make the file, and its folder, if it is not there.

    Raises
    ------
    StoreError
        As by `Store`.
    """

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self.path = path
        self._patience = _SECONDS_OF_PATIENCE
        #: Threads take turns with the connection, one transaction each.
        self._turn = threading.RLock()
        file = regular_file(path, create=create)
        try:
            self._connection = sqlite3.connect(
                file, timeout=_SECONDS_OF_SILENCE, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise failure(self.path, error) from None
        try:
            self._patiently(lambda: self._open(create))
        except BaseException:
            self._connection.close()
            raise

    def _open(self, create: bool) -> None:
        query = self._connection.execute
        if create and self._is_empty():
            # Two processes may create one store at once: the second finds it made.
            query("BEGIN IMMEDIATE")
            if self._is_empty():
                for table in TABLES[STORE_VERSION].values():
                    query(table)
                query(f"PRAGMA application_id = {APPLICATION_ID}")
                query(f"PRAGMA user_version = {STORE_VERSION}")
            query("COMMIT")
        if query("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            raise StoreError(f"store {self.path} is another program's file; name another one.")
        self._require_own_tables()
        query("PRAGMA journal_mode = DELETE")
        query("PRAGMA synchronous = FULL")
        # Keys stand in the table and in its index: a damaged key would otherwise pass as "not run".
        answer = query("PRAGMA integrity_check(1)").fetchone()[0]
        if answer != "ok":
            raise damage(self.path, " ".join(answer.split()))

    def _format(self) -> int:
        """Return the file's format, which another process may raise between two transactions."""
        version = int(self._connection.execute("PRAGMA user_version").fetchone()[0])
        if version > STORE_VERSION:
            raise StoreError(
                f"store {self.path} has format {version}, newer than the {STORE_VERSION} that this "
                "version reads; update the package."
            )
        if version not in TABLES:
            raise damage(self.path, f"its format is {version}")
        return version

    def _require_own_tables(self) -> None:
        """Refuse a file that holds views or triggers, which could make a query do anything."""
        query = self._connection.execute
        query("PRAGMA trusted_schema = OFF")
        query("BEGIN")
        version = self._format()
        stored = query("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
        query("COMMIT")
        if sorted(stored) != sorted(TABLES[version].items()):
            raise damage(self.path, f"its tables are not those of format {version}")

    def _is_empty(self) -> bool:
        return bool(
            self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
        )

    def _patiently(self, action: Callable[[], T], *, once: bool = False) -> T:
        """Return what an action returns; while another process locks the file, say so and wait.

        What the action has begun is rolled back where it fails, also on Ctrl-C. With ``once`` it is
        tried once.
        """
        began, is_said = time.monotonic(), False
        while True:
            with self._turn:
                try:
                    return action()
                except BaseException as error:
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                    if not isinstance(error, sqlite3.Error):
                        raise
                    if once:
                        raise failure(self.path, error) from None
                    if not is_locked(error) or time.monotonic() - began >= self._patience:
                        # Closing tries to write once more, and need not wait as long again.
                        self._patience = 0.0
                        raise failure(self.path, error) from None
            if not is_said:
                is_said = True
                holder = lock_holder(self.path)
                note(f"store {self.path} is locked by {holder}; waiting ..")

    def close(self) -> None:
        """Close the file, once no other thread is at it."""
        with self._turn:
            self._connection.close()

    def write(
        self,
        statement: str,
        rows: Sequence[tuple[Any, ...]],
        *,
        version: int | None = None,
        once: bool = False,
    ) -> None:
        """Write rows in one transaction; the file is locked for no longer than that.

        Where it fails, also on Ctrl-C, none of them is written. A file of an older format than
        ``version`` gets that one in the same transaction. With ``once`` no lock is waited out.
        """
        query = self._connection.execute

        def insert() -> None:
            query("BEGIN IMMEDIATE")
            current = self._format()
            for newer in range(current + 1, (version or current) + 1):
                query(UPGRADES[newer])
                query(f"PRAGMA user_version = {newer}")
            self._connection.executemany(statement, rows)
            query("COMMIT")

        self._patiently(insert, once=once)

    def query(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows that a statement selects, without a checksum."""
        return self._patiently(lambda: self._connection.execute(statement, values).fetchall())

    def read(self, table: str, rest: str, values: Sequence[Any] = ()) -> Iterator[dict[str, Any]]:
        """Yield rows of a table, by column; their checksum must be theirs."""
        query = self._connection.execute

        def select() -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
            query("BEGIN")
            names = columns(table, self._format())
            cursor = query(f"SELECT {', '.join(names)}, checksum FROM {table} {rest}", values)
            rows = cursor.fetchall()
            query("COMMIT")
            return names, rows

        names, rows = self._patiently(select)
        for *row, stored in rows:
            if checksum(row) != stored:
                raise damage(self.path, f"the row of {str(row[0])[:12]} fails its checksum")
            yield dict(zip(names, row, strict=True))
