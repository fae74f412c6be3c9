"""What commands say beside their results."""

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

from effective_theory.checks import printable
from effective_theory.shell import Command
from phase_diagrams.commands.options import SweepOptions
from phase_diagrams.sweeps.names import ChangedSweep


def run_with_notes(command: Command) -> None:
    """Run a command, and say what it replaces."""
    if isinstance(command, SweepOptions) and (sentence := command.replaced_axes()):
        _note(sentence)
    with _notes():
        command.run()


def _note(sentence: str) -> None:
    print(f"note: {printable(sentence)}", flush=True)


@contextlib.contextmanager
def _notes() -> Iterator[None]:
    """Print at once which sweep's name is given to another one; hush what the summary names."""
    shown = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, ChangedSweep):
            _note(str(message))
        else:
            shown(message, category, *place, **more)

    with warnings.catch_warnings():
        # Splits that cannot generalise are named in the summary.
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("always", ChangedSweep)
        warnings.showwarning = show
        yield
