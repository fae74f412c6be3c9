"""Command line: ``python -m validation sweep``."""

import sys
import warnings
from collections.abc import Sequence

from effective_theory.shell import read_command, run_command
from phase_diagrams.commands.sweep import preset_defaults
from validation.commands.sweep import TorchSweep

COMMANDS = {"sweep": TorchSweep}


def _run(arguments: Sequence[str]) -> None:
    defaults = {"sweep": preset_defaults(arguments, TorchSweep)}
    chosen = read_command("validation", COMMANDS, arguments, defaults)
    with warnings.catch_warnings():
        # Splits that cannot generalise are named in the summary.
        warnings.simplefilter("ignore", UserWarning)
        chosen.run()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    return run_command(lambda: _run(given))
