"""What sweeps, stores and draws asks entries of systems: nothing of it names the toy model."""

import ast
from pathlib import Path

import pytest

import phase_diagrams
from effective_theory import ToyModel

ROOM = Path(phase_diagrams.__file__).parent
MODULES = sorted(path for path in ROOM.rglob("*.py") if "toy" not in path.relative_to(ROOM).parts)
#: Names that the toy's entry alone may import.
TOYS = {"ToyModel", "InitialState", "train"}
#: Words that happen to be the names of fields: a picture of all steps, and the label of an axis.
WORDS = {("pictures/files.py", "steps"), ("runs/picture.py", "loss"), ("page/panels.py", "loss")}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOM)))
def test_no_module_but_the_toys_entry_names_the_toy_model(path: Path) -> None:
    name = str(path.relative_to(ROOM))
    fields = set(ToyModel.__dataclass_fields__)
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.ImportFrom(names=names):
                found += [each.name for each in names if each.name in TOYS]
            case ast.Attribute(value=ast.Name(id="effective_theory"), attr=attribute):
                found += [attribute] if attribute in TOYS else []
            case ast.Constant(value=str(text)) if text in fields and (name, text) not in WORDS:
                found.append(text)
    assert not found
