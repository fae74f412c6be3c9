"""Documents speak of what is there."""

import re
from pathlib import Path

import pytest

from effective_theory.provenance import read_provenance

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)")
PATH = re.compile(r"`((?:effective_theory|phase_diagrams|validation)/[\w/.]+)`")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    links = [link for link in LINK.findall(path.read_text()) if "://" not in link]
    missing = [link for link in links if not (path.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_named_files_are_there(path: Path) -> None:
    missing = [name for name in PATH.findall(path.read_text()) if not (ROOT / name).exists()]
    assert not missing


@pytest.mark.parametrize("package", ["effective_theory", "phase_diagrams", "validation"])
def test_the_picture_of_the_rooms_shows_each_of_them(package: str) -> None:
    """Files of the top level and folders, as a listing shows them, stand in its section."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    section = text.split(f"\n## {package}\n")[1].split("\n## ")[0]
    names = {
        path.stem if path.suffix == ".py" else path.name
        for path in (ROOT / package).iterdir()
        if (path.suffix == ".py" or path.is_dir()) and not path.name.startswith(("__", "."))
    }
    names -= {"records"}  # numbers, no code
    missing = sorted(name for name in names if not re.search(rf"\b{name}\b", section))
    assert not missing


@pytest.mark.parametrize("path", sorted(ROOT.glob("docs/**/*.png")), ids=lambda path: path.name)
def test_a_picture_says_what_made_it(path: Path) -> None:
    made_by = read_provenance(path)
    assert made_by.command and made_by.commit and made_by.about
    assert "with changes" not in made_by.commit
