"""Command line: ``python -m validation COMMAND``, each command in a file of its own."""

import sys
from collections.abc import Sequence

from effective_theory.shell import Command, read_command, run_command
from phase_diagrams.commands.notes import run_with_notes
from phase_diagrams.commands.options import chosen_options, options_of
from phase_diagrams.commands.sweep import Sweep
from phase_diagrams.toy.system import TOY
from validation.commands.collect import Collect
from validation.commands.list import Ledger
from validation.commands.published import Published
from validation.commands.run import RunExperiment
from validation.commands.status import Status
from validation.commands.submit import Submit
from validation.commands.sweep import TorchSweep
from validation.commands.toy import Toy

COMMANDS = {
    "sweep": options_of(TOY, TorchSweep),
    "toy": options_of(TOY, Toy),
    "published": Published,
    "run": RunExperiment,
    "list": Ledger,
    "submit": options_of(TOY, Submit),
    "status": Status,
    "collect": Collect,
}


def _run(arguments: Sequence[str], program: str) -> None:
    # What there is to be given depends on the system that is swept.
    commands, defaults = {**COMMANDS}, dict[str, Command]()
    match list(arguments[:1]):
        case ["sweep"]:
            # What is not a toy model has an engine of its own, whose options are other ones.
            own = chosen_options(arguments, Sweep)
            in_torch = own.swept is TOY
            defaults["sweep"] = chosen_options(arguments, TorchSweep) if in_torch else own
        case ["toy"]:
            defaults["toy"] = chosen_options(arguments, Toy)
        case ["submit"]:
            defaults["submit"] = chosen_options(arguments, Submit)
    commands |= {name: type(default) for name, default in defaults.items()}
    run_with_notes(read_command(program, commands, arguments, defaults))


def main(arguments: Sequence[str] | None = None, program: str = "python -m validation") -> int:
    """Run the command line, which help calls ``program``, and return its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    return run_command(lambda: _run(given, program))
