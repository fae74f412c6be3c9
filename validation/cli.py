"""Command line: ``python -m validation COMMAND``, each command in a file of its own."""

import sys
from collections.abc import Sequence

from effective_theory.shell import Command, read_command, run_command
from phase_diagrams.commands.notes import run_with_notes
from phase_diagrams.commands.options import preset_defaults
from validation.commands.collect import Collect
from validation.commands.published import Published
from validation.commands.status import Status
from validation.commands.submit import Submit
from validation.commands.sweep import TorchSweep
from validation.commands.toy import Toy

COMMANDS = {
    "sweep": TorchSweep,
    "toy": Toy,
    "published": Published,
    "submit": Submit,
    "status": Status,
    "collect": Collect,
}


def _run(arguments: Sequence[str], program: str) -> None:
    defaults: dict[str, Command] = {
        "sweep": preset_defaults(arguments, TorchSweep),
        "toy": preset_defaults(arguments, Toy),
        "submit": preset_defaults(arguments, Submit),
    }
    run_with_notes(read_command(program, COMMANDS, arguments, defaults))


def main(arguments: Sequence[str] | None = None, program: str = "python -m validation") -> int:
    """Run the command line, which help calls ``program``, and return its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    return run_command(lambda: _run(given, program))
