"""Any command line ends in time: done, or with exit code 2 and one sentence that names the field.

Commands and their options are found where the packages register them: new ones are covered.
"""

import contextlib
import dataclasses
import io
import os
import re
import signal
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints
from unittest import mock

import joblib
import pytest
import tyro
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from effective_theory import cli as theory_cli
from phase_diagrams import RunSummary
from phase_diagrams import cli as sweep_cli
from phase_diagrams.pictures.door import Pictures
from phase_diagrams.sweeps.cell import Cell
from phase_diagrams.toy import cost
from phase_diagrams.toy.engine import NumbaEngine, run_cell
from phase_diagrams.toy.system import TOY
from validation import cli as validation_cli
from validation.engine.engine import TorchEngine
from validation.judge import typical_cells as trajectories

MAINS: dict[str, Callable[[Sequence[str]], int]] = {
    "effective_theory": theory_cli.main,
    "phase_diagrams": sweep_cli.main,
    "validation": validation_cli.main,
}
COMMANDS = {
    (package, name): command
    for package, module in (
        ("effective_theory", theory_cli),
        ("phase_diagrams", sweep_cli),
        ("validation", validation_cli),
    )
    for name, command in module.COMMANDS.items()
}
TINY = ("--p", "4", "--train-size", "5", "--width", "3", "--target-dim", "2", "--steps", "3")
AXIS = ("--axis", "decoder_lr=1e-3,1e-2")
#: Options with which a command takes no time; options that follow replace them.
BEGINNINGS = {
    ("effective_theory", "train"): TINY,
    ("effective_theory", "critical-size"): ("--p", "5", "--orders", "5"),
    ("phase_diagrams", "sweep"): (*AXIS, *TINY),
    ("phase_diagrams", "predict"): (*AXIS, *TINY),
    ("validation", "sweep"): (*AXIS, *TINY, "--device", "cpu"),
    ("validation", "toy"): (*AXIS, *TINY, "--device", "cpu", "--nudges", "2"),
    ("validation", "published"): ("--table", "notes.txt", "--device", "cpu"),
    ("validation", "run"): ("--quick", "--out", "experiment"),
    ("validation", "submit"): (*AXIS, *TINY, "--cluster", "debug", "--allow-dirty"),
}
STORE = "runs.sqlite"
JUNK = (
    *("0", "-0", "-1", "1", "2", "3", "1e-3", "0.5", "nan", "inf", "-inf", "1e39", "1e400"),
    *("9" * 25, "-" + "9" * 25, "9" * 5000, "1_0", "\u0663", "True", "None", "", " ", "a b"),
    *("--", "-", "@x", "\udcff", "\x1b[2J", "a\nb", "mse", "random", "released", "released-5b"),
    *("0/1", "0/1/2", "1,2,3", "decoder_lr=1e-3", "loss=mse,hinge", "train_size=1:5:3", "="),
    *("width=1,2", "steps=nan,1", "seeds=1", "batch_size=None,2", "p=3", "batch_size=0:1:2"),
    *(".", "..", "/dev/null", "/dev/full", "missing/x", STORE, "notes.txt", "x.png", "x.y"),
)


def fields(command: type) -> Iterator[tuple[str, Any, bool]]:
    """Name, type and whether it is positional of each field, those of nested options too."""
    hints = get_type_hints(command, include_extras=True)
    for field in dataclasses.fields(command):
        kind, positional = hints[field.name], False
        if get_origin(kind) is Annotated:
            kind, *marks = get_args(kind)
            positional = tyro.conf.Positional in marks
        if dataclasses.is_dataclass(kind):
            yield from fields(kind)  # type: ignore[arg-type]
        elif not field.name.startswith("_"):
            yield field.name, kind, positional


def options(command: type) -> dict[str, Any]:
    """Types of a command's options by their field's name."""
    return {name: kind for name, kind, positional in fields(command) if not positional}


def positionals(command: type) -> list[Any]:
    return [kind for _, kind, positional in fields(command) if positional]


def capped(self: object, cells: Iterable[Cell]) -> Iterator[tuple[Cell, RunSummary]]:
    """The simulator in this process, with budgets and widths cut: what is fuzzed is the rest."""
    for cell in cells:
        model = dataclasses.replace(
            cell.model, steps=min(cell.model.steps, 3), width=min(cell.model.width, 4)
        )
        yield cell, run_cell(dataclasses.replace(cell, model=model))


