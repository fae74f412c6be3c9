"""What is said on stderr beside the results."""

import contextlib
import multiprocessing
import sys
import warnings
from collections.abc import Iterable


def note(sentence: str) -> None:
    """Say something on stderr; where that is closed or full nobody listens, and all goes on."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            print(sentence, file=sys.stderr, flush=True)


def warn_each(sentences: Iterable[str], stacklevel: int = 2) -> None:
    """Warn of several things; the level is that of `warnings.warn` where this is called."""
    for sentence in sentences:
        warnings.warn(sentence, stacklevel=stacklevel + 1)


def is_worker() -> bool:
    """Return whether another Python process started this one, and says what concerns both."""
    return multiprocessing.parent_process() is not None


def is_watched() -> bool:
    """Return whether stderr is a terminal, on which progress can be shown."""
    return sys.stderr is not None and sys.stderr.isatty()
