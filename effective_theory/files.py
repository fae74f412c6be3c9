"""Files that commands leave, with errors that name the path."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from effective_theory.checks import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save_figure(figure: "Figure", path: str | Path) -> None:
    """Write a figure without dates, so that the same figure gives the same bytes, and close it.

    Raises
    ------
    InputError
        If the path cannot be written or its ending is no picture format.
    """
    import matplotlib.pyplot as plt

    if Path(path).suffix == "":
        raise InputError(f"path {path} has no ending; write {path}.png, .pdf or .svg.")
    refuse_database(path)
    try:
        # SVG names its parts by random numbers unless it is given a salt.
        with plt.rc_context({"svg.hashsalt": "grokking"}):
            figure.savefig(path, dpi=150, metadata=_NO_DATE.get(Path(path).suffix))
    except OSError as error:
        raise unwritable(path, error) from None
    except ValueError as error:
        raise InputError(f"path {path} cannot be written ({error}).") from None
    finally:
        plt.close(figure)


#: What SQLite files begin with.
_DATABASE = b"SQLite format 3\0"
_NO_DATE = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}, ".png": {"Software": None}}


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
        raise unwritable(folder, error) from None
    if not os.access(folder, os.W_OK):
        raise InputError(f"path {folder} cannot be written to; choose another folder.")
    return folder


def refuse_database(path: str | Path) -> None:
    """Raise InputError where a file to be written would replace a store of runs."""
    try:
        with open(path, "rb") as file:
            begins = file.read(len(_DATABASE))
    except OSError:
        return
    if begins == _DATABASE:
        raise InputError(f"path {path} holds a store of runs; choose another one.")


def unwritable(path: str | Path, error: OSError) -> InputError:
    """Return the error that says that a path cannot be written."""
    return InputError(f"path {path} cannot be written ({error.strerror}); choose another one.")
