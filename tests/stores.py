"""What a store holds, as tests compare it, and rows that were tampered with."""

import sqlite3
from pathlib import Path

from phase_diagrams.runs.rows import COLUMNS, checksum


def stored_rows(path: Path) -> list[tuple[object, ...]]:
    """All rows of a store's runs, sorted, as they stand there, checksums included."""
    connection = sqlite3.connect(path)
    try:
        return sorted(connection.execute("SELECT * FROM runs").fetchall())
    finally:
        connection.close()


def forge(path: Path, **values: object) -> None:
    """Set columns of a store's first run, with the checksum that belongs to the forged row.

    The table is rebuilt without the constraints that would refuse or convert what is forged, and
    then says that it has them.
    """
    names = ", ".join(COLUMNS)
    connection = sqlite3.connect(path)
    rows = connection.execute(f"SELECT {names}, checksum FROM runs ORDER BY rowid").fetchall()
    first = {**dict(zip(COLUMNS, rows[0], strict=False)), **values}
    rows[0] = (*first.values(), checksum(list(first.values())))
    text = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'runs'").fetchone()[0]
    loose = text.replace(" NOT NULL", "").replace(" INTEGER", "").replace(" REAL", "")
    connection.execute("DROP TABLE runs")
    connection.execute(loose.replace(" TEXT", "").replace(" BLOB", ""))
    marks = ", ".join("?" * len(rows[0]))
    connection.executemany(f"INSERT INTO runs ({names}, checksum) VALUES ({marks})", rows)
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'runs'", (text,))
    connection.commit()
    connection.close()
