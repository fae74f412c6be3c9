"""Whatever is wrong with a command line is said in one sentence; numbers are read as written."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pytest
import tyro

from effective_theory.arguments import whole_number
from effective_theory.commands.train import ModelOptions
from effective_theory.shell import read_command, run_command


@dataclass(frozen=True)
class Measure:
    """Measure something."""

    source: Annotated[Path, tyro.conf.Positional]
    """Where it lies."""
    kind: Literal["length", "time"] = "length"
    """What is measured."""
    count: int = 3
    """How often."""
    most: int | None = None
    """At most."""
    rate: float = 0.5
    """How fast."""
    careful: bool = True
    """Take care."""
    model: ModelOptions = ModelOptions()

    def run(self) -> None:
        """Print what was read."""
        print(self.kind, self.count, self.most, self.rate, self.model.steps, self.model.batch_size)


def measure(*arguments: str) -> int:
    commands = {"measure": Measure, "other": Measure}
    return run_command(lambda: read_command("python -m laboratory", commands, arguments).run())


HELP = "python -m laboratory measure --help"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("", "command is missing; choose one of measure, other."),
        ("--count 3", "command is missing; choose one of measure, other."),
        ("mesure x", "command 'mesure' is unknown; the nearest is measure."),
        ("weigh x", "command 'weigh' is unknown; choose one of measure, other."),
        ("measure", f"PATH (Where it lies) must be given; see {HELP}."),
        ("measure x --rat 3", "option --rat is unknown; the nearest is --rate."),
        (
            "measure x --decoder-lrr=3",
            "option --decoder-lrr is unknown; the nearest is --decoder-lr.",
        ),
        (
            "measure x --no-carefull",
            "option --no-carefull is unknown; the nearest is --no-careful.",
        ),
        ("measure x --zzz 3", f"option --zzz is unknown; see {HELP}."),
        ("measure x y", f"argument 'y' is one too many; see {HELP}."),
        ("measure x --count", f"--count needs a value; see {HELP}."),
        ("measure x --kind mass", "--kind must be one of length, time, not 'mass'."),
        ("measure x --loss hinge", "--loss must be one of mse, cross_entropy, not 'hinge'."),
        ("measure x --rate fast", "--rate must be a number, not 'fast'."),
        *(
            (
                f"measure x {option} {text}",
                f"{option} must be a whole number such as 10000 or 1e4, not {text!r}.",
            )
            for option in ("--count", "--most", "--steps", "--batch-size")
            for text in ("abc", "1.5", "nan", "inf", "1e400", "1e23", "1e-3")
        ),
    ],
)
@pytest.mark.parametrize("columns", ["20", "80", "1000"])
def test_what_is_wrong_is_one_sentence(
    arguments: str,
    sentence: str,
    columns: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert measure(*arguments.split()) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", f"error: {sentence}\n")


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        ("", "length 3 None 0.5 100000 None"),
        ("--count 1e4 --most 2e3 --steps 1E5 --batch-size 1e1", "length 10000 2000 0.5 100000 10"),
        ("--count -2 --most None --batch-size None --rate 2", "length -2 None 2.0 100000 None"),
        ("--steps=500 --kind time", "time 3 None 0.5 500 None"),
    ],
)
def test_numbers_are_read_as_they_are_written(
    arguments: str, printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert measure("measure", "x", *arguments.split()) == 0
    assert capsys.readouterr().out.strip() == printed


def test_help_is_that_of_the_parser(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help"], ["measure", "-h"]):
        with pytest.raises(SystemExit) as exit:
            measure(*arguments)
        assert not exit.value.code
        printed = capsys.readouterr()
        assert "usage: python -m laboratory" in printed.out and printed.err == ""
    assert "--count INT" in printed.out and "--most {None}|INT" in printed.out


@pytest.mark.parametrize("number", [0, 7, 10_000, 2**53, -(10**6)])
def test_whole_numbers_may_be_written_as_floats(number: int) -> None:
    for text in (str(number), f"{number}.0", f"{number:e}" if number < 2**50 else str(number)):
        assert whole_number(text) == number
