"""Training as a whole: against PyTorch, and against its own definitions."""

import dataclasses

import numpy as np
import pytest

from effective_theory import (
    Addition,
    Dataset,
    InitialState,
    InputError,
    ModularAddition,
    ToyModel,
    permutation_group,
    rqi,
    train,
)
from effective_theory import training as training_module
from effective_theory.kernels.compilation import is_compiled
from effective_theory.outcome import TrainingRun
from effective_theory.toy_model import LARGEST_SCALE, MOST_STEPS, MOST_UNITS


def crossings(run: TrainingRun) -> tuple[int | None, int | None, int | None]:
    """First crossings from a history of every update."""
    assert run.history is not None
    reached = (
        run.history.train_accuracy >= run.model.train_threshold,
        run.history.test_accuracy >= run.model.test_threshold,
        run.history.rqi > run.model.rqi_threshold,
    )
    first = (np.flatnonzero(r) for r in reached)
    steps = tuple(int(run.history.update[f[0]]) if len(f) else None for f in first)
    return steps[0], steps[1], steps[2]


@pytest.mark.parametrize(
    ("changes", "updates"),
    [
        ({}, 300),
        ({"loss": "cross_entropy"}, 300),
        ({"embedding_dim": 3}, 300),
        ({"adam_epsilon": 1e-2}, 300),
        ({"embedding_weight_decay": 0.5, "decoder_weight_decay": 2.0}, 300),
        # sign(E) is discontinuous: rounding decides as soon as an embedding reaches zero.
        ({"embedding_penalty": 0.05}, 40),
    ],
    ids=["mse", "cross-entropy", "three dimensions", "epsilon", "decay", "penalty"],
)
def test_training_is_torchs(
    changes: dict[str, object], updates: int, small_model: ToyModel, dataset: Dataset
) -> None:
    pytest.importorskip("torch", reason="the oracle is PyTorch: install extra [validation]")
    from validation import plain_training

    model = dataclasses.replace(small_model, **changes)  # type: ignore[arg-type]
    state = InitialState.random(model, dataset.task, rng=1)
    run = train(model, dataset, state, record_every=1)
    assert run.history is not None
    for snapshot in plain_training(model, dataset, state, updates=updates):
        k = snapshot.update
        assert run.history.train_loss[k] == pytest.approx(snapshot.train_loss, rel=2e-4)
        assert run.history.train_accuracy[k] == pytest.approx(snapshot.train_accuracy, abs=0.023)
        expected = snapshot.network.embeddings.detach().numpy()
        np.testing.assert_allclose(run.history.embeddings[k], expected, atol=2e-4)


@pytest.mark.parametrize("side", [1, 3])
def test_training_on_a_group_is_torchs(side: int, small_model: ToyModel) -> None:
    pytest.importorskip("torch", reason="the oracle is PyTorch: install extra [validation]")
    from validation import plain_training

    dataset = Dataset.split(permutation_group(3), 24, rng=0)
    model = dataclasses.replace(small_model, embedding_dim=side**2, embedding_scale=0.5)
    state = InitialState.random(model, dataset.task, rng=1)
    run = train(model, dataset, state, record_every=1)
    assert run.history is not None
    for snapshot in plain_training(model, dataset, state, updates=300):
        k = snapshot.update
        assert run.history.train_loss[k] == pytest.approx(snapshot.train_loss, rel=2e-4)
        expected = snapshot.network.embeddings.detach().numpy()
        np.testing.assert_allclose(run.history.embeddings[k], expected, atol=2e-4)
        assert run.history.rqi[k] == rqi(run.history.embeddings[k], dataset.task)


def test_minibatches_are_torchs(small_model: ToyModel, dataset: Dataset) -> None:
    pytest.importorskip("torch", reason="the oracle is PyTorch: install extra [validation]")
    from validation import plain_training

    model = dataclasses.replace(small_model, batch_size=8, steps=100)
    state = InitialState.random(model, dataset.task, rng=1)
    run = train(model, dataset, state, record_every=1)
    # The documented stream: one key for each training sample, the least keys are the batch.
    keys = np.random.default_rng(state.batch_seed).random((100, 45))
    batches = np.argsort(keys, axis=1)[:, :8].tolist()
    assert run.history is not None
    for snapshot in plain_training(model, dataset, state, updates=100, batches=batches):
        expected = snapshot.network.embeddings.detach().numpy()
        np.testing.assert_allclose(run.history.embeddings[snapshot.update], expected, atol=1e-4)


def test_accuracies_are_counts_divided_in_float64(
    small_model: ToyModel, dataset: Dataset, small_state: InitialState
) -> None:
    run = train(small_model, dataset, small_state, record_every=1)
    assert run.history is not None
    counts = {k / 45 for k in range(46)}, {k / 10 for k in range(11)}
    assert set(run.history.train_accuracy) <= counts[0]
    assert set(run.history.test_accuracy) <= counts[1]


