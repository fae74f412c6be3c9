"""Stacked cells are plain PyTorch, cell by cell, and leave each other alone."""

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from effective_theory import (
    Addition,
    Dataset,
    FiniteGroup,
    InitialState,
    ModularAddition,
    Task,
    ToyModel,
    train,
)
from phase_diagrams import released_start

torch = pytest.importorskip("torch", reason="needs the extra [validation]")

CPU = torch.device("cpu")
MODEL = ToyModel(
    width=20,
    target_dim=8,
    embedding_lr=1e-2,
    decoder_lr=1e-3,
    decoder_weight_decay=1.0,
    steps=1000,
    stop_when="never",
)
CASES: dict[str, tuple[Task, dict[str, Any]]] = {
    "mse": (Addition(5), {}),
    "cross-entropy": (Addition(5), {"loss": "cross_entropy"}),
    "two dimensions, decayed and penalised": (
        Addition(4),
        {"embedding_dim": 2, "embedding_weight_decay": 0.5, "embedding_penalty": 1e-2},
    ),
    "matrices that multiply": (
        FiniteGroup([[0, 1, 2], [1, 2, 0], [2, 0, 1]]),
        {"embedding_dim": 4, "embedding_penalty": 1e-3},
    ),
    "minibatches, modulus": (ModularAddition(5), {"batch_size": 4}),
}


def drawn(model: ToyModel, task: Task, seed: int = 3) -> tuple[Dataset, InitialState]:
    dataset = Dataset.split(task, task.size - 4, rng=seed)
    return dataset, InitialState.random(model, task, rng=seed)


def batch_of(*cells: tuple[ToyModel, Dataset, InitialState], places: int, dtype: Any) -> Any:
    from validation.engine.batch import Batch
    from validation.engine.stacked_model import Shape

    model, dataset, _ = cells[0]
    batch = Batch(Shape.of(model, dataset.task, dataset.train_size), places, CPU, dtype)
    for index, cell in enumerate(cells):
        batch.load(index, *cell)
    return batch


@pytest.mark.parametrize("name", CASES)
def test_a_cell_is_plain_pytorch(name: str) -> None:
    from validation import plain_training

    task, changes = CASES[name]
    model = dataclasses.replace(MODEL, **changes)
    dataset, state = drawn(model, task)
    neighbour = dataclasses.replace(model, decoder_lr=3e-3), *drawn(model, task, seed=4)
    batch = batch_of(neighbour, (model, dataset, state), places=3, dtype=torch.float64)
    while batch.measurements.update[1] < model.steps:
        batch.advance()
    parameters = [part[1].detach().clone() for part in batch.model.parameters]
    batch.advance()
    summary = dict(batch.ended())[1]

    batches = None
    if model.batch_size is not None:
        keys = np.random.default_rng(state.batch_seed).random((model.steps, dataset.train_size))
        batches = np.argsort(keys, axis=1)[:, : model.batch_size].tolist()
    rows, train_steps, test_steps = [], [], []
    for snapshot in plain_training(model, dataset, state, updates=model.steps, batches=batches):
        if snapshot.update in summary.curve[:, 0]:
            rows.append([snapshot.train_loss, snapshot.train_accuracy, snapshot.test_accuracy])
        if snapshot.train_accuracy >= model.train_threshold:
            train_steps.append(snapshot.update)
        if snapshot.test_accuracy >= model.test_threshold:
            test_steps.append(snapshot.update)
    np.testing.assert_allclose(summary.curve[:, [1, 3, 4]], rows, rtol=1e-10)
    assert summary.train_step == next(iter(train_steps), None)
    assert summary.test_step == next(iter(test_steps), None)
    assert summary.steps_run == model.steps and summary.status == "finished"
    network = snapshot.network
    layers = list(network.decoder)[::2]
    expected = [network.embeddings, *(x.weight.T for x in layers), *(x.bias for x in layers)]
    for found, wanted in zip(parameters, expected, strict=True):
        np.testing.assert_allclose(found.numpy(), wanted.detach().numpy(), atol=1e-10, rtol=1e-10)


def numbers(batch: Any, place: int) -> list[Any]:
    return [tensor[place].clone() for tensor in batch.state]


