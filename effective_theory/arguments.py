"""Command-line arguments as tyro reads them, with errors of one sentence as ours are."""

import contextlib
import dataclasses
import difflib
import io
import itertools
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast, get_args, get_type_hints

from effective_theory.checks import InputError

if TYPE_CHECKING:
    from tyro.constructors import ConstructorRegistry

#: Above it floats leave out integers: such a number is to be written out.
_LARGEST_EXACT_FLOAT = 2**53
#: Columns that hold each of tyro's sentences in one line.
WIDE = 10_000
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_BORDER = re.compile(r"^[│|] ?|[ ]*[│|]$")
_RULE = re.compile(r"^[─-]+$")


def whole_number(text: str) -> int:
    """Return the integer that a text stands for, such as "10000" or "1e4".

    Raises
    ------
    ValueError
        If it stands for none.
    """
    with contextlib.suppress(ValueError):
        return int(text)
    with contextlib.suppress(ValueError):
        number = float(text)
        if number.is_integer() and abs(number) <= _LARGEST_EXACT_FLOAT:
            return int(number)
    raise ValueError(f"must be a whole number such as 10000 or 1e4, not {text!r}")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"must be a number, not {text!r}") from None


def numbers() -> "ConstructorRegistry":
    """Return tyro's rules for numbers: whole ones may be written as 1e4, and errors are ours."""
    from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo

    registry = ConstructorRegistry()
    kinds: dict[Any, Any] = {
        int: ("INT", whole_number),
        int | None: ("{None}|INT", lambda text: None if text == "None" else whole_number(text)),
        float: ("FLOAT", _number),
    }

    @registry.primitive_rule
    def rule(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | None:
        if info.type not in kinds:
            return None
        metavar, number = kinds[info.type]
        return PrimitiveConstructorSpec(
            nargs=1,
            metavar=metavar,
            instance_from_str=lambda texts: number(texts[0]),
            is_instance=lambda value: isinstance(value, info.type),
            str_from_instance=lambda value: [str(value)],
        )

    return registry


def require_command(commands: Mapping[str, object], arguments: Sequence[str]) -> None:
    """Raise InputError unless a command comes first, or one of tyro's own options."""
    choice = f"choose one of {', '.join(commands)}"
    word = arguments[0] if arguments else "-"
    if word in (*commands, "-h", "--help") or word.startswith("--tyro-"):
        return
    if word.startswith("-"):
        raise InputError(f"command is missing; {choice}.")
    nearest = _nearest(word, commands)
    remedy = f"{choice}." if nearest is None else f"the nearest is {nearest}."
    raise InputError(f"command {word!r} is unknown; {remedy}")


def require_understood(unknown: Sequence[str], command: type, usage: str) -> None:
    """Raise InputError where there are arguments that a command has no use for.

    Of several the first option is named: what follows may be its value. ``usage`` is the command
    line that lists what there is.
    """
    if not unknown:
        return
    word = next((word for word in unknown if word.startswith("-")), unknown[0])
    if not word.startswith("-"):
        raise InputError(f"argument {word!r} is one too many; see {usage}.")
    option = word.partition("=")[0]
    nearest = _nearest(option, _options(command))
    remedy = f"see {usage}." if nearest is None else f"the nearest is {nearest}."
    raise InputError(f"option {option} is unknown; {remedy}")


def _nearest(word: str, choices: Iterable[str]) -> str | None:
    return next(iter(difflib.get_close_matches(word, list(choices), n=1)), None)


def _options(command: type) -> Iterator[str]:
    """Yield the options of a command, those of nested dataclasses too."""
    import tyro

    hints = get_type_hints(command, include_extras=True)
    for field in dataclasses.fields(command):
        kind, *marks = get_args(hints[field.name]) or (hints[field.name],)
        if dataclasses.is_dataclass(kind):
            yield from _options(cast(type, kind))
        elif tyro.conf.Positional not in marks:
            no = "no-" if kind is bool and field.default is True else ""
            yield f"--{no}{field.name.replace('_', '-')}"


@contextlib.contextmanager
def errors_of_one_sentence(usage: str) -> Iterator[None]:
    """Raise InputError where tyro would print a box and exit; ``usage`` tells the user more."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stderr(printed):
            yield
    except SystemExit as exit:
        if exit.code:
            raise InputError(_sentence(printed.getvalue(), usage)) from None
        raise
    # Warnings, say.
    sys.stderr.write(printed.getvalue())


def _sentence(text: str, usage: str) -> str:
    """Return in one sentence what tyro says in a box; what is not known here stays as it is."""
    lines = [_BORDER.sub("", line).strip() for line in _COLOUR.sub("", text).splitlines()]
    # Below the title, which has a rule where boxes cannot be drawn, and above the next rule, below
    # which tyro tells how to ask for help.
    below = itertools.dropwhile(_RULE.match, lines[1:])
    content = list(itertools.takewhile(lambda line: not _RULE.match(line), below))
    said = " ".join(content).strip()
    if match := re.match(r"invalid choice '(.*)' for argument '(.*)'\. .* \((.*)\)\.$", said):
        value, argument, choices = match.groups()
        names = choices.replace("'", "").rstrip(",")
        return f"{argument} must be one of {names}, not {value!r}."
    if match := re.match(r"Missing value for argument [('\"]*([^'\"]+)", said):
        return f"{match[1]} needs a value; see {usage}."
    if match := re.match(r"Error parsing (\S+): (must be .*)", said):
        return f"{match[1]} {match[2]}."
    if said.startswith("Missing from") and said.endswith("(required)"):
        meanings = [line.removesuffix(" (required)").rstrip(".") for line in content[2::2]]
        absent = [f"{n} ({meaning})" for n, meaning in zip(content[1::2], meanings, strict=False)]
        return f"{' and '.join(absent)} must be given; see {usage}."
    return f"{said.rstrip('.')}; see {usage}."
