"""The console script ``grokking`` and the version: one for the three packages."""

import subprocess
import sys
import tomllib
from importlib import import_module, metadata
from pathlib import Path

import pytest

from effective_theory.installation import project_version
from validation.console import main

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PACKAGES = ("effective_theory", "phase_diagrams", "validation")


@pytest.fixture
def grokking(tmp_path: Path) -> list[str]:
    """The script as an installer writes it, in a folder of its own."""
    module, _, function = PROJECT["scripts"]["grokking"].partition(":")
    script = tmp_path / "bin" / "grokking"
    script.parent.mkdir()
    script.write_text(f"import sys\nfrom {module} import {function}\nsys.exit({function}())\n")
    return [sys.executable, str(script)]


def test_packages_of_these_names_in_the_working_directory_do_not_count(
    grokking: list[str], tmp_path: Path
) -> None:
    for package in PACKAGES:
        (tmp_path / f"{package}.py").write_text("raise SystemExit('the wrong module')")
    sweep = ["--axis", "width=3,4", "--p", "4", "--train-size", "6", "--steps", "2", "--jobs", "2"]
    for arguments, expected in (
        (["phase-diagrams", "presets"], "released-5b"),
        (["phase-diagrams", "sweep", *sweep, "--out", "out"], "X confusion 2"),
        (["effective-theory", "train", "--help"], "usage: grokking effective-theory train"),
        (["validation", "--help"], "usage: grokking validation"),
    ):
        result = subprocess.run(
            [*grokking, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, result.stderr
        assert expected in result.stdout
    # As a module it is not safe from them: that is what the script is for.
    module = subprocess.run(
        [sys.executable, "-m", "validation"], cwd=tmp_path, capture_output=True, text=True
    )
    assert "the wrong module" in module.stderr


def test_it_starts_without_what_few_commands_need(grokking: list[str]) -> None:
    script = Path(grokking[1])
    script.write_text(
        script.read_text().replace("sys.exit(main())", "main(['validation', 'status', 'x'])")
        + "print(*sorted({'torch', 'matplotlib', 'pandas', 'submitit'} & set(sys.modules)))\n"
    )
    result = subprocess.run(grokking, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "command is missing; choose one of effective-theory, phase-diagrams, validation."),
        (["validate"], "command 'validate' is unknown; the nearest is validation."),
        (["phase-diagrams", "swep"], "command 'swep' is unknown; the nearest is sweep."),
        (
            ["effective-theory", "train", "--steps"],
            "--steps needs a value; see grokking effective-theory train --help.",
        ),
    ],
)
def test_what_is_wrong_is_one_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err == f"error: {sentence}\n"


def test_it_tells_its_version_and_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"grokking {project_version()}\n"
    assert main(["--help"]) == 0
    printed = capsys.readouterr().out
    assert "grokking phase-diagrams --help" in printed and "effective-theory" in printed


def test_the_version_is_that_of_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PACKAGES:
        package = import_module(name)
        assert package.__version__ == metadata.version(PROJECT["name"]) == PROJECT["version"]
        with pytest.raises(AttributeError, match="no attribute 'version'"):
            _ = package.version

    def not_installed(package: str) -> str:
        raise metadata.PackageNotFoundError(package)

    monkeypatch.setattr(metadata, "version", not_installed)
    assert import_module("effective_theory").__version__ == "unknown"