@pytest.mark.parametrize("stop_when", ["accuracies", "all", "never"])
def test_first_crossings_and_early_stop_are_exact(stop_when: str) -> None:
    dataset = Dataset.split(Addition(10), 45, rng=5)
    model = ToyModel(width=100, decoder_lr=3e-4, embedding_lr=5e-3, steps=1500, stop_when="never")
    state = InitialState.random(model, dataset.task, rng=0)
    whole = train(model, dataset, state, record_every=1)
    expected = crossings(whole)
    assert None not in expected
    run = train(dataclasses.replace(model, stop_when=stop_when), dataset, state, record_every=1)  # type: ignore[arg-type]
    awaited = {"accuracies": expected[:2], "all": expected, "never": (None,)}[stop_when]
    last = 1500 if None in awaited else max(step for step in awaited if step is not None)
    assert run.steps_run == last
    assert run.status == ("stopped" if None not in awaited else "finished")
    for step, found in zip(expected, (run.train_step, run.test_step, run.rqi_step), strict=True):
        assert found == (step if step is not None and step <= last else None)
    assert run.history is not None and whole.history is not None
    np.testing.assert_array_equal(run.history.embeddings, whole.history.embeddings[: last + 1])
    assert run.history.update[-1] == last
    assert run.best_test_accuracy == run.history.test_accuracy.max()


def test_an_accuracy_at_its_threshold_counts_and_an_rqi_does_not(dataset: Dataset) -> None:
    model = ToyModel(width=100, decoder_lr=3e-4, embedding_lr=5e-3, steps=800, stop_when="never")
    whole = train(model, dataset, rng=0, record_every=1).history
    assert whole is not None
    exact = dataclasses.replace(
        model,
        train_threshold=18 / 45,
        test_threshold=4 / 10,
        rqi_threshold=float(whole.rqi[:200].max()),
    )
    run = train(exact, dataset, rng=0, record_every=1)
    assert (run.train_step, run.test_step, run.rqi_step) == crossings(run)
    # The thresholds are values that occur: equality is what decides.
    for values, threshold in (
        (whole.train_accuracy, exact.train_threshold),
        (whole.test_accuracy, exact.test_threshold),
        (whole.rqi, exact.rqi_threshold),
    ):
        first_equal = int(np.flatnonzero(values == threshold)[0])
        assert not (values[:first_equal] > threshold).any()


