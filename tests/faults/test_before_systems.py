"""A store that was written when sweeps knew the toy model alone is one of toy sweeps to the bit.

``before_systems/runs.sql`` holds four presets, each cut down to two values on each axis and a few
thousand updates, beside the tables that the same version exported. Neither is ever made anew.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from phase_diagrams import Cell, Source, Store, SweepSpec, load, sweep
from phase_diagrams.cli import main
from phase_diagrams.toy.engine import NumbaEngine
from tests.faults.test_formats import engine_of, store_of
from tests.faults.test_upgrades import Idle
from tests.stores import stored_rows

BEFORE = Path(__file__).parent / "before_systems"
#: What stands behind the columns of that version: header and rows.
SINCE = {
    "batch-size-mse": {",other_settings", ",default"},
    "released-5b": {",other_settings", ",default"},
    "fig6c": {",loss,adam_epsilon,other_settings", ",cross_entropy,1.9e-07,default"},
    "fig6d": {",embedding_dim,other_settings", ",9,default"},
}
NAMES = sorted(path.stem for path in BEFORE.glob("*.csv"))
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


class Noting(NumbaEngine):
    """The simulator, which notes what it is asked for."""

    def run(self, cells: Iterable[Cell]) -> Iterator[tuple[Cell, object]]:  # type: ignore[override]
        asked = list(cells)
        ASKED.extend(asked)
        return super().run(asked)


ASKED: list[Cell] = []


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return store_of(BEFORE / "runs.sql", tmp_path)


def test_there_are_stores_of_several_presets(store: Path) -> None:
    with Store(store) as kept:
        assert sorted(kept.sweeps()) == NAMES and len(NAMES) == 4


@pytest.mark.parametrize("name", NAMES)
def test_its_sweeps_are_read_and_written_as_they_were(name: str, store: Path) -> None:
    with Store(store) as kept:
        text = kept.sweeps()[name]
    assert SweepSpec.from_json(text).to_json() == text
    assert (load(store, name, engine=engine_of(store)).source == Source.MEASURED).all()


@pytest.mark.parametrize("name", NAMES)
def test_it_resumes_without_a_run(name: str, store: Path) -> None:
    rows, engine = stored_rows(store), engine_of(store)
    before = load(store, name, engine=engine)
    found = sweep(before.spec, store=store, name=name, engine=Idle(1, version=engine.version))
    assert found.rows() == before.rows() and stored_rows(store) == rows


@pytest.mark.parametrize("name", NAMES)
def test_a_further_seed_runs_alone(name: str, store: Path) -> None:
    rows, engine = stored_rows(store), engine_of(store)
    before = load(store, name, engine=engine)
    ASKED.clear()
    noting = Noting(1, version=engine.version)
    more = before.spec.with_more_seeds([11])
    found = sweep(more, store=store, name=name, engine=noting, progress=False)
    assert [cell.seed for cell in ASKED] == [(11, 11)] * 4
    assert (found.source == Source.MEASURED).all()
    assert found.sel(seed=before.spec.seeds[0]).rows() == before.rows()
    assert len(stored_rows(store)) == len(rows) + 4 and set(rows) <= set(stored_rows(store))


@pytest.mark.parametrize("name", NAMES)
def test_it_is_exported_byte_by_byte(name: str, store: Path, tmp_path: Path) -> None:
    """Behind the columns that there were stand settings that are no default."""
    table = tmp_path / "table.csv"
    engine = engine_of(store).identity
    assert main(["export", str(store), str(table), "--name", name, "--engine", engine]) == 0
    now, then = table.read_bytes().splitlines(), (BEFORE / f"{name}.csv").read_bytes().splitlines()
    assert [line[: len(old)] for line, old in zip(now, then, strict=True)] == then
    assert {line[len(old) :].decode() for line, old in zip(now, then, strict=True)} == SINCE[name]