def test_neighbours_do_not_change_a_bit() -> None:
    """Not by their numbers, their places, their end or their NaNs."""
    mine = MODEL, *drawn(MODEL, Addition(5))
    explosive = dataclasses.replace(MODEL, decoder_lr=1e-2, decoder_weight_decay=250.0)
    diverging = explosive, *drawn(MODEL, Addition(5), seed=4)
    short = dataclasses.replace(MODEL, steps=30), *drawn(MODEL, Addition(5), seed=5)
    other = dataclasses.replace(MODEL, decoder_lr=1e-1), *drawn(MODEL, Addition(5), seed=6)
    expected: list[Any] | None = None
    for cells in ([mine, mine, mine], [mine], [diverging, short, mine, other], [other, mine]):
        batch = batch_of(*cells, places=4, dtype=torch.float32)
        for _ in range(16):
            batch.advance()
        place = cells.index(mine)
        found = numbers(batch, place)
        expected = expected or found
        for a, b in zip(found, expected, strict=True):
            assert torch.equal(torch.nan_to_num(a), torch.nan_to_num(b))
        if diverging in cells:
            ended = dict(batch.ended())
            assert {k: run.status for k, run in ended.items()} == {0: "diverged", 1: "finished"}
            assert not batch.model.decoder[0].isfinite().all()


def test_fewer_places_go_on_with_the_same_bits() -> None:
    cells = [(MODEL, *drawn(MODEL, Addition(5), seed)) for seed in range(4)]
    whole, moved = (batch_of(*cells, places=4, dtype=torch.float32) for _ in range(2))
    whole.advance(), moved.advance()
    moved.places[0] = moved.places[2] = None
    moved, kept = moved.smaller(2)
    assert kept == [1, 3]
    whole.advance(), moved.advance()
    for new, old in enumerate(kept):
        for a, b in zip(numbers(moved, new), numbers(whole, old), strict=True):
            assert torch.equal(torch.nan_to_num(a), torch.nan_to_num(b))


