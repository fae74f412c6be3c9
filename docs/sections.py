"""Sections of a page that a script makes, between two comments that name both."""

from pathlib import Path


def write_section(page: Path, section: str, text: str) -> None:
    """Replace a section of a page, made by the script of its name."""
    begin = f"<!-- {section}: made by docs/{page.stem}.py -->\n"
    end = f"<!-- {section} end -->\n"
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    if not found or end not in rest:
        raise SystemExit(f"{page} has no section {section}")
    after = rest.partition(end)[2]
    page.write_text(f"{before}{begin}{text}\n{end}{after}", encoding="utf-8")
