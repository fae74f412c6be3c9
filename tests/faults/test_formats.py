"""Every released store format stays readable; a newer one is refused.

``formats/format_N.sql`` is a store of format N as SQL, written by the version that brought the
format, beside the table that this version exported. Neither is ever made anew.
"""

import csv
import re
import sqlite3
from pathlib import Path

import pytest

from phase_diagrams import StoreError, load, numba_engine
from phase_diagrams.runs.rows import STORE_VERSION
from phase_diagrams.text.table import write_csv
from phase_diagrams.toy.engine import NumbaEngine
from tests.stores import stored_rows

FORMATS = sorted((Path(__file__).parent / "formats").glob("format_*.sql"))


def store_of(dump: Path, folder: Path) -> Path:
    path = folder / "runs.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(dump.read_text())
    connection.close()
    return path


def table(path: Path) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def engine_of(path: Path) -> NumbaEngine:
    """The engine of the version that wrote the store: a later one does not share its results."""
    connection = sqlite3.connect(path)
    (version,) = connection.execute("SELECT DISTINCT engine_version FROM runs").fetchone()
    connection.close()
    return NumbaEngine(n_jobs=1, version=version)


def test_there_is_a_store_of_each_format() -> None:
    numbers = [int(re.findall(r"\d+", dump.stem)[0]) for dump in FORMATS]
    assert numbers == list(range(1, STORE_VERSION + 1))


@pytest.mark.parametrize("dump", FORMATS, ids=lambda dump: dump.stem)
def test_a_released_format_stays_readable(dump: Path, tmp_path: Path) -> None:
    path = store_of(dump, tmp_path)
    rows = stored_rows(path)
    diagram = load(path, engine=engine_of(path))
    write_csv(diagram, tmp_path / "runs.csv")
    expected, found = table(dump.with_suffix(".csv")), table(tmp_path / "runs.csv")
    assert diagram.name == "four rates" and len(expected) == 8
    # Later versions may export more columns.
    assert [{column: row[column] for column in expected[0]} for row in found] == expected
    assert stored_rows(path) == rows


def test_a_newer_format_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = store_of(FORMATS[-1], tmp_path)
    for version in (STORE_VERSION + 1, 2**31 - 1):
        connection = sqlite3.connect(path)
        connection.execute(f"PRAGMA user_version = {version}")
        connection.close()
        before = path.read_bytes()
        message = f"format {version}, newer than the {STORE_VERSION} .*update the package"
        with pytest.raises(StoreError, match=message):
            load(path, engine=numba_engine(1))
        assert path.read_bytes() == before
