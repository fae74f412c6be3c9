"""Rows of the run store: its tables, and runs as rows and back."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import numpy as np

from effective_theory.outcome import Status
from effective_theory.toy_model import MOST_STEPS, StopWhen
from phase_diagrams.runs.origin import Origin
from phase_diagrams.runs.possible_runs import ClaimedRun, require_possible
from phase_diagrams.runs.summary import FRACTIONS, STEPS, RunSummary, curve_columns
from phase_diagrams.sweeps.cell import Cell
from phase_diagrams.sweeps.systems import Budget

#: Raised when the tables change; older ones stay readable, newer ones are refused.
STORE_VERSION = 2

_UPDATES = (*STEPS, "steps_run")
_SCALARS = ("status", *_UPDATES, *FRACTIONS)
_STOPS, _STATUSES = get_args(StopWhen), get_args(Status)
_KEY = ("cell_id", "engine", "engine_version", *Budget._fields)
#: Where a system's final state is kept: the column has the name of the first system's.
_STATE = "embeddings"
#: Columns of a run, in their order; a row ends with the checksum of their values.
COLUMNS = (*_KEY, "configuration", *_SCALARS, _STATE, "curve", "origin")

_SWEEPS = "CREATE TABLE sweeps (name TEXT PRIMARY KEY, spec TEXT NOT NULL, checksum TEXT NOT NULL)"
_RUNS = f"""CREATE TABLE runs (
    cell_id TEXT NOT NULL,
    engine TEXT NOT NULL,
    engine_version INTEGER NOT NULL,
    steps INTEGER NOT NULL,
    stop_when TEXT NOT NULL,
    configuration TEXT NOT NULL,
    status TEXT NOT NULL,
    train_step INTEGER,
    test_step INTEGER,
    rqi_step INTEGER,
    diverged_step INTEGER,
    steps_run INTEGER NOT NULL,
    train_accuracy REAL,
    test_accuracy REAL,
    best_train_accuracy REAL,
    best_test_accuracy REAL,
    rqi REAL,
    embeddings BLOB NOT NULL,
    curve BLOB NOT NULL,
    checksum TEXT NOT NULL%s
    PRIMARY KEY ({", ".join(_KEY)})
)"""
#: The statements that make the tables of each format, as SQLite keeps them.
TABLES = {
    1: {"sweeps": _SWEEPS, "runs": _RUNS % ","},
    2: {"sweeps": _SWEEPS, "runs": _RUNS % ", origin TEXT,"},
}
#: What makes a table of each format from that of the one before: see the text of TABLES.
UPGRADES = {2: "ALTER TABLE runs ADD COLUMN origin TEXT"}


def columns(table: str, version: int) -> tuple[str, ...]:
    """Return the columns of a table of a format, without the checksum."""
    if table == "sweeps":
        return "name", "spec"
    return COLUMNS if version > 1 else COLUMNS[:-1]


def run_as_row(cell: Cell, summary: RunSummary, engine: str, version: int) -> tuple[Any, ...]:
    """Return a run's values in the order of COLUMNS.

    Raises
    ------
    ValueError
        If no run can have these values.
    """
    require_possible([ClaimedRun(summary, cell, cell.budget, engine)])
    return (
        *(cell.cell_id, engine, version, *cell.budget),
        cell.configuration,
        *(_stored(getattr(summary, name)) for name in _SCALARS),
        np.asarray(summary.state, "<f4").tobytes(),
        np.asarray(summary.curve, "<f8").tobytes(),
        None if summary.origin is None else summary.origin.to_json(),
    )


def runs_of_rows(rows: Sequence[tuple[Mapping[str, Any], Cell]]) -> list[RunSummary]:
    """Return the runs that `run_as_row` wrote, each from its values by column and its cell.

    Raises
    ------
    ValueError
        If values are not those of such a run: a checksum can be forged, as this format is open.
    """
    runs = [_claimed(row, cell) for row, cell in rows]
    require_possible(runs)
    return [run.summary for run in runs]


def _claimed(row: Mapping[str, Any], cell: Cell) -> ClaimedRun:
    """Return a row as what it says of a cell's run."""
    fields = dict(row)
    origin = fields.get("origin")
    budget = Budget(*(fields[name] for name in Budget._fields))
    sound = (
        fields["configuration"] == cell.configuration
        and _is_step(budget.steps, MOST_STEPS)
        and budget.stop_when in _STOPS
        and fields["status"] in _STATUSES
        and fields["steps_run"] is not None
        and all(fields[name] is None or _is_step(fields[name], MOST_STEPS) for name in _UPDATES)
        and all(isinstance(fields[name], float | None) for name in FRACTIONS)
        and all(isinstance(fields[name], bytes) for name in (_STATE, "curve"))
        and isinstance(origin, str | None)
    )
    if not sound:
        raise ValueError("values of another kind")
    for name in FRACTIONS:
        fields[name] = float("nan") if fields[name] is None else fields[name]
    state = np.frombuffer(fields[_STATE], "<f4").astype(np.float32)
    curve = np.frombuffer(fields["curve"], "<f8").astype(np.float64)
    summary = RunSummary(
        **{name: fields[name] for name in _SCALARS},
        state=state.reshape(cell.state_shape),
        curve=curve.reshape(-1, len(curve_columns(cell.system))),
        origin=None if origin is None else Origin.from_json(origin),
    )
    return ClaimedRun(summary, cell, budget, fields["engine"])


def checksum(values: Sequence[Any]) -> str:
    """Return the SHA-256 of a row's values, each with its type and length, in hexadecimal.

    A last value of None is left out: rows of format 1, which have no origin, keep their checksum.
    """
    parts: list[bytes] = []
    for value in values if values[-1] is not None else values[:-1]:
        content = value if isinstance(value, bytes) else repr(value).encode()
        parts += f"{type(value).__name__}:{len(content)}:".encode(), content
    return hashlib.sha256(b"".join(parts)).hexdigest()


def _stored(value: Any) -> Any:
    """Return a number as SQLite has it: a NumPy integer would be bytes, and NaN is NULL."""
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return None if value != value else float(value)
    return value


def _is_step(value: Any, most: int) -> bool:
    return isinstance(value, int) and 0 <= value <= most
