"""How every kernel is compiled, and where the compiled code is kept."""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numba

# Numba sets its attributes at run time, out of a type checker's sight.
config: Any = numba.config

P = ParamSpec("P")
T = TypeVar("T")

#: Everything that lets loops vectorise, but neither "nnan" nor "ninf": a NaN must stay visible.
FAST_MATH = {"contract", "reassoc", "nsz"}


def _source_hash() -> str:
    """Hash of all kernel sources: Numba alone does not notice an edit in a callee's file."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def cache_folder() -> Path | None:
    """Return the folder that keeps compiled kernels, or None if no place is writable.

    NUMBA_CACHE_DIR comes first (local scratch on a cluster), then the package's own folder, then
    the user's cache folder.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    places = [Path(__file__).parent / "__pycache__", home / "effective_theory"]
    if config.CACHE_DIR:
        places.insert(0, Path(config.CACHE_DIR))
    folders = (place / f"kernels-{_source_hash()}" for place in places)
    return next((folder for folder in folders if _is_writable(folder)), None)


_FOLDER = cache_folder()


def is_compiled(function: Any) -> bool:
    """Return whether the folder holds a compiled version of a kernel."""
    return _FOLDER is not None and any(_FOLDER.rglob(f"*.{function.__name__}-*.nbi"))


def kernel(function: Callable[P, T]) -> Callable[P, T]:
    """Compile ``function`` on its first call, without the GIL, and keep the result on disk.

    Arithmetic is IEEE's: a count divided by a count is the same float64 as in Python.
    """
    return _compiled(function, fastmath=False)


def fast_kernel(function: Callable[P, T]) -> Callable[P, T]:
    """Compile ``function`` likewise, with sums reordered and divisions approximated."""
    return _compiled(function, fastmath=FAST_MATH)


def _compiled(function: Callable[P, T], fastmath: bool | set[str]) -> Callable[P, T]:
    # Numba reads the folder once, when the decorator runs: the caller's setting is put back.
    previous = config.CACHE_DIR
    if _FOLDER is not None:
        config.CACHE_DIR = str(_FOLDER)
    try:
        compiled: Callable[P, T] = numba.njit(
            cache=_FOLDER is not None, error_model="numpy", fastmath=fastmath, nogil=True
        )(function)
    finally:
        config.CACHE_DIR = previous
    return compiled
