"""What the project's command lines share: how they are read and how they end."""

import dataclasses
import io
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Annotated, Any, Literal, Protocol, Self

from effective_theory.checks import InputError, RunError, printable
from effective_theory.tasks import Addition, FiniteGroup, ModularAddition, Task, permutation_group
from effective_theory.toy_model import ToyModel

TaskName = Literal["addition", "modular_addition", "permutation_group"]


@dataclass(frozen=True)
class ModelOptions(ToyModel):  # noqa: D101 (its text is the model's)
    __doc__ = ToyModel.__doc__

    def __post_init__(self) -> None:
        """Check nothing yet: `checked` does, and its error reaches the user in our own words."""

    @classmethod
    def of(cls, model: ToyModel) -> Self:
        """Return a model's fields as options."""
        return cls(**dataclasses.asdict(model))

    def checked(self) -> ToyModel:
        """Return the model that the options describe."""
        return ToyModel(**dataclasses.asdict(self))


def task_named(name: TaskName, p: int) -> Task:
    """Return the task that a command line means by a name and a number."""
    if name == "permutation_group":
        return permutation_group(p)
    return Addition(p) if name == "addition" else ModularAddition(p)


def name_of_task(task: Task) -> tuple[TaskName, int]:
    """Return the name and number by which a command line knows a task.

    Raises
    ------
    InputError
        If it is a group other than that of permutations.
    """
    if isinstance(task, Addition):
        return "addition", task.p
    if isinstance(task, ModularAddition):
        return "modular_addition", task.p
    if isinstance(task, FiniteGroup):
        for n in range(1, 6):
            if task == permutation_group(n):
                return "permutation_group", n
    raise InputError(f"task {task!r} has no name on the command line; sweep it from Python.")


class Command(Protocol):
    """Options of a command, which it runs with."""

    def run(self) -> None:
        """Do what the command is for."""


def read_command(
    package: str,
    commands: Mapping[str, type[Command]],
    arguments: Sequence[str],
    defaults: Mapping[str, Command] | None = None,
) -> Command:
    """Return the command that the arguments ask for, with its options.

    Parameters
    ----------
    package
        The package, as in ``python -m package``.
    commands
        Dataclasses of options by the name of their command.
    arguments
        The arguments behind the package.
    defaults
        Options that stand for absent ones, by the name of the command.
    """
    import tyro

    # A hidden member keeps a package with one command a union, whose members are commands.
    union: Any = Annotated[None, tyro.conf.Suppress]
    for name, kind in commands.items():
        default = (defaults or {}).get(name, tyro.MISSING_NONPROP)
        union = union | Annotated[kind, tyro.conf.subcommand(name, default=default)]
    chosen: Command = tyro.cli(
        union,
        args=list(arguments),
        prog=f"python -m {package}",
        config=(
            tyro.conf.OmitArgPrefixes,
            tyro.conf.OmitSubcommandPrefixes,
            tyro.conf.FlagCreatePairsOff,
        ),
    )
    return chosen


def run_command(main: Callable[[], None]) -> int:
    """Run a command and return its exit code.

    0 when done; 2 with one sentence for bad input, 1 for a failure outside it; 130 after Ctrl-C
    and 143 after SIGTERM, each with one line; other errors are ours and keep their traceback.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Names of files may hold what the terminal's encoding does not; stderr escapes it too.
        sys.stdout.reconfigure(errors="backslashreplace")
    previous = signal.signal(signal.SIGTERM, _terminate)
    try:
        main()
    except InputError as error:
        print(f"error: {_one_line(error)}", file=sys.stderr)
        return 2
    except RunError as error:
        print(f"error: {_one_line(error)}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader of our output has gone, as `head` does: nothing is left to say.
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        print("interrupted; what was stored stays, the same command goes on.", file=sys.stderr)
        return 130
    except _Terminated:
        print("terminated; what was stored stays, the same command goes on.", file=sys.stderr)
        return 143
    finally:
        signal.signal(signal.SIGTERM, previous)
    return 0


def _one_line(error: Exception) -> str:
    """Return the message with line breaks and control characters written as escapes.

    Names of files and sweeps are part of it, and they may hold anything.
    """
    return printable(str(error))


class _Terminated(BaseException):
    """SIGTERM, as an exception that lets files be closed on the way out."""


def _terminate(signum: int, frame: FrameType | None) -> None:
    raise _Terminated
