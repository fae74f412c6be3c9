"""What the project's command lines share: how they are read and how they end."""

import contextlib
import importlib
import io
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FrameType
from typing import Annotated, Any, Protocol, TextIO, cast

from effective_theory.arguments import (
    WIDE,
    errors_of_one_sentence,
    numbers,
    require_command,
    require_understood,
)
from effective_theory.checks import InputError, RunError, printable
from effective_theory.environment import environment_variable
from effective_theory.notes import note

_PACKAGES = ("effective_theory", "phase_diagrams", "validation")
#: Columns of help: with fewer tyro's layout comes to no end, and lines of more are useless.
_LEAST_COLUMNS, _MOST_COLUMNS = 40, 500


class Command(Protocol):
    """Options of a command, which it runs with."""

    def run(self) -> None:
        """Do what the command is for."""


def read_command(
    program: str,
    commands: Mapping[str, type[Command]],
    arguments: Sequence[str],
    defaults: Mapping[str, Command] | None = None,
) -> Command:
    """Return the command that the arguments ask for, with its options.

    Parameters
    ----------
    program
        What the user calls, such as ``python -m effective_theory``.
    commands
        Dataclasses of options by the name of their command.
    arguments
        The arguments behind the program.
    defaults
        Options that stand for absent ones, by the name of the command.
    """
    import tyro

    # A hidden member keeps a package with one command a union, whose members are commands.
    union: Any = Annotated[None, tyro.conf.Suppress]
    for name, kind in commands.items():
        default = (defaults or {}).get(name, tyro.MISSING_NONPROP)
        union = union | Annotated[kind, tyro.conf.subcommand(name, default=default)]
    require_command(commands, arguments)
    command = f" {arguments[0]}" if arguments[0] in commands else ""
    usage = f"{program}{command} --help"
    # Sentences of errors are taken from tyro's boxes, in which each has one line.
    columns = min(max(shutil.get_terminal_size().columns, _LEAST_COLUMNS), _MOST_COLUMNS)
    asks_for_help = not {"-h", "--help"}.isdisjoint(arguments)
    with (
        environment_variable("COLUMNS", str(columns if asks_for_help else WIDE)),
        errors_of_one_sentence(usage),
        numbers(),
    ):
        chosen, unknown = tyro.cli(
            union,
            args=list(arguments),
            prog=program,
            config=(
                tyro.conf.OmitArgPrefixes,
                tyro.conf.OmitSubcommandPrefixes,
                tyro.conf.FlagCreatePairsOff,
            ),
            return_unknown_args=True,
        )
    require_understood(unknown, type(chosen), usage)
    return cast(Command, chosen)


def require_extra(extra: str, *packages: str) -> None:
    """Raise InputError where a package of an optional extra cannot be imported."""
    for package in packages:
        try:
            importlib.import_module(package)
        except (ImportError, OSError) as error:
            absent = isinstance(error, ModuleNotFoundError) and error.name == package
            reason = "is not installed" if absent else f"cannot be loaded ({error})"
            raise InputError(
                f"{package} {reason}; install the package's extra [{extra}]."
            ) from None


def run_command(main: Callable[[], None], *, keeps_runs: bool = True) -> int:
    """Run a command and return its exit code.

    Commands that keep finished runs go on with them when they are run again.

    0 when done; 2 with one sentence for bad input, 1 for a failure outside it; 130 after Ctrl-C
    and 143 after SIGTERM, each with one line; other errors are ours and keep their traceback.
    """
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            # Closed from the first: libraries and workers expect it, and the next file that is
            # opened would take its number.
            nowhere = open(os.devnull, "r+")
            os.set_inheritable(nowhere.fileno(), True)
            setattr(sys, name, nowhere)
    with contextlib.redirect_stderr(cast(TextIO, _Output(sys.stderr))):
        return _exit_code(main, keeps_runs)


def _exit_code(main: Callable[[], None], keeps_runs: bool) -> int:
    kept = "nothing was kept."
    if keeps_runs:
        kept = "finished runs are kept, run the same command to continue."
    previous = signal.signal(signal.SIGTERM, _terminate)
    try:
        # Commands only write files: no picture needs a window or a notebook.
        with environment_variable("MPLBACKEND", "agg"), _watched_output(), _named_imports():
            main()
    except InputError as error:
        note(f"error: {printable(str(error))}")  # names of files and sweeps may hold anything
        return 2
    except RunError as error:
        note(f"error: {printable(str(error))}")
        return 1
    except BrokenPipeError:
        # The reader of our output has gone, as `head` does: nothing is left to say.
        return 0
    except KeyboardInterrupt:
        note(f"interrupted; {kept}")
        return 130
    except _Terminated:
        note(f"terminated; {kept}")
        return 143
    finally:
        signal.signal(signal.SIGTERM, previous)
    return 0


class _Output:
    """Standard output or standard error, of which only the former's failures matter."""

    def __init__(self, stream: TextIO, failure: str | None = None) -> None:
        self._stream, self._failure = stream, failure

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with self._watched():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._watched():
            self._stream.flush()

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._discard()
            if self._failure is None:
                return
            if isinstance(error, BrokenPipeError):
                raise
            raise RunError(f"{self._failure} ({error.strerror}); send it elsewhere.") from None

    def _discard(self) -> None:
        """Let all that is still to be written vanish: Python would fail over it at its end."""
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


@contextlib.contextmanager
def _watched_output() -> Iterator[None]:
    """Print within a ``with`` block, and know at its end that all was written."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Names of files may hold what the terminal's encoding does not; stderr escapes it too.
        sys.stdout.reconfigure(errors="backslashreplace")
    output = _Output(sys.stdout, "standard output cannot be written to")
    with contextlib.redirect_stdout(cast(TextIO, output)):
        try:
            yield
        finally:
            output.flush()


@contextlib.contextmanager
def _named_imports() -> Iterator[None]:
    """Name the library that fails while it is loaded, over a setting or a damaged file of its own.

    Other errors pass: those of our own imports, too.
    """
    try:
        yield
    except Exception as error:
        library = _failed_import(error)
        if library is None or isinstance(error, InputError | RunError):
            raise
        raise RunError(
            f"{library} cannot be loaded ({type(error).__name__}: {error}); check its "
            "installation and its settings in the environment."
        ) from None


def _failed_import(error: Exception) -> str | None:
    """Return the library that was being loaded when it raised an error of its own."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    modules = [str(frame.f_globals.get("__name__", "")).partition(".")[0] for frame in frames]
    beyond = 1 + max((k for k, module in enumerate(modules) if module in _PACKAGES), default=-1)
    for frame, module in reversed(list(zip(frames, modules, strict=True))[beyond:]):
        if frame.f_code.co_name == "<module>":
            return module
    absent = error.name if isinstance(error, ModuleNotFoundError) else None
    return None if absent is None or absent.partition(".")[0] in _PACKAGES else absent


class _Terminated(BaseException):
    """SIGTERM, as an exception that lets files be closed on the way out."""


def _terminate(signum: int, frame: FrameType | None) -> None:
    raise _Terminated
