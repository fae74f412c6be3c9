"""How every kernel is compiled, and where the compiled code is kept."""

import contextlib
import hashlib
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numba
from numba.core import caching

from effective_theory.notes import is_worker, note

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
    users = os.environ.get("XDG_CACHE_HOME", ""), os.path.expanduser("~/.cache")
    places = [
        *([Path(config.CACHE_DIR)] if config.CACHE_DIR else []),
        Path(__file__).parent / "__pycache__",
        # XDG's standard ignores relative paths, and "~" stays where a user has no home.
        *(Path(place) / "effective_theory" for place in users if os.path.isabs(place)),
    ]
    folders = (place / f"kernels-{_source_hash()}" for place in places)
    return next((folder for folder in folders if _is_writable(folder)), None)


_FOLDER = cache_folder()


_told: set[str] = set()


def _tell(sentence: str) -> None:
    """Say something once in a process."""
    if sentence not in _told:
        _told.add(sentence)
        note(sentence)


def _tell_unkept(where: str = "") -> None:
    """Say once that nothing is kept."""
    if not is_worker():
        _tell(
            f"compiled code cannot be kept{where}, so that every process compiles for itself; "
            "set NUMBA_CACHE_DIR to a folder that can be written to."
        )


class _Files(caching.IndexDataCacheFile):
    """Numba's files of one kernel, each with a digest at its end; damaged ones count as absent.

    Numba writes a file aside and renames it, but after a power cut it may be empty or cut all the
    same: loading fails for ever after, or yields code that is not what was compiled.
    """

    @contextlib.contextmanager
    def _open_for_write(self, filepath: str) -> Iterator[io.BytesIO]:
        content = io.BytesIO()
        yield content
        with super()._open_for_write(filepath) as file:
            # Numba reads pickles, which know their own end.
            file.write(content.getvalue() + hashlib.sha256(content.getvalue()).digest())

    def _load_index(self) -> Any:
        return super()._load_index() if self._is_whole(self._index_path) else {}

    def _load_data(self, name: str) -> Any:
        if not self._is_whole(self._data_path(name)):
            raise FileNotFoundError(name)
        return super()._load_data(name)

    def _is_whole(self, path: str) -> bool:
        try:
            content = Path(path).read_bytes()
        except FileNotFoundError:
            return True  # Numba knows what to do
        except OSError:
            content = b""
        size = hashlib.sha256().digest_size
        whole = hashlib.sha256(content[:-size]).digest() == content[-size:]
        if not whole:
            _tell(f"compiled code in {self._cache_path} is damaged; it is compiled anew.")
        return whole


class _Cache(caching.FunctionCache):
    """What the folder keeps of one kernel."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        files = self._cache_file
        self._cache_file = _Files(self._cache_path, self._impl.filename_base, files._source_stamp)

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except OSError as error:
            _tell_unkept(f" in {self._cache_path} ({error.strerror})")


class _NoCache(caching.NullCache):
    """What keeps nothing, as no folder can be written to."""

    def load_overload(self, sig: Any, target_context: Any) -> None:
        _tell_unkept()


def is_compiled(function: Any) -> bool:
    """Return whether this process or the folder holds a compiled version of a kernel."""
    if getattr(function, "signatures", ()):
        return True
    return _FOLDER is not None and any(_FOLDER.rglob(f"*.{function.__name__}-*.nbi"))


def kernel(function: Callable[P, T]) -> Callable[P, T]:
    """Compile ``function`` on its first call, without the GIL, and keep the result on disk.

    Arithmetic is IEEE's: a count divided by a count is the same float64 as in Python.
    """
    return _compiled(function, fastmath=False)


def fast_kernel(function: Callable[P, T]) -> Callable[P, T]:
    """Compile ``function`` likewise, with sums reordered and products added in one rounding."""
    return _compiled(function, fastmath=FAST_MATH)


def _compiled(function: Callable[P, T], fastmath: bool | set[str]) -> Callable[P, T]:
    compiled: Any = numba.njit(error_model="numpy", fastmath=fastmath, nogil=True)(function)
    if compiled is not function:  # as it is with NUMBA_DISABLE_JIT
        compiled._cache = _cache(function)
    result: Callable[P, T] = compiled
    return result


def _cache(function: Callable[..., Any]) -> caching._Cache:
    """Return what keeps the compiled versions of a function."""
    if _FOLDER is None:
        return _NoCache()
    # Numba reads the settings once, when a cache is made: the caller's are put back. The second is
    # there from 0.62 on.
    wanted = {"CACHE_DIR": str(_FOLDER), "CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator"}
    previous = {name: getattr(config, name) for name in wanted if hasattr(config, name)}
    vars(config).update({name: wanted[name] for name in previous})
    try:
        return _Cache(function)
    except RuntimeError:  # no place for this function's files in the folder
        return _NoCache()
    finally:
        vars(config).update(previous)
