"""Sections of a page that scripts make, between two comments that name the section."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path


def read_section(page: Path, section: str) -> str:
    """Return a section of a page."""
    return _parts(page, section)[1].rstrip("\n")


def write_section(page: Path, section: str, text: str) -> None:
    """Replace a section of a page; the comment that begins it names the script."""
    before, _, after = _parts(page, section)
    page.write_text(f"{before}{text}\n{after}", encoding="utf-8")


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    rule = ["---"] * len(head)
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, rule, *rows])


def _parts(page: Path, section: str) -> tuple[str, str, str]:
    """Return a page before, in and after a section."""
    begin = rf"<!-- {re.escape(section)}: made by docs/\w+\.py -->\n"
    end = rf"<!-- {re.escape(section)} end -->\n"
    text = page.read_text(encoding="utf-8")
    found = re.search(rf"{begin}(.*?){end}", text, re.DOTALL)
    if found is None:
        raise SystemExit(f"{page} has no section {section}")
    return text[: found.start(1)], found[1], text[found.end(1) :]
