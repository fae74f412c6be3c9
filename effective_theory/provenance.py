"""What made a picture: its command, version and commit, written into the file and read from it."""

import functools
import html
import json
import re
import shlex
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from effective_theory.checks import InputError, path_of, printable
from effective_theory.installation import checkout, commit_in_words, project_version

#: What a text in a picture begins with; the same in all formats, uncompressed.
_MARK = "made by grokking-effective-theory "
#: Longest text that is read; no command of a person has it.
_MOST = 100_000


@dataclass(frozen=True)
class Provenance:
    """What made a picture.

    Attributes
    ----------
    command
        As it was called.
    version
        Of this project.
    commit
        Of the checkout in hexadecimal, with " with changes" behind it if files differed from it;
        empty outside a git checkout.
    about
        What it shows: the configuration in words.
    """

    command: str
    version: str
    commit: str
    about: str

    def __str__(self) -> str:
        """Return one line for each."""
        commit = f", commit {self.commit}" if self.commit else ""
        lines = [f"command: {self.command}", f"made by: version {self.version}{commit}"]
        return "\n".join([*lines, f"shows: {self.about}"] if self.about else lines)

    def to_text(self) -> str:
        """Return what a file keeps: ASCII on one line."""
        return _MARK + json.dumps(asdict(self), sort_keys=True)


def provenance(about: str = "") -> Provenance:
    """Return what makes pictures in this process.

    Parameters
    ----------
    about
        What the picture shows.
    """
    return Provenance(_command(), project_version(), _commit(), about)


def read_provenance(path: str | Path) -> Provenance:
    """Return what made a picture, as the PNG, PDF or SVG file says.

    Raises
    ------
    InputError
        If the file cannot be read, or says nothing of it.
    """
    path = path_of("path", path)
    if path.exists() and not path.is_file():  # a device may have no end
        raise InputError(f"path {path} is no file.")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"path {path} cannot be read ({error.strerror}).") from None
    found = re.search(re.escape(_MARK.encode()) + rb"([ -~]{,%d})" % _MOST, content)
    text = "" if found is None else found[1].decode("ascii")
    if content.startswith(b"%PDF"):  # in which brackets and backslashes have one before them
        text = re.sub(r"\\([()\\])", r"\1", text)
    elif not content.startswith(b"\x89PNG"):
        text = html.unescape(text)
    try:
        fields, _ = json.JSONDecoder().raw_decode(text)
        return Provenance(**{name: printable(str(fields[name])) for name in _FIELDS})
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputError(
            f"path {path} does not say what made it; pictures that this project saves do, as PNG, "
            "PDF or SVG."
        ) from None


_FIELDS = tuple(Provenance.__dataclass_fields__)


def _command() -> str:
    """Return how this process was called, as one would type it."""
    program, *arguments = [*sys.argv] or [""]
    place = Path(program)
    if place.name == "__main__.py":
        words = ["python", "-m", place.parent.name, *arguments]
    elif place.name == "ipykernel_launcher.py":
        return "a notebook"
    elif program in ("", "-c", "-m"):
        return "a Python session"
    else:
        # Where an installed program lies says nothing.
        called = place.name if place.is_absolute() else str(place)
        words = [*(["python"] if place.suffix == ".py" else []), called, *arguments]
    return printable(shlex.join(words))


@functools.cache
def _commit() -> str:
    commit, changes = checkout(Path(__file__).parents[1])
    return "" if commit is None else commit_in_words(commit, bool(changes))