@pytest.fixture(scope="module", autouse=True)
def quick_and_contained() -> Iterator[None]:
    """A folder with a small store and a text; runs and pictures that take no time."""
    here = os.getcwd()
    with (
        tempfile.TemporaryDirectory() as folder,
        joblib.parallel_config(backend="threading"),
        pytest.MonkeyPatch.context() as patch,
        mock.patch.dict(TOY.starts),
    ):
        os.chdir(folder)
        for engine in (NumbaEngine, TorchEngine):
            patch.setattr(engine, "run", capped)
        patch.setattr(trajectories, "MOST_UPDATES", 3)
        patch.setattr(cost, "_TRIAL_UPDATES", 1)
        for name in ("__call__", "steps"):
            patch.setattr(Pictures, name, lambda self, **options: Figure((1, 1)))
        beginning = BEGINNINGS["phase_diagrams", "sweep"]
        assert sweep_cli.main(["sweep", *beginning, "--name", "small", "--store", STORE]) == 0
        Path("notes.txt").write_text("no store")
        yield
        os.chdir(here)


def outcome(package: str, arguments: Sequence[str]) -> tuple[int, str]:
    """Exit code and what was said on stderr; a command that hangs is ended and fails."""
    # As Python opens them: what cannot be encoded is an error on the one, escaped on the other.
    out = io.TextIOWrapper(io.BytesIO(), "utf-8")
    said = io.TextIOWrapper(io.BytesIO(), "utf-8", errors="backslashreplace")

    def hangs(signum: int, frame: object) -> None:
        raise AssertionError(f"hangs: {arguments}")

    previous = signal.signal(signal.SIGALRM, hangs)
    signal.alarm(120)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
            code = MAINS[package](arguments)
            out.flush()
    except SystemExit as exit:
        code = int(exit.code or 0)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
    said.seek(0)
    text = said.read()
    assert "Traceback" not in text
    if text.startswith("error:"):
        assert code in (1, 2) and re.fullmatch(r"error: [^\n]+\.\n", text), text
    else:
        assert code == 0, text
    return code, text


@st.composite
def command_lines(draw: st.DrawFn, package: str) -> list[str]:
    """A command with its beginning, then options with values that may be anything."""
    names = [name for found, name in COMMANDS if found == package]
    name = draw(st.sampled_from(names))
    command = COMMANDS[package, name]
    text = st.text(st.characters(exclude_characters="\0"), max_size=8)
    value = st.one_of(st.sampled_from(JUNK), st.sampled_from(JUNK), text)
    arguments = [name]
    for kind in positionals(command):
        likely = st.sampled_from([STORE, STORE, "notes.txt"]) if kind is Path else st.nothing()
        arguments.append(draw(st.one_of(likely, value) if kind is Path else text))
    arguments += BEGINNINGS.get((package, name), ())
    for option in draw(st.lists(st.sampled_from(sorted(options(command)) or ["x"]), max_size=3)):
        arguments.append("--" + option.replace("_", "-"))
        if options(command).get(option) is not bool:
            arguments.append(draw(value))
    return arguments


@pytest.mark.parametrize("package", MAINS)
def test_any_command_line_ends_with_what_it_says(package: str) -> None:
    @settings(max_examples=120, suppress_health_check=list(HealthCheck))
    @given(command_lines(package))
    def ends(arguments: list[str]) -> None:
        outcome(package, arguments)

    ends()


NAMED = ("sweep", *BEGINNINGS["phase_diagrams", "sweep"], "--jobs", "1")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["show", "missing\n\x1b[2J"], r"error: store missing\n\x1b[2J does not exist"),
        ([*NAMED, "--out", "\udcff"], ""),
        ([*NAMED, "--out", "a", "--name", "\udcff"], "error: name must be printable text"),
        ([*NAMED, "--out", "b", "--name", "\x1b[2J"], "error: name must be printable text"),
        ([*NAMED, "--out", "c", "--name", "Γ, π-2"], ""),
        ([*NAMED, "--out", "d", "--name", "Γ, π/2"], "error: name must be that of one folder"),
    ],
)
def test_names_that_no_terminal_shows_are_escaped_or_refused(
    arguments: list[str], expected: str
) -> None:
    code, said = outcome("phase_diagrams", arguments)
    assert (code, said) == (0, "") if not expected else code == 2 and said.startswith(expected)


#: What no field of that type takes.
WRONG: dict[Any, tuple[str, ...]] = {
    int: ("abc", "1.5", "-" + "9" * 25, "nan"),
    float: ("abc", "nan", "-1", "1e400"),
}


@pytest.mark.parametrize(("package", "name"), COMMANDS)
def test_a_wrong_value_is_refused_by_the_name_of_its_option(package: str, name: str) -> None:
    command = COMMANDS[package, name]
    given_first = [
        STORE if kind is Path else "simple-weight-decay" if kind is str else get_args(kind)[0]
        for kind in positionals(command)
    ]
    for option, kind in options(command).items():
        kinds = {part for part in (kind, *get_args(kind)) if part in WRONG}
        for value in {value for part in kinds for value in WRONG[part]}:
            flag = "--" + option.replace("_", "-")
            arguments = [name, *given_first, *BEGINNINGS.get((package, name), ()), flag, value]
            code, said = outcome(package, arguments)
            assert code == 2, arguments
            assert re.search(f"{option}|{flag}", said), (arguments, said)
