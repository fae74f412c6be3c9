"""What a store holds, as tests compare it."""

import sqlite3
from pathlib import Path


def stored_rows(path: Path) -> list[tuple[object, ...]]:
    """All rows of a store's runs, sorted, as they stand there, checksums included."""
    connection = sqlite3.connect(path)
    try:
        return sorted(connection.execute("SELECT * FROM runs").fetchall())
    finally:
        connection.close()
