"""The tables of docs/prediction.md are what the kept runs and the code of today say."""

from importlib import import_module
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
pytestmark = [
    pytest.mark.documents,
    pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning"),
]


@pytest.mark.parametrize(
    ("section", "script"),
    [
        ("calibration", "calibration"),
        ("fig6a", "prediction"),
        ("random-fig6a", "prediction"),
        ("fig6b", "prediction"),
        ("random-fig6b", "prediction"),
        ("reliability", "prediction"),
    ],
)
def test_a_table_of_predictions_is_of_today(
    section: str, script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(name: str, *_: object) -> None:
        raise AssertionError(f"docs/trials.csv lacks {name}")

    monkeypatch.syspath_prepend(DOCS)
    monkeypatch.setattr(import_module("trials"), "make", make)
    module = import_module(script)
    made = module.table() if script == "calibration" else module.SECTIONS[section]()
    assert import_module("sections").read_section(DOCS / "prediction.md", section) == made
