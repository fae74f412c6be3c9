"""Command line: ``python -m effective_theory train|figure|critical-size``."""

import sys
from collections.abc import Sequence

from effective_theory.commands.critical_size import CriticalSize
from effective_theory.commands.figure import Figure
from effective_theory.commands.train import Train
from effective_theory.shell import read_command, run_command

COMMANDS = {"train": Train, "figure": Figure, "critical-size": CriticalSize}


def _run(arguments: Sequence[str], program: str) -> None:
    read_command(program, COMMANDS, arguments).run()


def main(
    arguments: Sequence[str] | None = None, program: str = "python -m effective_theory"
) -> int:
    """Run the command line, which help calls ``program``, and return its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    return run_command(lambda: _run(given, program), keeps_runs=False)