@pytest.mark.parametrize("name", CASES)
def test_an_update_never_waits_for_the_device(name: str) -> None:
    """What a CUDA graph records must not read a number on the host, nor move its buffers."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Watch(TorchDispatchMode):
        """Names operations whose result or shape the host has to know, or that copy to it."""

        def __init__(self) -> None:
            super().__init__()
            self.operations: set[str] = set()

        def __torch_dispatch__(
            self, function: Any, types: Any, arguments: Any = (), options: Any = None
        ) -> Any:
            self.operations.add(str(function.overloadpacket))
            return function(*arguments, **(options or {}))

    task, changes = CASES[name]
    model = dataclasses.replace(MODEL, **changes)
    batch = batch_of((model, *drawn(model, task)), places=2, dtype=torch.float32)
    before = [tensor.data_ptr() for tensor in batch.state]
    with Watch() as watch:
        batch._update(2)
    assert "aten.bmm" in watch.operations
    host = ("local_scalar_dense", "nonzero", "masked_select", "unique", "lift_fresh", "is_nonzero")
    assert not [name for name in watch.operations if name.endswith(host)]
    assert [tensor.data_ptr() for tensor in batch.state] == before
    assert batch.measurements.update.tolist() == [2, 0]


def test_a_parameter_that_is_not_finite_is_a_divergence_though_the_loss_is_finite() -> None:
    cell = MODEL, *drawn(MODEL, Addition(5))
    batch = batch_of(cell, cell, places=2, dtype=torch.float32)
    with torch.no_grad():
        batch.model.biases[0][0, 0] = math.inf  # its tanh is 1
    assert batch.model.sample_losses(batch.model.outputs()).isfinite().all()
    batch.advance()
    (run,) = [run for place, run in batch.ended() if place == 0]
    assert run.status == "diverged" and run.diverged_step == run.steps_run == 0
    assert run.curve.shape == (0, 6) and math.isnan(run.train_accuracy)
    assert batch.measurements.is_running.tolist() == [False, True]


def test_a_cell_of_two_symbols_has_no_rqi() -> None:
    model = dataclasses.replace(MODEL, steps=3)
    state = InitialState.random(model, Addition(2), rng=0)
    batch = batch_of((model, Dataset(Addition(2), [0, 1]), state), places=1, dtype=torch.float32)
    batch.advance()
    assert math.isnan(dict(batch.ended())[0].rqi)


def test_the_users_precision_is_put_back() -> None:
    from validation.engine.precision import full_precision

    kinds = torch.backends.cuda.matmul, torch.backends.cudnn.rnn, torch.backends.cudnn.conv
    before = [kind.fp32_precision for kind in kinds]
    try:
        for kind in kinds:
            kind.fp32_precision = "tf32"
        with pytest.raises(KeyboardInterrupt), full_precision():
            assert {kind.fp32_precision for kind in kinds} == {"ieee"}
            raise KeyboardInterrupt
        assert {kind.fp32_precision for kind in kinds} == {"tf32"}
    finally:
        for kind, precision in zip(kinds, before, strict=True):
            kind.fp32_precision = precision


@pytest.mark.parametrize(("threshold", "step"), [(1.0, None), (0.999, 0)])
def test_rqi_has_to_be_greater_than_its_threshold(threshold: float, step: int | None) -> None:
    model = dataclasses.replace(MODEL, rqi_threshold=threshold, steps=1)
    dataset, state = drawn(model, Addition(5))
    line = np.arange(5, dtype=np.float32)[:, None]
    state = dataclasses.replace(state, embeddings=line)
    batch = batch_of((model, dataset, state), places=1, dtype=torch.float32)
    batch.advance()
    run = dict(batch.ended())[0]
    assert run.rqi == 1.0
    assert run.rqi_step == train(model, dataset, state).rqi_step == step


@pytest.mark.parametrize(("far", "large"), [(0.0, 1.0), (1e4, 1.0), (0.0, 1e8), (1e4, 1e8)])
def test_the_nearest_target_is_chosen_wherever_targets_lie(far: float, large: float) -> None:
    """Against long doubles, where neither far targets nor large outputs cancel."""
    task = Addition(5)
    dataset, state = drawn(MODEL, task)
    assert state.targets is not None
    targets = (state.targets + np.float32(far)).astype(np.float32)
    cell = MODEL, dataset, dataclasses.replace(state, targets=targets)
    batch = batch_of(cell, cell, places=2, dtype=torch.float32)
    random = np.random.default_rng(0)
    places = random.integers(0, task.classes, (2, task.size))
    outputs = (targets[places] + random.standard_normal((2, task.size, 8))) * large
    outputs = outputs.astype(np.float32)
    apart = outputs[:, :, None].astype(np.longdouble) - targets.astype(np.longdouble)
    nearest = (apart**2).sum(axis=3).argmin(axis=2)
    labels = task.labels[np.concatenate([dataset.train, dataset.test])]
    found = batch.model.is_right(torch.from_numpy(outputs))
    np.testing.assert_array_equal(found.numpy(), nearest == labels)
    assert 0 < (nearest == labels).mean() < 1


def test_released_minibatches_are_those_of_the_start() -> None:
    """Two cells of one start share a stream, a third has its own."""
    from validation import plain_training

    model = dataclasses.replace(MODEL, target_dim=30, batch_size=45, steps=60)
    models = [dataclasses.replace(model, decoder_lr=rate) for rate in (1e-3, 3e-3)]
    cells = [(m, *released_start(m, Addition(10), 50, (0, 0))) for m in models]
    cells.append((model, *released_start(model, Addition(10), 50, (1, 1))))
    batch = batch_of(*cells, places=3, dtype=torch.float64)
    while batch.measurements.update.min() < 60:
        batch.advance()
    found = {index: summary.state for index, summary in batch.ended()}
    for index, (cell_model, dataset, state) in enumerate(cells):
        assert state.minibatches is not None
        batches = state.minibatches.begin(dataset, 45)(60).tolist()
        for snapshot in plain_training(cell_model, dataset, state, updates=60, batches=batches):
            expected = snapshot.network.embeddings.detach().numpy()
        np.testing.assert_allclose(found[index], expected, atol=1e-6)
