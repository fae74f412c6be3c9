"""What may be wrong with a store's file, in one sentence with the remedy."""

import contextlib
import os
import sqlite3
import stat
import textwrap
from pathlib import Path

from effective_theory import InputError

#: Where SQLite locks a file: a byte for each kind of lock, and a range for readers.
_LOCKED_BYTES = range(0x4000_0000, 0x4000_0200)
_REMEDIES = {
    sqlite3.SQLITE_READONLY: "make the file and its folder writable",
    sqlite3.SQLITE_FULL: "make room on its disk and run the same again: finished runs are kept",
    sqlite3.SQLITE_IOERR: "see to its disk and run the same again: finished runs are kept",
    sqlite3.SQLITE_CANTOPEN: "make its folder writable",
    sqlite3.SQLITE_NOTADB: "name a run store",
}


class StoreError(InputError):
    """The store cannot be used; the message is one sentence that names it and the remedy."""


def regular_file(path: Path, *, create: bool) -> Path:
    """Return the absolute path of a store's file, with its folder made if it is to be created.

    To SQLite some names mean no file, such as ":memory:" and "file:x?mode=memory"; no absolute path
    does.

    Raises
    ------
    StoreError
        If there is no such file and none is to be created, or it is a folder, a device, a pipe or
        a socket.
    """
    try:
        file = path.absolute()
        try:
            kind = file.stat().st_mode
        except FileNotFoundError:
            if not create:
                raise
            file.parent.mkdir(parents=True, exist_ok=True)
            return file
    except FileNotFoundError:
        raise StoreError(
            f"store {path} does not exist; run a sweep that keeps its runs there first."
        ) from None
    except OSError as error:
        raise StoreError(f"store {path} cannot be opened ({error.strerror}).") from None
    except ValueError as error:  # a NUL in the name
        raise StoreError(f"store {path} cannot be opened ({error}).") from None
    if stat.S_ISDIR(kind):
        raise StoreError(f"store {path} is a folder; name a file in it.")
    if not stat.S_ISREG(kind):
        raise StoreError(
            f"store {path} is a device, pipe or socket, which keeps nothing; name a file."
        )
    return file


def damage(path: Path, what: str) -> StoreError:
    """Return the error that names what no store of ours can hold."""
    return StoreError(f"store {path} is damaged ({what}); restore a copy of it.")


def is_locked(error: sqlite3.Error) -> bool:
    """Return whether another process keeps the file locked."""
    return _code(error) == sqlite3.SQLITE_BUSY


def failure(path: Path, error: sqlite3.Error) -> StoreError:
    """Return SQLite's error as a sentence on the store."""
    code, said = _code(error), " ".join(str(error).split())
    if code == sqlite3.SQLITE_BUSY:
        return StoreError(
            f"store {path} is locked by {lock_holder(path)}; wait until that has ended, or end it, "
            "and run the same again: finished runs are kept."
        )
    if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_READONLY_DBMOVED:
        return StoreError(
            f"store {path} was moved, replaced or deleted while it was open; "
            "bring it back and run the same again: what it holds stays."
        )
    if code == sqlite3.SQLITE_CORRUPT:
        return damage(path, said)
    remedy = _REMEDIES.get(code, "check that it is a run store on a writable disk with space left")
    return StoreError(f"store {path} cannot be used ({said}); {remedy}.")


def _code(error: sqlite3.Error) -> int:
    """Return the primary code, of which SQLite's further ones are kinds."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def lock_holder(path: Path) -> str:
    """Return which process has locked a store, as far as this machine knows."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        inode = str(path.stat().st_ino)
        for line in Path("/proc/locks").read_text().splitlines():
            # .. POSIX ADVISORY WRITE, process, device:inode, first and last byte
            *_, process, place, first, _ = line.split()
            locks_store = place.rpartition(":")[2] == inode and int(first) in _LOCKED_BYTES
            if locks_store and int(process) not in (0, os.getpid()):
                return f"process {process}{_command(process)}"
    return "another process, perhaps on another machine"


def _command(process: str) -> str:
    """Return a process' command line in brackets, shortened; nothing where it is not told."""
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{process}/cmdline").read_text(errors="replace").split("\0")
        return f" ({textwrap.shorten(' '.join(words), 80, placeholder=' ..')})"
    return ""
