"""Command line: ``python -m phase_diagrams COMMAND``, each command in a file of its own."""

import os
import sys
from collections.abc import Sequence

from effective_theory.shell import Command, read_command, run_command
from phase_diagrams.commands.advise import advise_options
from phase_diagrams.commands.compare import Compare
from phase_diagrams.commands.export import Export
from phase_diagrams.commands.figure import PaperFigure
from phase_diagrams.commands.notes import run_with_notes
from phase_diagrams.commands.options import chosen_options, options_of
from phase_diagrams.commands.plot import Plot
from phase_diagrams.commands.predict import Predict
from phase_diagrams.commands.presets import Presets
from phase_diagrams.commands.provenance import PictureProvenance
from phase_diagrams.commands.refine import Refine
from phase_diagrams.commands.show import Show
from phase_diagrams.commands.sweep import Sweep
from phase_diagrams.sweeps.registry import first_system, load_installed

COMMANDS = {
    "sweep": options_of(first_system(), Sweep),
    "predict": options_of(first_system(), Predict),
    "refine": Refine,
    "advise": advise_options(),
    "plot": Plot,
    "show": Show,
    "export": Export,
    "compare": Compare,
    "figure": PaperFigure,
    "presets": Presets,
    "provenance": PictureProvenance,
}


#: Their options depend on the system.
_OF_A_SYSTEM: dict[str, type[Sweep] | type[Predict]] = {"sweep": Sweep, "predict": Predict}


def _hush_resource_tracker() -> None:
    """Let joblib's process that clears up after workers do so silently.

    It inherits the environment. After Ctrl-C it and the driver may remove one folder at a time, and
    it would print a warning about the loser.
    """
    given = os.environ.get("PYTHONWARNINGS", "")
    silence = "ignore:resource_tracker:UserWarning"
    if silence not in given:
        os.environ["PYTHONWARNINGS"] = ",".join(filter(None, (given, silence)))


def _run(arguments: Sequence[str], program: str) -> None:
    # What there is to be given depends on the systems that are known.
    commands, defaults = {**COMMANDS}, dict[str, Command]()
    match list(arguments[:1]):
        case ["sweep" | "predict" as name]:
            defaults[name] = chosen_options(arguments, _OF_A_SYSTEM[name])
            commands[name] = type(defaults[name])
        case ["advise"]:
            load_installed()
            commands["advise"] = advise_options()
    run_with_notes(read_command(program, commands, arguments, defaults))


def main(arguments: Sequence[str] | None = None, program: str = "python -m phase_diagrams") -> int:
    """Run the command line, which help calls ``program``, and return its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    _hush_resource_tracker()
    return run_command(lambda: _run(given, program))
