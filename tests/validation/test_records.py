"""Kept records: whole, made without changes to the code, and quoted as they are."""

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
#: Of the judge; those of experiments are read by tests/networks/test_experiments.py.
RECORDS = [
    path
    for path in sorted((ROOT / "validation" / "records").glob("*/report.json"))
    if "holds" in json.loads(path.read_text())
]


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.parent.name)
def test_a_record_holds_and_says_where_it_comes_from(path: Path) -> None:
    record: dict[str, Any] = json.loads(path.read_text(), parse_constant=pytest.fail)
    assert record["holds"] is True and all(bound["holds"] for bound in record["bounds"])
    assert record["nudges"] >= 8
    identical, cells = record["identical_starts"], record["cells"]
    equal = sum(cell["simulator"]["label"] == cell["pytorch"]["label"] for cell in cells)
    assert identical["equal_labels"] == equal and identical["cells"] == len(cells)
    for cell in cells:
        labels = [set(cell[engine]["nudged_labels"]) for engine in ("simulator", "pytorch")]
        assert labels[0] & labels[1]
        if cell["stable"]:
            assert cell["simulator"]["label"] == cell["pytorch"]["label"]
            for step in ("train_step", "test_step"):
                ours, theirs = (cell[engine][step] for engine in ("simulator", "pytorch"))
                assert ours == theirs or abs(ours - theirs) <= 1
    assert record["provenance"]["commit"] and not record["provenance"]["dirty"]
    assert path.with_name("agreement.png").read_bytes()[:4] == b"\x89PNG"


def test_the_readme_quotes_a_record() -> None:
    text = (ROOT / "README.md").read_text()
    (path,) = (path for path in RECORDS if path.parent.name == "released-5b-cpu")
    record = json.loads(path.read_text())
    identical = record["identical_starts"]
    assert f"{identical['equal_labels']} of {identical['cells']} labels" in text
    assert f"{100 * identical['commonest_label_share']:.1f} %" in text
    assert f"kappa {identical['kappa']:.3f}" in text
    stable = f"{identical['stable_cells_met']} of {identical['stable_cells']}"
    assert stable in text
    assert f"p = {record['nudged_starts']['p_values']['label']:.2g}" in text
