"""The batched engine tells of a cell what the simulator tells, and keeps it under its own name."""

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from effective_theory import Addition, InputError, ModularAddition, ToyModel, permutation_group
from phase_diagrams import Phase, SweepSpec, load, numba_engine, sweep
from phase_diagrams.toy.engine import run_cell
from tests.stores import stored_rows

torch = pytest.importorskip("torch", reason="needs the extra [validation]")

pytestmark = pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")
MODEL = ToyModel(width=20, target_dim=8, embedding_lr=1e-2, steps=500)
SPEC = SweepSpec(
    Addition(6),
    {"decoder_lr": [1e-3, 3e-3], "decoder_weight_decay": [0.0, 2.0, 1000.0]},
    dataclasses.replace(MODEL, train_threshold=0.6, test_threshold=0.5),
    train_size=18,
    seeds=(5, (1, 0)),
)

GRIDS = {
    "rates": SPEC,
    "shapes": SweepSpec(
        Addition(5),
        {"width": [5, 20], "batch_size": [None, 3], "train_size": [8, 11]},
        dataclasses.replace(
            MODEL,
            steps=150,
            stop_when="all",
            train_threshold=0.08,
            test_threshold=0.2,
            rqi_threshold=0.05,
        ),
        train_size=11,
    ),
    "cross-entropy, modulus, budgets": SweepSpec(
        ModularAddition(4),
        {"steps": [3, 300], "embedding_weight_decay": [0.0, 1.0]},
        dataclasses.replace(MODEL, loss="cross_entropy", embedding_penalty=1e-3, batch_size=6),
        train_size=7,
        seeds=(1, 2),
    ),
    "permutations": SweepSpec(
        permutation_group(3),
        {"decoder_lr": [1e-3, 1e-2]},
        dataclasses.replace(MODEL, embedding_dim=9, embedding_scale=0.1, embedding_penalty=1e-3),
        train_size=24,
    ),
}


@pytest.mark.parametrize("name", GRIDS)
def test_a_sweep_is_the_simulators(name: str) -> None:
    import torch

    from validation import torch_engine
    from validation.engine.torch_origin import torch_origin

    # Four places: cells wait for them, and in the end the batch shrinks.
    found = dict(torch_engine("cpu", cells_per_batch=4).run(GRIDS[name].cells()))
    assert len(found) == GRIDS[name].size
    for cell, summary in found.items():
        expected = run_cell(cell)
        assert summary.origin == torch_origin(torch.device("cpu")) != expected.origin
        expected = dataclasses.replace(expected, origin=summary.origin)
        for field in dataclasses.fields(expected):
            ours, theirs = getattr(summary, field.name), getattr(expected, field.name)
            if isinstance(theirs, np.ndarray):
                assert ours.dtype == theirs.dtype
                finite = np.isfinite(theirs) & (np.abs(theirs) < 1e3)
                assert (np.isnan(ours) == np.isnan(theirs)).all()
                np.testing.assert_allclose(ours[finite], theirs[finite], rtol=1e-3, atol=1e-3)
            else:
                assert repr(ours) == repr(theirs), (cell.index, field.name)


def test_the_grids_show_what_they_should() -> None:
    diagram = sweep(SPEC, engine=numba_engine(1), progress=False)
    counts = diagram.counts()
    phases = Phase.COMPREHENSION, Phase.MEMORIZATION, Phase.CONFUSION, Phase.DIVERGED
    assert all(counts[phase] for phase in phases)
    shapes = dict(numba_engine(1).run(GRIDS["shapes"].cells()))
    assert {summary.status for summary in shapes.values()} == {"stopped", "finished"}


def test_it_resumes_and_keeps_its_own_results(tmp_path: Path) -> None:
    from validation import torch_engine

    engine = torch_engine("cpu", cells_per_batch=3)

    class Interrupted:
        identity, version = engine.identity, engine.version

        def run(self, cells: Iterable[Any]) -> Iterator[Any]:
            for number, result in enumerate(engine.run(cells)):
                if number == 4:
                    raise KeyboardInterrupt
                yield result

    store, whole = tmp_path / "runs.sqlite", tmp_path / "whole.sqlite"
    sweep(SPEC, store=store, engine=numba_engine(1), progress=False)
    simulated = stored_rows(store)
    with pytest.raises(KeyboardInterrupt):
        sweep(SPEC, store=store, engine=Interrupted(), progress=False)
    assert len(stored_rows(store)) == SPEC.size + 4
    assert load(store, engine=engine).counts()[Phase.NOT_RUN] == SPEC.size - 4
    resumed = sweep(SPEC, store=store, engine=engine, progress=False)
    again = sweep(SPEC, store=store, engine=Interrupted(), progress=False)
    assert resumed.rows() == again.rows()
    assert [row for row in stored_rows(store) if row in simulated] == simulated
    assert sorted(row[1] for row in stored_rows(store)) == (
        ["numba-float32"] * SPEC.size + ["torch-cpu-float32"] * SPEC.size
    )
    # On a CPU the bits depend neither on the interruption nor on how many cells go together.
    sweep(SPEC, store=whole, engine=torch_engine("cpu", cells_per_batch=5), progress=False)
    assert stored_rows(whole) == [row for row in stored_rows(store) if row not in simulated]