@pytest.mark.parametrize("batch_size", [None, 8])
def test_length_of_calls_changes_nothing(
    batch_size: int | None, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = ToyModel(width=20, steps=130, batch_size=batch_size)
    expected = train(model, dataset, rng=4, record_every=7)
    for samples in (55, 7 * 55, 129 * 55):
        monkeypatch.setattr(training_module, "_SAMPLES_PER_CALL", samples)
        run = train(model, dataset, rng=4, record_every=7)
        assert run.history is not None and expected.history is not None
        np.testing.assert_array_equal(run.history.embeddings, expected.history.embeddings)
        np.testing.assert_array_equal(run.history.train_loss, expected.history.train_loss)


def test_history_ends_with_the_last_state(
    small_model: ToyModel, dataset: Dataset, small_state: InitialState
) -> None:
    run = train(small_model, dataset, small_state, record_at=[0, 10, 10_000])
    assert run.history is not None
    assert run.history.update.tolist() == [0, 10, 300]
    np.testing.assert_array_equal(run.history.embeddings[-1], run.embeddings)
    assert run.history.rqi[-1] == run.rqi == rqi(run.embeddings, dataset.task)
    assert train(small_model, dataset, small_state).history is None


def test_divergence_is_named_with_its_update(dataset: Dataset) -> None:
    model = ToyModel(decoder_lr=1e-2, decoder_weight_decay=250.0, width=20, steps=1000)
    run = train(model, dataset, rng=0, record_every=1)
    assert run.status == "diverged"
    assert run.diverged_step is not None and run.diverged_step == run.steps_run < 200
    assert np.isnan(run.train_accuracy) and np.isnan(run.rqi)
    assert run.history is not None and np.isfinite(run.history.train_loss).all()
    before = dataclasses.replace(model, steps=run.diverged_step - 1)
    assert train(before, dataset, rng=0).status == "finished"


def test_a_parameter_diverges_before_the_loss_does() -> None:
    """Infinite embeddings saturate tanh: the training loss stays finite for one more update."""
    task = Addition(2)
    dataset = Dataset(task, [0, 2])
    run = train(ToyModel(width=4, embedding_lr=1e39, steps=10), dataset, rng=0)
    assert (run.status, run.diverged_step) == ("diverged", 1)


def test_a_huge_rate_without_decay_stays_finite(dataset: Dataset) -> None:
    run = train(ToyModel(decoder_lr=1e3, width=20, steps=300), dataset, rng=0)
    assert run.status == "finished" and run.train_step is None


def test_constant_embeddings_leave_rqi_undefined(
    small_model: ToyModel, dataset: Dataset, small_state: InitialState
) -> None:
    frozen = dataclasses.replace(small_model, embedding_lr=0.0)
    state = dataclasses.replace(small_state, embeddings=np.full((10, 1), 0.3))
    run = train(frozen, dataset, state)
    assert run.status == "finished" and np.isnan(run.rqi) and run.rqi_step is None


def test_modular_addition_trains_without_rqi() -> None:
    dataset = Dataset.split(ModularAddition(5), 10, rng=0)
    run = train(ToyModel(width=20, steps=50, embedding_dim=2), dataset, rng=0)
    assert run.steps_run == 50 and np.isnan(run.rqi)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"decoder_lr": -1e-3}, "decoder_lr"),
        ({"embedding_lr": float("nan")}, "embedding_lr"),
        ({"decoder_weight_decay": -1}, "decoder_weight_decay"),
        ({"decoder_weight_decay": float("inf")}, "decoder_weight_decay"),
        ({"width": 0}, "width"),
        ({"width": 2.5}, "width"),
        ({"steps": 0}, "steps"),
        ({"batch_size": 0}, "batch_size"),
        ({"loss": "hinge"}, "loss"),
        ({"stop_when": "tomorrow"}, "stop_when"),
        ({"test_threshold": 1.1}, "test_threshold"),
        ({"embedding_scale": "big"}, "embedding_scale"),
        ({"embedding_dim": MOST_UNITS + 1}, "embedding_dim"),
        ({"width": MOST_UNITS + 1}, "width"),
        ({"target_dim": MOST_UNITS + 1}, "target_dim"),
        ({"steps": MOST_STEPS + 1}, "steps"),
        ({"embedding_scale": 2 * LARGEST_SCALE}, "embedding_scale"),
        ({"decoder_scale": 2 * LARGEST_SCALE}, "decoder_scale"),
    ],
)
def test_a_bad_model_field_is_named(changes: dict[str, object], field: str) -> None:
    with pytest.raises(InputError, match=field):
        ToyModel(**changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"embeddings": np.zeros((9, 1))}, "embeddings"),
        ({"embeddings": np.zeros((10, 1), complex)}, "embeddings"),
        ({"weights": None}, "weights"),
        ({"embeddings": np.full((10, 1), np.nan)}, "embeddings"),
        ({"targets": None}, "targets"),
        ({"targets": np.full((19, 8), np.inf)}, "targets"),
        ({"targets": np.zeros((19, 7))}, "targets"),
        ({"weights": (np.zeros((20, 2)), np.zeros((20, 20)), np.zeros((8, 20)))}, "weights"),
        ({"biases": (np.zeros(20), np.zeros(20), np.zeros(9))}, "biases"),
        ({"biases": (np.zeros(20), np.zeros(20))}, "biases"),
    ],
)
def test_a_bad_start_is_named(
    changes: dict[str, object],
    field: str,
    small_model: ToyModel,
    dataset: Dataset,
    small_state: InitialState,
) -> None:
    with pytest.raises(InputError, match=field):
        train(small_model, dataset, dataclasses.replace(small_state, **changes))  # type: ignore[arg-type]


def test_arguments_that_do_not_fit_are_refused(
    small_model: ToyModel, dataset: Dataset, small_state: InitialState
) -> None:
    with pytest.raises(InputError, match="rng is required"):
        train(small_model, dataset)
    with pytest.raises(InputError, match="rng must be None"):
        train(small_model, dataset, small_state, rng=0)
    for size in (0, 55):
        with pytest.raises(InputError, match="train_size"):
            train(small_model, Dataset.split(dataset.task, size, rng=0), small_state)
    batched = dataclasses.replace(small_model, batch_size=46)
    with pytest.raises(InputError, match="batch_size"):
        train(batched, dataset, rng=0)
    with pytest.raises(InputError, match="batch_seed"):
        train(dataclasses.replace(small_model, batch_size=4), dataset, small_state)
    with pytest.raises(InputError, match="record_at"):
        train(small_model, dataset, small_state, record_at=5)  # type: ignore[arg-type]
    long = dataclasses.replace(small_model, steps=10**12)
    with pytest.raises(InputError, match="record_every"):
        train(long, dataset, small_state, record_every=1)
    with pytest.raises(InputError, match="exclude"):
        train(small_model, dataset, small_state, record_every=1, record_at=[1])


def test_parts_of_a_random_start_have_streams_of_their_own() -> None:
    task = Addition(10)
    base = InitialState.random(ToyModel(), task, rng=3)
    scaled = InitialState.random(ToyModel(embedding_scale=2.0), task, rng=3)
    np.testing.assert_array_equal(scaled.embeddings, 2 * base.embeddings)
    wider = InitialState.random(ToyModel(width=50), task, rng=3)
    np.testing.assert_array_equal(wider.embeddings, base.embeddings)
    assert wider.targets is not None and base.targets is not None
    np.testing.assert_array_equal(wider.targets, base.targets)


@pytest.mark.parametrize("compiled", [True, False])
def test_a_cold_start_says_that_it_compiles(
    compiled: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(training_module, "is_compiled", lambda kernel: compiled)
    training_module.compile_kernels()
    assert ("compiling the simulator" in capsys.readouterr().err) is not compiled
    assert is_compiled(training_module.kernels.advance)
