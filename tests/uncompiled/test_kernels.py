"""Every kernel at width 4 and p = 4, small enough to run uncompiled.

``make test`` runs these twice: compiled with all others, and with NUMBA_DISABLE_JIT=1, where each
line of each kernel is Python's and coverage sees it.
"""

import dataclasses
import itertools

import numpy as np
import pytest

from effective_theory import (
    Addition,
    Dataset,
    InitialState,
    ModularAddition,
    Task,
    ToyModel,
    critical_training_sizes,
    degrees_of_freedom,
    ideal_accuracy,
    permutation_group,
    predicted_accuracy,
    rqi,
    train,
)
from effective_theory.kernels import layout, products
from tests.effective_theory import enumeration

MODEL = ToyModel(width=4, target_dim=3, decoder_lr=1e-2, embedding_lr=1e-2, steps=4)
GROUP = permutation_group(2)


@pytest.mark.parametrize(
    ("task", "changes"),
    [
        (Addition(4), {}),
        (Addition(4), {"embedding_dim": 2, "embedding_penalty": 0.1}),
        (Addition(4), {"loss": "cross_entropy", "decoder_weight_decay": 2.0}),
        (Addition(4), {"batch_size": 3}),
        (ModularAddition(4), {"loss": "cross_entropy", "embedding_weight_decay": 2.0}),
        (GROUP, {"embedding_dim": 4, "embedding_penalty": 0.01}),
        (GROUP, {"embedding_dim": 1}),
    ],
)
def test_training_is_torchs(task: Task, changes: dict[str, object]) -> None:
    pytest.importorskip("torch", reason="the oracle is PyTorch: install extra [validation]")
    from validation import plain_training

    model = dataclasses.replace(MODEL, stop_when="never", **changes)  # type: ignore[arg-type]
    dataset = Dataset.split(task, task.size - 2 if task.size > 4 else 2, rng=0)
    state = InitialState.random(model, task, rng=1)
    batches = None
    if model.batch_size is not None:
        keys = np.random.default_rng(state.batch_seed).random((model.steps, dataset.train_size))
        batches = np.argsort(keys, axis=1)[:, : model.batch_size].tolist()
    run = train(model, dataset, state, record_every=1)
    assert run.history is not None and run.steps_run == 4
    snapshots = plain_training(model, dataset, state, updates=4, batches=batches)
    for snapshot in snapshots:
        k = snapshot.update
        assert run.history.train_loss[k] == pytest.approx(snapshot.train_loss, rel=1e-4)
        assert run.history.test_accuracy[k] == snapshot.test_accuracy
        expected = snapshot.network.embeddings.detach().numpy()
        np.testing.assert_allclose(run.history.embeddings[k], expected, atol=1e-4)
        if task.residual_threshold is not None:
            found, last = run.history.rqi[k], run.history.embeddings[k]
            np.testing.assert_equal(found, rqi(last, task))


@pytest.mark.parametrize(
    ("changes", "status", "update"),
    [
        ({"train_threshold": 0.0, "test_threshold": 0.0}, "stopped", 0),
        ({"stop_when": "all", "train_threshold": 0.0, "test_threshold": 0.0}, "finished", 4),
        ({"embedding_lr": 1e39}, "diverged", 1),
        ({"decoder_lr": 1e39}, "diverged", 1),
    ],
)
@pytest.mark.filterwarnings("ignore:(overflow|invalid value) encountered:RuntimeWarning")
def test_a_run_ends_as_it_says(changes: dict[str, object], status: str, update: int) -> None:
    model = dataclasses.replace(MODEL, rqi_threshold=1.0, **changes)  # type: ignore[arg-type]
    run = train(model, Dataset.split(Addition(4), 7, rng=0), rng=0)
    assert (run.status, run.steps_run) == (status, update)


def test_a_loss_that_is_not_finite_ends_a_run() -> None:
    """Targets so far away that the square of their distance is infinite in float32."""
    dataset = Dataset.split(Addition(4), 7, rng=0)
    state = InitialState.random(MODEL, dataset.task, rng=0)
    far = dataclasses.replace(state, targets=np.full((7, 3), 3e19, np.float32))
    with np.errstate(over="ignore", invalid="ignore"):
        run = train(MODEL, dataset, far)
    assert (run.status, run.diverged_step) == ("diverged", 0)


@pytest.mark.parametrize("rows", [2, 14])
@pytest.mark.parametrize("columns", [16, 32, 48, 64, 80])
def test_products_and_transposes(rows: int, columns: int) -> None:
    rng = np.random.default_rng(rows)
    a, b, c = (layout.matrix(*shape) for shape in ((rows, 5), (5, columns), (rows, columns)))
    a[:], b[:] = rng.standard_normal(a.shape), rng.standard_normal(b.shape)
    products.multiply(a[:rows, :5], b, c)
    np.testing.assert_allclose(c[:rows], a[:rows, :5] @ b[:5], atol=1e-5)
    transposed = layout.matrix(columns, rows)
    products.transpose(c, transposed)
    np.testing.assert_array_equal(transposed, c.T)


@pytest.mark.parametrize("size", [3, 5, 7, 10])
def test_theory_is_that_of_enumeration(size: int) -> None:
    dataset = Dataset.split(Addition(4), size, rng=size)
    implied = enumeration.implied(dataset)
    assert degrees_of_freedom(dataset) == enumeration.degrees_of_freedom(dataset)
    reached = enumeration.closure(dataset, implied)
    assert ideal_accuracy(dataset) == enumeration.accuracy(dataset, reached, "all")
    embeddings = np.array([[0.0], [1.0], [2.05], [4.0]])
    small = enumeration.small(dataset.task, embeddings, range(10), 0.5)
    share = len(small) / len(enumeration.parallelograms(dataset.task, range(10)))
    assert rqi(embeddings, dataset.task, threshold=0.5) == share
    assert np.isnan(rqi(np.ones((4, 1)), dataset.task))
    near = enumeration.small(dataset.task, embeddings, range(10))
    reached = enumeration.closure(dataset, near)
    assert predicted_accuracy(embeddings, dataset) == enumeration.accuracy(dataset, reached, "all")


def test_critical_sizes_are_those_of_growing_training_sets() -> None:
    task = Addition(4)
    found = critical_training_sizes(task, orders=20, rng=0)
    least = min(
        size
        for size in range(1, task.size + 1)
        if any(
            enumeration.degrees_of_freedom(Dataset(task, list(chosen))) == 2
            for chosen in itertools.combinations(range(task.size), size)
        )
    )
    assert least == 4 and found.min() >= least and found.max() <= task.size
    sizes = critical_training_sizes(GROUP, orders=3, rng=0)
    assert ((0 <= sizes) & (sizes <= GROUP.size)).all()
