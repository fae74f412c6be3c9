"""The console script ``grokking``: the command lines of the three packages as its sub-commands.

It lies in the package that may import the other two. Unlike ``python -m phase_diagrams``, a console
script does not look for packages in the working directory first, where a user may have a
validation.py.
"""

import importlib
import sys
from collections.abc import Sequence

#: The packages by the names of their sub-commands, with what they are for.
_PACKAGES = {
    "effective-theory": ("effective_theory", "the theory, and single trainings of the toy model"),
    "phase-diagrams": ("phase_diagrams", "sweeps of the toy model, their pictures and tables"),
    "validation": ("validation", "PyTorch beside the simulator, and sweeps on a cluster"),
}


def _help() -> str:
    longest = max(map(len, _PACKAGES))
    lines = [f"  {name:{longest}}  {purpose}" for name, (_, purpose) in _PACKAGES.items()]
    return "\n".join(
        [
            f"usage: grokking [-h] [--version] {{{','.join(_PACKAGES)}}} COMMAND ..",
            "",
            *lines,
            "",
            "Each lists its commands with --help, such as grokking phase-diagrams --help.",
        ]
    )


def _answer(arguments: Sequence[str]) -> None:
    """Print the version or the help, or raise InputError for what is neither."""
    from effective_theory.arguments import require_command

    if arguments == ["--version"]:
        from effective_theory.installation import project_version

        print(f"grokking {project_version()}")
        return
    require_command(_PACKAGES, arguments)
    print(_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line of a package and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and given[0] in _PACKAGES:
        package, _ = _PACKAGES[given[0]]
        cli = importlib.import_module(f"{package}.cli")
        return int(cli.main(given[1:], program=f"grokking {given[0]}"))
    from effective_theory.shell import run_command

    return run_command(lambda: _answer(given))
