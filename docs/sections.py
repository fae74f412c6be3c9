"""Sections of a page that scripts make, between two comments that name the section."""

import re
from pathlib import Path


def write_section(page: Path, section: str, text: str) -> None:
    """Replace a section of a page; the comment that begins it names the script."""
    begin = rf"<!-- {re.escape(section)}: made by docs/\w+\.py -->\n"
    before = page.read_text(encoding="utf-8")
    found = re.search(rf"({begin}).*?(<!-- {re.escape(section)} end -->\n)", before, re.DOTALL)
    if found is None:
        raise SystemExit(f"{page} has no section {section}")
    after = f"{before[: found.end(1)]}{text}\n{before[found.start(2) :]}"
    page.write_text(after, encoding="utf-8")
