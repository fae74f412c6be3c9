"""Files that commands leave: what they may replace, and errors that name the path.

A file that is there already is replaced only if it begins like those of the same writer, and at
once: a failure while it is written leaves the old one.
"""

import contextlib
import io
import os
import re
import secrets
import stat
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from effective_theory.checks import InputError, path_of
from effective_theory.environment import environment_variable
from effective_theory.provenance import provenance

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class FileKind:
    """A kind of file that the project writes.

    Attributes
    ----------
    name
        What it is, as errors say it.
    begins
        Regular expression that its first bytes match.
    """

    name: str
    begins: bytes

    def is_that_of(self, path: str | Path) -> bool:
        """Return whether a regular file is of this kind."""
        return re.match(self.begins, _first_bytes(Path(path)), re.DOTALL) is not None


#: Bytes from the begin of a file that tell its kind.
_HEAD = 4096
#: What SQLite files begin with.
_DATABASE = b"SQLite format 3\0"
#: What SQLite keeps beside a database while it writes.
_BESIDE_A_DATABASE = ("-journal", "-wal", "-shm")
#: Where links lead to the streams of the process itself.
_STREAMS = (Path("/dev"), Path("/dev/fd"))

#: What PostScript's date is read from.
_DATE = "SOURCE_DATE_EPOCH"
#: Written into each PNG, so that it is known as ours.
_SOFTWARE = "grokking-effective-theory"
#: A PNG of ours: the only picture that is ever removed.
OUR_PICTURE = FileKind(
    "a picture of ours", rb"\x89PNG\r\n\x1a\n.*tEXtSoftware\0" + _SOFTWARE.encode()
)
#: Picture formats by ending.
_PICTURES = {
    ".png": rb"\x89PNG\r\n\x1a\n",
    ".pdf": rb"%PDF-",
    ".svg": rb".*<svg\b",
    ".jpg": rb"\xff\xd8\xff",
    ".jpeg": rb"\xff\xd8\xff",
    ".tif": rb"II\*\0|MM\0\*",
    ".tiff": rb"II\*\0|MM\0\*",
    ".webp": rb"RIFF.{4}WEBP",
    ".eps": rb"%!PS",
    ".ps": rb"%!PS",
}
#: Entries that would differ each time are left out; the keys under which each says what it shows
#: and what made it.
_METADATA: dict[str, tuple[dict[str, str | None], str, str]] = {
    ".png": ({"Software": _SOFTWARE}, "Description", "Comment"),
    ".pdf": ({"CreationDate": None}, "Subject", "Keywords"),
    ".svg": ({"Date": None}, "Description", "Source"),
}


def save_figure(figure: "Figure", path: str | Path, about: str = "") -> None:
    """Write a figure with what made it and without dates: the same command gives the same bytes.

    Parameters
    ----------
    figure
        The figure.
    path
        The picture; its ending decides the format.
    about
        What it shows, in words; PNG, PDF and SVG hold it as their description, and beside it
        what `effective_theory.provenance.read_provenance` reads.

    Raises
    ------
    InputError
        If the path cannot be written, its ending is no picture format, or the figure cannot be
        drawn in it.
    """
    import matplotlib

    ending = Path(path).suffix.lower()
    metadata: dict[str, str | None] = {}
    if ending in _METADATA:
        entries, description, origin = _METADATA[ending]
        metadata = {**entries, origin: provenance(about).to_text()}
        metadata |= {description: about} if about else {}
    try:
        # SVG names its parts by random numbers unless it is given a salt; PostScript holds a date,
        # for which this variable, if the user has not set it, gives one that stays the same.
        with (
            replacing(path, picture_kind(path)) as file,
            matplotlib.rc_context({"svg.hashsalt": "grokking"}),
            environment_variable(_DATE, os.environ.get(_DATE, "0")),
        ):
            figure.savefig(file, format=ending[1:], dpi=150, metadata=metadata or None)
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"picture {path} cannot be drawn ({error}).") from None


