"""The table of runs as CSV."""

import csv
import io
from pathlib import Path

from effective_theory.files import FileKind, replacing
from phase_diagrams.comparison.table_files import OTHERS, table_text
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.sweeps.description import named_settings

#: Its header names the axes, then columns that all tables of runs have.
TABLE = FileKind("a table of runs", rb"[^\n]*split_seed,init_seed,phase,train_step,test_step,")


def write_csv(diagram: PhaseDiagram, path: str | Path) -> None:
    """Write one row for each cell and seed, in the order of the axes; no step where none was.

    The last columns are the same in all rows: what the sweep does not sweep of task, training
    size, start, steps and lag, and other settings that are no default; then, in words, that all
    others are. The same results give the same bytes: no times of day, no order of arrival.

    Raises
    ------
    InputError
        If the path cannot be written, or holds anything but such a table.
    """
    settings = named_settings(diagram.spec.fixed, diagram.spec.system.all_fields)
    rows = [{**row, **settings, OTHERS: "default"} for row in diagram.rows()]
    with (
        replacing(path, TABLE) as file,
        io.TextIOWrapper(file, encoding="utf-8", newline="") as text,
    ):
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: table_text(v) for name, v in row.items()} for row in rows)
