"""README and how-tos run as they stand there: each block of Python with its output, each command.

A comment `<!-- in tests: THIS => THAT -->` in a page makes what takes long short. Output stands
behind its block as a block of text; dots stand for what differs from machine to machine.
"""

import doctest
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = (
    *("README.md", "docs/how_to.md", "docs/prediction.md", "docs/cluster.md", "docs/own_task.md"),
    *("docs/own_trainer.md", "docs/images.md", "docs/networks.md", "docs/kernel_regime.md"),
)
MARK = re.compile(r"<!-- in tests: (.+?) => (.+?) -->\n")
PYTHON = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.M | re.S)
COMMAND = re.compile(r"^ {4}python (-m .+)$", re.M)
BETWEEN = "-- next block --"
pytestmark = pytest.mark.documents


def shortened(page: str) -> str:
    """A page's text with what its marks say."""
    text = (ROOT / page).read_text(encoding="utf-8")
    marks = MARK.findall(text)
    text = MARK.sub("", text)
    for this, that in marks:
        assert this in text, f"{page} marks what it does not have: {this}"
        text = text.replace(this, that)
    return text


def python_blocks(page: str) -> list[tuple[str, str]]:
    """Each block of a page and what it prints; README's is a doctest of its own."""
    return [pair for pair in PYTHON.findall(shortened(page)) if not pair[0].startswith(">>>")]


def run(arguments: list[str], folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, f"{arguments}: {done.stderr}"
    return done.stdout


@pytest.mark.parametrize("page", [page for page in PAGES if python_blocks(page)])
def test_the_blocks_of_a_page_print_what_stands_there(page: str, tmp_path: Path) -> None:
    if page in ("docs/own_trainer.md", "docs/images.md"):
        pytest.importorskip("sklearn", reason="scikit-learn is absent; install the extra [dev]")
    blocks = python_blocks(page)
    # Workers that import the script print nothing.
    between = f'\nif __name__ == "__main__":\n    print("{BETWEEN}", flush=True)\n'
    (tmp_path / "script.py").write_text(between.join(code for code, _ in blocks))
    printed = run(["-W", "ignore::UserWarning", "script.py"], tmp_path).split(f"{BETWEEN}\n")
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    for (code, expected), found in zip(blocks, printed, strict=True):
        same = doctest.OutputChecker().check_output(expected, found, options)
        assert same, f"{code}\nprinted\n{found}\nand not\n{expected}"


@pytest.mark.parametrize("page", [page for page in PAGES if COMMAND.search(shortened(page))])
def test_the_commands_of_a_page_run(page: str, tmp_path: Path) -> None:
    for line in COMMAND.findall(shortened(page)):
        run(shlex.split(line, comments=True), tmp_path)
