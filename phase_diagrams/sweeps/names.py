"""Names of sweeps: each is one in a store, and of a folder beside others."""

import os

from effective_theory import InputError
from effective_theory.checks import printable


class ChangedSweep(UserWarning):
    """A name in a store stands for another sweep than before."""


#: Bytes in the name of a folder, on all common file systems.
_MOST_BYTES = 255
_SHOWN = 40


def require_name(name: str) -> str:
    """Return a new sweep's name, which must be able to name a folder and be read on a terminal.

    Stores may hold other names from before, which stay readable.

    Raises
    ------
    InputError
        If it is empty or too long, begins with a hyphen or a blank, ends with a blank, consists of
        dots, or holds a slash, a backslash or a character that is not printable.
    """
    if not isinstance(name, str) or not name.isprintable():
        raise InputError(f"name must be printable text, not {_short(name)}.")
    if name != name.strip() or not name.strip(".") or name.startswith("-"):
        raise InputError(
            "name must not be empty, begin with a hyphen or a blank, end with a blank or consist "
            f"of dots, as {_short(name)} does."
        )
    if "/" in name or "\\" in name:
        raise InputError(
            f"name must be that of one folder, without slashes, not {_short(name)}; "
            "give another place by --out and --store."
        )
    if len(os.fsencode(name)) > _MOST_BYTES:
        raise InputError(f"name must take at most {_MOST_BYTES} bytes, unlike {_short(name)}.")
    return name


def _short(name: object) -> str:
    text = printable(repr(name))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}.."
