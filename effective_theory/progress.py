"""Progress that is seen: a bar in terminals and notebooks, a line now and then in logs."""

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator
from typing import Any

from effective_theory.notes import is_watched, note

#: Seconds until the first line in a log, and between two of them.
_SECONDS_BETWEEN_LINES = 60.0
_LINE = "{n_fmt} of {total_fmt}{unit}s, {rate_fmt}, {remaining} left"


@contextlib.contextmanager
def progress_bar(
    total: int, *, unit: str, initial: int = 0, progress: bool = True
) -> Iterator[Callable[[int], object]]:
    """Show how far some work has come, its rate and the time that remains, on stderr.

    Parameters
    ----------
    total
        Units of the work.
    unit
        Name of one of them, such as "run".
    initial
        Units that were done before.
    progress
        Whether anything is shown.

    Yields
    ------
    callable
        To be called with the number of units that have been done since.
    """
    if not progress or sys.stderr is None:
        yield lambda count: None
        return
    with _bar()(total=total, initial=initial, unit=f" {unit}") as bar:
        yield bar.update


def _bar() -> Callable[..., Any]:
    """Return what shows progress here."""
    from tqdm import auto, autonotebook, std

    if autonotebook.tqdm is not std.tqdm or is_watched():
        return auto.tqdm
    return functools.partial(
        _log_lines(), miniters=1, mininterval=_SECONDS_BETWEEN_LINES,
        delay=_SECONDS_BETWEEN_LINES, bar_format=_LINE,
    )  # fmt: skip


@functools.cache
def _log_lines() -> Callable[..., Any]:
    """Return the class of what prints lines; made late, as not every import needs tqdm."""
    from tqdm import std

    class LogLines(std.tqdm):  # type: ignore[type-arg]
        """Progress for what keeps lines and cannot redraw them."""

        #: No thread looks whether a line is due: the next unit does.
        monitor_interval = 0

        def display(self, msg: str | None = None, pos: int | None = None) -> None:
            """Print where the work is as a line of its own."""
            note(str(self))

        def close(self) -> None:
            """End without a line: what comes of the work is printed by others."""
            self.disable = True

    return LogLines
