"""Identities of runs: as distinct as the runs, and readable back from what lies beside them."""

import dataclasses
import math
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from effective_theory import Addition, InputError, ToyModel
from effective_theory.task_registry import task_from_configuration
from phase_diagrams import SweepSpec
from phase_diagrams.sweeps.cell import Cell
from phase_diagrams.sweeps.identity import canonical_json, identify, read_canonical

SMALLEST, LARGEST = math.ulp(0.0), 1.7976931348623157e308
FLOATS = (
    *("embedding_lr", "decoder_lr", "embedding_weight_decay", "decoder_weight_decay"),
    "embedding_penalty",
)
floats = st.floats(min_value=0, allow_nan=False, allow_infinity=False, allow_subnormal=True)
fields = st.sampled_from(FLOATS)
models = st.builds(
    ToyModel,
    **dict.fromkeys(FLOATS, floats),
    embedding_dim=st.integers(1, 5),
    width=st.integers(1, 16_384),
    target_dim=st.integers(1, 30),
    loss=st.sampled_from(["mse", "cross_entropy"]),
    batch_size=st.one_of(st.none(), st.integers(1, 45)),
    **dict.fromkeys(("embedding_scale", "decoder_scale"), st.floats(0, 1e30)),
    **dict.fromkeys(("train_threshold", "test_threshold", "rqi_threshold"), st.floats(0, 1)),
    steps=st.integers(1, 10**12),
    stop_when=st.sampled_from(["accuracies", "all", "never"]),
)


def cell(model: ToyModel, seed: tuple[int, int] = (0, 0)) -> Cell:
    return Cell((0,), model, Addition(10), 45, "random", seed)


def identity(field: str, value: float) -> str:
    return cell(dataclasses.replace(ToyModel(), **{field: value})).cell_id  # type: ignore[arg-type]


@given(fields, floats, floats)
@example("decoder_lr", 0.0, SMALLEST)
@example("decoder_lr", 2 * SMALLEST, SMALLEST)
@example("decoder_lr", 0.1, math.nextafter(0.1, 1))
def test_distinct_floats_have_distinct_identities(field: str, a: float, b: float) -> None:
    assert (identity(field, a) == identity(field, b)) == (a == b)


@given(fields, floats)
@example("decoder_lr", 0.0)
@example("decoder_lr", SMALLEST)
@example("decoder_lr", 2.2250738585072014e-308)
def test_adjacent_floats_have_distinct_identities(field: str, a: float) -> None:
    assume(a < LARGEST)
    assert identity(field, a) != identity(field, math.nextafter(a, math.inf))


@given(fields)
def test_zero_has_one_identity(field: str) -> None:
    assert identity(field, 0) == identity(field, 0.0) == identity(field, -0.0)


@given(st.sampled_from([f.name for f in dataclasses.fields(ToyModel)]), models, models)
def test_each_field_but_the_budget_is_part_of_the_identity(
    name: str, model: ToyModel, other: ToyModel
) -> None:
    changed = dataclasses.replace(model, **{name: getattr(other, name)})
    same = name in ("steps", "stop_when") or getattr(model, name) == getattr(changed, name)
    assert (cell(model).cell_id == cell(changed).cell_id) == same


@given(models, st.tuples(st.integers(0, 2**64), st.integers(0, 2**64)))
def test_a_stored_configuration_reads_back_exactly_and_hashes_to_its_key(
    model: ToyModel, seed: tuple[int, int]
) -> None:
    run = cell(model, seed)
    content = read_canonical(run.configuration)
    again = Cell(
        (0,),
        ToyModel(**content["model"]),
        task_from_configuration(content["task"]),
        content["train_size"],
        content["start"],
        tuple(content["seed"]),
    )
    budget = {"steps": model.steps, "stop_when": model.stop_when}
    assert dataclasses.replace(again.model, **budget) == model
    assert (again.task, again.seed) == (run.task, run.seed)
    assert again.configuration == run.configuration
    assert identify(run.configuration) == run.cell_id == again.cell_id


@given(st.lists(floats.filter(lambda x: x <= 1e300), min_size=1, max_size=8, unique=True))
def test_a_specification_survives_its_text(values: list[float]) -> None:
    spec = SweepSpec(Addition(10), {"decoder_lr": sorted(values)}, ToyModel())
    again = SweepSpec.from_json(spec.to_json())
    assert again == spec
    assert [c.cell_id for c in again.cells()] == [c.cell_id for c in spec.cells()]
    assert len({c.cell_id for c in spec.cells()}) == len(values)


plain = st.one_of(floats, st.integers(), st.none(), st.booleans(), st.text())


@given(st.dictionaries(st.text(), plain))
@example({"start": "float:0x1p+0"})
def test_canonical_text_reads_back_exactly_or_is_refused(content: dict[str, object]) -> None:
    try:
        text = canonical_json(content)
    except InputError as error:
        assert "must not begin with 'float:'" in str(error)
        assert any(str(value).startswith("float:") for value in content.values())
        return
    assert read_canonical(text) == content


AXES: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(FLOATS, st.integers(0, 3) | floats),
    "adam_epsilon": st.sampled_from([1e-8, 1e-7]),
    "batch_size": st.none() | st.integers(1, 5),
    "loss": st.sampled_from(["mse", "cross_entropy"]),
    "steps": st.integers(1, 10),
    "stop_when": st.sampled_from(["accuracies", "all", "never"]),
    "train_size": st.integers(5, 54),
    "width": st.integers(1, 30),
}


@given(st.data(), models, st.sampled_from(["random", "released"]))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_cells_of_a_sweep_are_those_that_are_made_one_by_one(
    data: st.DataObject, model: ToyModel, start: str
) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(AXES)), min_size=1, max_size=3, unique=True))
    axes = {
        name: data.draw(st.lists(AXES[name], min_size=1, max_size=3, unique_by=repr))
        for name in names
    }
    try:
        spec = SweepSpec(Addition(10), axes, model, seeds=(0, (3, 1)), start=start)
    except InputError:  # such as a value that is there twice, once as an integer
        assume(False)
    require_plain_cells(spec)


@pytest.mark.parametrize("start", ["random", "released"])
@pytest.mark.parametrize("first", [None, 5])
def test_the_name_of_minibatches_is_in_the_text_of_those_cells_that_have_them(
    first: int | None, start: str
) -> None:
    sizes = [first, 7 if first is None else None]
    spec = SweepSpec(Addition(10), {"batch_size": sizes, "width": [4, 5]}, start=start)
    require_plain_cells(spec)
    named = ['"batches"' in cell.configuration for cell in spec.cells()]
    has = [start == "released" and cell.model.batch_size is not None for cell in spec.cells()]
    assert named == has


def require_plain_cells(spec: SweepSpec) -> None:
    """The cells of a sweep are equal, in text and type, to cells that are made one by one."""
    for cell in spec.cells():
        values = spec.values_at(cell.index)
        size = values.pop("train_size", spec.train_size)
        alone = dataclasses.replace(spec.model, **values)
        seed = spec.seeds[cell.index[-1]]
        assert repr(cell.model) == repr(alone)
        assert cell == Cell(cell.index, alone, spec.task, size, spec.start, seed)
        plain = Cell(cell.index, alone, spec.task, size, spec.start, seed)
        assert cell.configuration == plain.configuration == canonical_json(plain.content)
