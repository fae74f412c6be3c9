"""Files that a sweep leaves: tables and pictures."""

import csv
import os
from pathlib import Path
from typing import Any

from effective_theory import InputError
from phase_diagrams.diagram import PhaseDiagram


def write_csv(diagram: PhaseDiagram, path: str | Path) -> None:
    """Write one row for each run, sorted by configuration; empty where never.

    The same results give the same bytes: no times of day, no order of arrival.

    Raises
    ------
    InputError
        If the path cannot be written.
    """
    rows = diagram.rows()
    try:
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows({name: _text(value) for name, value in row.items()} for row in rows)
    except OSError as error:
        raise _unwritable(path, error) from None


def save_figure(figure: Any, path: str | Path) -> None:
    """Write a matplotlib figure without dates, so that the same figure gives the same bytes.

    Raises
    ------
    InputError
        If the path cannot be written or its ending is no picture format.
    """
    try:
        figure.savefig(path, metadata={"Software": None} if str(path).endswith(".png") else None)
    except OSError as error:
        raise _unwritable(path, error) from None
    except ValueError as error:
        raise InputError(f"path {path} cannot be written ({error}).") from None


def require_folder(path: str | Path) -> Path:
    """Return the folder, made if it is not there, and check that files can be written to it.

    Raises
    ------
    InputError
        If it cannot be made or written to.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from None
    if not os.access(folder, os.W_OK):
        raise InputError(f"path {folder} cannot be written to; choose another folder.")
    return folder


def _text(value: Any) -> Any:
    return repr(value) if isinstance(value, float) else value


def _unwritable(path: str | Path, error: OSError) -> InputError:
    return InputError(f"path {path} cannot be written ({error.strerror}); choose another one.")
