"""What made a picture is written into it, in three formats, and read again."""

import sys
from pathlib import Path

import pytest

from effective_theory import InputError
from effective_theory.figures import Picture
from effective_theory.files import save_figure
from effective_theory.provenance import provenance, read_provenance
from phase_diagrams.cli import main

ABOUT = 'task "Addition(p=10)", a\\b, (x) & <y>, lr 1e-4 – ü'


def picture() -> Picture:
    figure = Picture(figsize=(1, 1))
    figure.subplots()
    return figure


@pytest.mark.parametrize("ending", ["png", "pdf", "svg"])
def test_a_picture_says_what_made_it(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = "/somewhere/phase_diagrams/__main__.py"
    monkeypatch.setattr(sys, "argv", [program, "plot", "my runs.sqlite", "--at", "seed=(1)"])
    save_figure(picture(), tmp_path / f"one.{ending}", ABOUT)
    found = read_provenance(tmp_path / f"one.{ending}")
    assert found == provenance(ABOUT)
    assert found.command == "python -m phase_diagrams plot 'my runs.sqlite' --at 'seed=(1)'"
    assert found.version == provenance().version


def test_scripts_and_sessions_have_names(monkeypatch: pytest.MonkeyPatch) -> None:
    for called, told in (
        (["docs/figure6.py", "fig6a"], "python docs/figure6.py fig6a"),
        (["/usr/bin/grokking", "validation", "list"], "grokking validation list"),
        (["-c"], "a Python session"),
        (["/x/ipykernel_launcher.py", "-f", "secret.json"], "a notebook"),
    ):
        monkeypatch.setattr(sys, "argv", called)
        assert provenance().command == told


def test_the_command_prints_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_figure(picture(), tmp_path / "one.png", ABOUT)
    assert main(["provenance", str(tmp_path / "one.png")]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("command: ") and f"shows: {ABOUT}\n" in printed


def test_other_files_are_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    with pytest.raises(InputError, match=r"other\.png does not say what made it"):
        read_provenance(tmp_path / "other.png")
    marked = b"made by grokking-effective-theory "
    for content in (b'{"command": 1', b"[]", b"{}", b"[" * 90_000):
        (tmp_path / "forged.svg").write_bytes(marked + content)
        with pytest.raises(InputError, match="does not say what made it"):
            read_provenance(tmp_path / "forged.svg")
    assert main(["provenance", str(tmp_path / "missing.png")]) == 2
    assert "cannot be read" in capsys.readouterr().err