def test_lanes_share_the_cells_and_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from validation import torch_engine
    from validation.engine import engine as batched_engine
    from validation.engine.lane import Lane

    spec = GRIDS["cross-entropy, modulus, budgets"]
    one = dict(torch_engine("cpu", cells_per_batch=2).run(spec.cells()))
    taken: dict[int, int] = {}
    ended = Lane.ended

    def counted(lane: Lane) -> Any:
        found = ended(lane)
        taken[id(lane)] = taken.get(id(lane), 0) + len(found)
        return found

    monkeypatch.setattr(Lane, "ended", counted)
    monkeypatch.setitem(batched_engine.LANES, "cpu", 3)
    three = dict(torch_engine("cpu", cells_per_batch=2).run(spec.cells()))
    assert len(taken) == 3 and all(taken.values()) and sum(taken.values()) == spec.size
    assert three.keys() == one.keys()
    for cell, summary in one.items():
        for field in dataclasses.fields(summary):
            ours, theirs = getattr(three[cell], field.name), getattr(summary, field.name)
            np.testing.assert_array_equal(ours, theirs)


def test_the_name_tells_device_and_type() -> None:
    from validation import torch_engine

    assert torch_engine("cpu").identity == "torch-cpu-float32"
    assert torch_engine("cpu", torch.float64).identity == "torch-cpu-float64"
    default = "cuda" if torch.cuda.is_available() else "cpu"
    assert torch_engine().identity == f"torch-{default}-float32"


def test_runs_use_full_precision_and_leave_the_users_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from validation import torch_engine
    from validation.engine.stacked_model import StackedModel

    matmul, inside, outputs = torch.backends.cuda.matmul, set(), StackedModel.outputs

    def watched(self: StackedModel) -> Any:
        inside.add(matmul.fp32_precision)
        return outputs(self)

    monkeypatch.setattr(StackedModel, "outputs", watched)
    before = matmul.fp32_precision
    try:
        matmul.fp32_precision = "tf32"
        for _ in torch_engine("cpu").run(GRIDS["shapes"].cells()):
            assert matmul.fp32_precision == "tf32"
        assert inside == {"ieee"} and matmul.fp32_precision == "tf32"
    finally:
        matmul.fp32_precision = before


def test_large_cells_go_fewer_at_a_time() -> None:
    from validation import torch_engine
    from validation.engine.stacked_model import Shape

    engine = torch_engine("cpu")
    small, large = Shape.of(MODEL, Addition(6), 18), Shape.of(ToyModel(), Addition(100), 4000)
    assert engine.places(small) > engine.places(large) >= 2
    assert torch_engine("cpu", cells_per_batch=7).places(large) == 7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"device": "gpu"}, "device must be"),
        ({"device": "meta"}, "device must be"),
        ({"device": "cuda:99"}, "is not there for PyTorch"),
        ({"device": "cpu", "dtype": torch.float16}, "dtype must be torch.float32 or"),
        ({"device": "cpu", "dtype": "float32"}, "dtype must be torch.float32 or"),
        ({"device": "cpu", "cells_per_batch": 1}, "cells_per_batch must be at least 2"),
    ],
)
def test_what_cannot_be_is_refused(arguments: dict[str, Any], message: str) -> None:
    from validation import torch_engine

    with pytest.raises(InputError, match=message):
        torch_engine(**arguments)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch finds no GPU here")
@pytest.mark.parametrize("name", GRIDS)
def test_a_gpu_tells_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from validation import torch_engine
    from validation.engine import engine as batched_engine

    # Two lanes of four places, which become fewer.
    monkeypatch.setitem(batched_engine._LEAST_PLACES, "cuda", 2)
    spec = GRIDS[name]
    cpu = dict(torch_engine("cpu", torch.float64).run(spec.cells()))
    gpu = dict(torch_engine("cuda", torch.float64, cells_per_batch=4).run(spec.cells()))
    for cell, summary in cpu.items():
        for step in ("train_step", "test_step", "rqi_step", "diverged_step", "steps_run"):
            assert getattr(gpu[cell], step) == getattr(summary, step), (cell.index, step)
        if summary.status != "diverged":
            np.testing.assert_allclose(gpu[cell].curve, summary.curve, rtol=1e-8)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch finds no GPU here")
def test_a_graph_makes_the_updates_that_eager_code_makes() -> None:
    from validation.engine.batch import Batch
    from validation.engine.stacked_model import Shape

    cell = next(iter(SPEC.cells()))
    shape = Shape.of(cell.model, cell.task, cell.train_size)
    graph, eager = (Batch(shape, 2, torch.device("cuda"), torch.float64) for _ in range(2))
    eager._graph = None
    for batch in (graph, eager):
        batch.load(0, cell.model, *cell.draw())
    graph.advance()
    while eager.places[0].done < graph.places[0].done:
        eager.advance()
    for ours, theirs in zip(graph.state, eager.state, strict=True):
        torch.testing.assert_close(ours[0], theirs[0], rtol=1e-10, atol=1e-10, equal_nan=True)
