"""Rows of the run store: its tables, and runs as rows and back."""

import hashlib
from typing import Any, get_args

import numpy as np

from effective_theory.training import Status
from phase_diagrams.spec import Cell
from phase_diagrams.summary import CURVE_COLUMNS, FRACTIONS, RunSummary

_STEPS = ("train_step", "test_step", "rqi_step", "diverged_step", "steps_run")
_SCALARS = ("status", *_STEPS, *FRACTIONS)
_KEY = ("cell_id", "engine", "engine_version", "steps", "stop_when")
#: Columns of a run, in their order; the row ends with the checksum of their values.
COLUMNS = (*_KEY, "configuration", *_SCALARS, "embeddings", "curve")

#: The statements that make the tables, as SQLite keeps them.
TABLES = {
    "sweeps": (
        "CREATE TABLE sweeps (name TEXT PRIMARY KEY, spec TEXT NOT NULL, checksum TEXT NOT NULL)"
    ),
    "runs": f"""CREATE TABLE runs (
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
    checksum TEXT NOT NULL,
    PRIMARY KEY ({", ".join(_KEY)})
)""",
}


def run_as_row(cell: Cell, summary: RunSummary, engine: str, version: int) -> tuple[Any, ...]:
    """Return a run's values in the order of COLUMNS."""
    return (
        *(cell.cell_id, engine, version, cell.model.steps, cell.model.stop_when),
        cell.configuration,
        *(_stored(getattr(summary, name)) for name in _SCALARS),
        np.asarray(summary.embeddings, "<f4").tobytes(),
        np.asarray(summary.curve, "<f8").tobytes(),
    )


def run_of_row(row: tuple[Any, ...], cell: Cell) -> RunSummary:
    """Return the run of ``cell`` that `run_as_row` wrote.

    Raises
    ------
    ValueError
        If the values are not those of such a run: a checksum can be forged, as this format is open.
    """
    fields = dict(zip(COLUMNS, row, strict=True))
    sound = (
        fields["configuration"] == cell.configuration
        and fields["status"] in get_args(Status)
        and isinstance(fields["steps_run"], int)
        and all(_is(int, fields[name]) and (fields[name] or 0) >= 0 for name in _STEPS)
        and all(_is(float, fields[name]) for name in FRACTIONS)
        and all(isinstance(fields[name], bytes) for name in ("embeddings", "curve"))
    )
    if not sound:
        raise ValueError("values of another kind")
    for name in FRACTIONS:
        fields[name] = float("nan") if fields[name] is None else fields[name]
    embeddings = np.frombuffer(fields["embeddings"], "<f4").astype(np.float32)
    curve = np.frombuffer(fields["curve"], "<f8").astype(np.float64)
    return RunSummary(
        **{name: fields[name] for name in _SCALARS},
        embeddings=embeddings.reshape(cell.task.symbols, cell.model.embedding_dim),
        curve=curve.reshape(-1, len(CURVE_COLUMNS)),
    )


def checksum(values: tuple[Any, ...]) -> str:
    """Return the SHA-256 of a row's values, each with its type and length, in hexadecimal."""
    digest = hashlib.sha256()
    for value in values:
        content = value if isinstance(value, bytes) else repr(value).encode()
        digest.update(f"{type(value).__name__}:{len(content)}:".encode())
        digest.update(content)
    return digest.hexdigest()


def _stored(value: Any) -> Any:
    """NaN is NULL in SQLite; make that explicit."""
    return None if isinstance(value, float) and value != value else value


def _is(kind: type, value: Any) -> bool:
    return value is None or isinstance(value, kind)
