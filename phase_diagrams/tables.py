"""The table of runs as CSV."""

import csv
from pathlib import Path
from typing import Any

from effective_theory.files import refuse_database, unwritable
from phase_diagrams.diagram import PhaseDiagram


def write_csv(diagram: PhaseDiagram, path: str | Path) -> None:
    """Write one row for each run, sorted by configuration; empty where never.

    The same results give the same bytes: no times of day, no order of arrival.

    Raises
    ------
    InputError
        If the path cannot be written.
    """
    refuse_database(path)
    rows = diagram.rows()
    try:
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows({name: _text(value) for name, value in row.items()} for row in rows)
    except OSError as error:
        raise unwritable(path, error) from None


def _text(value: Any) -> Any:
    return repr(value) if isinstance(value, float) else value