def png_of(figure: "Figure") -> bytes:
    """Return a figure as a notebook shows it."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=100)
    return file.getvalue()


def picture_kind(path: str | Path) -> FileKind:
    """Return the kind of picture that a path's ending means.

    Raises
    ------
    InputError
        If the ending is no picture format.
    """
    ending = Path(path).suffix.lower()
    if ending == "":
        raise InputError(f"path {path} has no ending; write {path}.png, .pdf or .svg.")
    if ending not in _PICTURES:
        raise InputError(
            f"path {path} cannot be written (its ending is no picture format); "
            "end it in .png, .pdf or .svg."
        )
    return FileKind(f"a {ending[1:].upper()} picture", _PICTURES[ending])


def require_picture(path: str | Path) -> None:
    """Check that a picture can be written there, before anything is computed for it.

    Raises
    ------
    InputError
        As by `require_writable`, or if the ending is no picture format.
    """
    require_writable(path, picture_kind(path))


def require_writable(path: str | Path, kind: FileKind) -> None:
    """Check that a file of some kind can be written to a path and replaces none of another kind.

    Raises
    ------
    InputError
        If the folder is missing or cannot be written to, or the path holds anything else: a store
        of runs, a file of another kind, a folder, a link.
    """
    path = path_of("path", path)
    refuse_database(path)
    try:
        mode = _mode(path)
    except (OSError, ValueError) as error:
        raise unwritable(path, error) from None
    if mode is None or stat.S_ISREG(mode):
        _require_place(path)
    if mode is None or _is_stream(path, mode):
        return
    if not stat.S_ISREG(mode):
        named = {stat.S_IFDIR: "a folder", stat.S_IFLNK: "a link"}
        what = named.get(stat.S_IFMT(mode), "no regular file")
        raise InputError(f"path {path} cannot be written (it is {what}); choose another one.")
    if path.stat().st_size > 0 and not kind.is_that_of(path):
        raise InputError(
            f"path {path} holds something else than {kind.name}; choose another one or remove it."
        )


def require_outputs(
    outputs: Mapping[Path, FileKind], folder: str | Path | None = None, store: Path | None = None
) -> None:
    """Check that outputs can be written, before anything is computed for them.

    Parameters
    ----------
    outputs
        Their paths and kinds.
    folder
        Their folder, made if it is not there; None where it must be there.
    store
        The store of runs, which may not be there yet.

    Raises
    ------
    InputError
        As by `require_folder` and `require_writable`, or if an output has the path of the store.
    """
    for path in outputs:
        if store is not None and _is_one_place(path, store):
            raise InputError(f"path {path} is both the store and an output; name another store.")
    if folder is not None:
        require_folder(folder)
    for path, kind in outputs.items():
        require_writable(path, kind)


def _is_one_place(path: str | Path, other: str | Path) -> bool:
    try:
        return os.path.realpath(path) == os.path.realpath(other)
    except ValueError:  # no path at all, such as one with a NUL: who opens it says so
        return False


def require_folder(path: str | Path) -> Path:
    """Return the folder, made if it is not there, and check that files can be written to it.

    Raises
    ------
    InputError
        If it cannot be made or written to.
    """
    folder = foreseen_folder(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from None
    return folder


def foreseen_folder(path: str | Path) -> Path:
    """Return the folder, and check that it could be made and written to, without making it.

    Raises
    ------
    InputError
        If it could not.
    """
    folder = path_of("path", path)
    try:
        there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
        if not there.is_dir():
            raise NotADirectoryError(20, os.strerror(20))
    except (OSError, ValueError) as error:
        raise unwritable(folder, error) from None
    if not os.access(there, os.W_OK | os.X_OK):
        raise InputError(f"path {folder} cannot be written to; choose another folder.")
    return folder


@contextlib.contextmanager
def replacing(path: str | Path, kind: FileKind) -> Iterator[IO[bytes]]:
    """Open a file that appears under its path, in place of an earlier one, once it is complete.

    Devices and pipes, such as /dev/stdout, are written as they stand.

    Raises
    ------
    InputError
        As by `require_writable`, or if writing fails.
    """
    path = path_of("path", path)
    require_writable(path, kind)
    try:
        if _is_stream(path, _mode(path)):
            with open(_own_stream(path) or path, "wb") as file:
                yield file
            return
        unfinished = path.with_name(f".{secrets.token_hex(8)}.new")
        try:
            with open(unfinished, "xb") as file:
                yield file
            os.replace(unfinished, path)
        finally:
            unfinished.unlink(missing_ok=True)
    except BrokenPipeError:
        raise  # the reader has gone
    except OSError as error:
        raise unwritable(path, error) from None


def refuse_database(path: str | Path) -> None:
    """Raise InputError where a file to be written would replace a store of runs.

    So would one in the place where SQLite keeps what it has not finished writing to a store.
    """
    path = path_of("path", path)
    stores = [path]
    stores += [
        path.with_name(path.name.removesuffix(ending))
        for ending in _BESIDE_A_DATABASE
        if path.name.endswith(ending) and path.name != ending
    ]
    for store in stores:
        if _first_bytes(store).startswith(_DATABASE):
            what = "holds" if store == path else "belongs to"
            raise InputError(f"path {path} {what} a store of runs; choose another one.")


def unwritable(path: str | Path, error: Exception) -> InputError:
    """Return the error that says that a path cannot be written."""
    reason = getattr(error, "strerror", None) or error
    return InputError(f"path {path} cannot be written ({reason}); choose another one.")


def _require_place(path: Path) -> None:
    """Check that a file can be put there, and that one that is there may be written."""
    try:
        mode = os.stat(path.parent).st_mode
    except OSError as error:
        raise unwritable(path, error) from None
    places = [path.parent, *([path] if path.exists() else [])]
    if not (stat.S_ISDIR(mode) and all(os.access(place, os.W_OK) for place in places)):
        raise unwritable(path, PermissionError(13, os.strerror(13)))


def _mode(path: Path) -> int | None:
    """Return what is at a path, without following a link; None for nothing."""
    try:
        return os.lstat(path).st_mode
    except FileNotFoundError:
        return None


def _is_stream(path: Path, mode: int | None) -> bool:
    """Return whether a path is that of a device, a pipe or a stream of this process."""
    if mode is None:
        return False
    return _is_own_link(path, mode) or stat.S_ISCHR(mode) or stat.S_ISFIFO(mode)


def _is_own_link(path: Path, mode: int) -> bool:
    return stat.S_ISLNK(mode) and path.parent in _STREAMS


def _own_stream(path: Path) -> int | None:
    """Return a stream of this process that a link such as /dev/stdout leads to.

    Opened by its name, a file behind it would be emptied, and lose what was written there before.
    """
    if not _is_own_link(path, _mode(path) or 0):
        return None
    number = path.name if path.name.isdecimal() else Path(os.readlink(path)).name
    if not number.isdecimal():
        return None
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return os.dup(int(number))


def _first_bytes(path: Path) -> bytes:
    """Return how a regular file begins; nothing for what is none or cannot be read."""
    try:
        if not path.is_file():
            return b""
        with open(path, "rb") as file:
            return file.read(_HEAD)
    except (OSError, ValueError):
        return b""
