"""Each command that README and pages show is understood as it stands there."""

import importlib
import re
import shlex
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
COMMAND = re.compile(r"^ {4}python -m (effective_theory|phase_diagrams|validation) (.*)$", re.M)
#: What stands for a name of the reader's.
STAND_FOR = {"FILE": "table.csv", "NAME": "digits-grokking"}


def shown() -> list[tuple[str, str]]:
    """Package and arguments of each command, without comments."""
    found = {pair for page in PAGES for pair in COMMAND.findall(page.read_text(encoding="utf-8"))}
    return sorted((package, rest.split("#")[0].strip()) for package, rest in found)


def test_the_pages_show_commands() -> None:
    assert len(shown()) > 20


@pytest.mark.parametrize(("package", "text"), shown(), ids=lambda value: value[:60])
def test_a_command_is_understood(package: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = [STAND_FOR.get(word, word) for word in shlex.split(text) if word[0] not in "[<"]
    read: list[Any] = []
    if package == "validation":
        pytest.importorskip("torch", reason="needs the extra [validation]")
    cli = importlib.import_module(f"{package}.cli")
    understand = cli.read_command

    def only_read(*arguments: Any) -> Any:
        read.append(understand(*arguments))
        return SimpleNamespace(run=lambda: None)

    monkeypatch.setattr(cli, "read_command", only_read)
    assert cli.main(words) == 0
    (command,) = read
    if hasattr(command, "spec"):
        command.spec()
