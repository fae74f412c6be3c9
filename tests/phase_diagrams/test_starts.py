"""Where runs begin: published starts bit for bit, random ones by their rules."""

import dataclasses
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from effective_theory import (
    Addition,
    BinaryOperation,
    Dataset,
    InputError,
    ToyModel,
    ideal_accuracy,
    permutation_group,
    train,
)
from phase_diagrams import (
    PhaseDiagram,
    SweepSpec,
    figure6_start,
    figure6c_start,
    preset,
    random_start,
    register_start,
    released_start,
    s3_start,
)
from phase_diagrams.sweeps.ideal_accuracy import ideal_accuracies
from phase_diagrams.sweeps.presets import preset_names
from phase_diagrams.sweeps.splits import cells_of_splits
from phase_diagrams.sweeps.starts import Recipe
from phase_diagrams.text.summary import summary
from phase_diagrams.toy.system import TOY


@pytest.mark.parametrize("seed", [0, 58])
@pytest.mark.parametrize("figure6", [False, True], ids=["released", "figure6"])
def test_published_starts_are_torchs_bit_for_bit(seed: int, figure6: bool) -> None:
    """The published recipe, spelled with the generators that it was published with."""
    torch = pytest.importorskip("torch", reason="the oracle is PyTorch")
    legacy = np.random.RandomState(seed)  # noqa: NPY002
    torch.manual_seed(seed)
    if figure6:
        legacy.normal(0, 1, (10, 30))
        for inputs, outputs in ((10, 200), (200, 200), (200, 1)):
            torch.nn.Linear(inputs, outputs)
    else:
        embeddings = torch.rand(10, 1) - 1 / 2
    targets = legacy.normal(0, 1, (19, 30)).astype(np.float32)
    train = legacy.choice(55, 45, replace=False)
    layers = [torch.nn.Linear(i, o) for i, o in ((1, 200), (200, 200), (200, 30))]
    if figure6:
        embeddings = torch.rand(10, 1) - 1 / 2

    recipe = figure6_start if figure6 else released_start
    dataset, state = recipe(ToyModel(), Addition(10), 45, (seed, seed))
    assert dataset.train.tolist() == sorted(train)
    assert state.targets is not None
    np.testing.assert_array_equal(state.targets, targets)
    np.testing.assert_array_equal(state.embeddings, embeddings.numpy())
    for layer, weight, bias in zip(layers, state.weights, state.biases, strict=True):
        np.testing.assert_array_equal(weight, layer.weight.detach().numpy())
        np.testing.assert_array_equal(bias, layer.bias.detach().numpy())


def test_the_published_start_on_a_group_is_torchs_bit_for_bit() -> None:
    torch = pytest.importorskip("torch", reason="the oracle is PyTorch")
    legacy = np.random.RandomState(0)  # noqa: NPY002
    torch.manual_seed(0)
    targets = legacy.normal(0, 1, (6, 30)).astype(np.float32)
    train = legacy.choice(36, 24, replace=False)
    for inputs, outputs in ((1, 200), (200, 200), (200, 9)):
        torch.nn.Linear(inputs, outputs)
    layers = [torch.nn.Linear(i, o) for i, o in ((9, 200), (200, 200), (200, 30))]
    embeddings = (torch.rand(6, 9) - 1 / 2) * 0.1

    spec = preset("released-5d")
    dataset, state = s3_start(spec.model, spec.task, 24, (0, 0))
    assert dataset.train.tolist() == sorted(train)
    assert state.targets is not None
    np.testing.assert_array_equal(state.targets, targets)
    np.testing.assert_array_equal(state.embeddings, embeddings.numpy())
    for layer, weight, bias in zip(layers, state.weights, state.biases, strict=True):
        np.testing.assert_array_equal(weight, layer.weight.detach().numpy())
        np.testing.assert_array_equal(bias, layer.bias.detach().numpy())
    with pytest.raises(InputError, match=r"permutation_group\(3\)"):
        s3_start(spec.model, Addition(10), 24, (0, 0))


@pytest.mark.parametrize(
    ("recipe", "seed", "expected"),
    [
        *((released_start, seed, value) for seed, value in ((58, 1.0), (0, 0.5))),
        *((figure6_start, s, value) for s, value in ((58, 1.0), (0, 0.8), (1, 0.9), (2, 0.8))),
    ],
)
def test_ideal_test_accuracy_of_the_published_splits(
    recipe: object, seed: int, expected: float
) -> None:
    dataset, _ = recipe(ToyModel(), Addition(10), 45, (seed, seed))  # type: ignore[operator]
    assert ideal_accuracy(dataset, on="test") == pytest.approx(expected)


@pytest.mark.parametrize("axes", [{"loss": ["mse", "cross_entropy"]}, {"target_dim": [19, 30]}])
def test_where_what_is_swept_changes_the_split_the_least_ideal_accuracy_counts(
    axes: dict[str, list[object]],
) -> None:
    """The published starts draw the targets first."""
    for start, seed in (("released", 29), ("random", 29)):
        spec = SweepSpec(Addition(10), {**axes, "width": [10, 20]}, seeds=(seed,), start=start)
        cells = [spec.cell((k, 0, 0)) for k in range(2)]
        least = min(ideal_accuracy(cell.split(), on="test") for cell in cells)
        assert ideal_accuracies(spec).values == {(45, (seed, seed)): least}
        splits = {tuple(cell.split().train) for cell in cells}
        assert len(list(cells_of_splits(spec))) == len(splits) == (2 if start == "released" else 1)


def test_figure_6c_starts_as_torch_and_numpy_draw() -> None:
    torch = pytest.importorskip("torch", reason="the oracle is PyTorch")
    legacy = np.random.RandomState(6)  # noqa: NPY002
    torch.manual_seed(6)
    legacy.normal(0, 1, (10, 19))
    train = legacy.choice(55, 45, replace=False)
    for inputs, outputs in ((10, 200), (200, 200), (200, 1)):
        torch.nn.Linear(inputs, outputs)
    layers = [torch.nn.Linear(i, o) for i, o in ((1, 200), (200, 200), (200, 19))]
    embeddings = torch.rand(10, 1) - 1 / 2

    spec = preset("fig6c")
    dataset, state = figure6c_start(spec.model, spec.task, 45, (6, 6))
    assert dataset.train.tolist() == sorted(train) and state.targets is None
    np.testing.assert_array_equal(state.embeddings, embeddings.numpy())
    for found, layer in zip(state.weights, layers, strict=True):
        np.testing.assert_array_equal(found, layer.weight.detach().numpy())
    for found, layer in zip(state.biases, layers, strict=True):
        np.testing.assert_array_equal(found, layer.bias.detach().numpy())


def test_figure_6c_is_cross_entropy() -> None:
    with pytest.raises(InputError, match="loss is fixed at cross_entropy"):
        figure6c_start(ToyModel(), Addition(10), 45, (6, 6))
    for axes in ({"loss": ["mse", "cross_entropy"]}, {"width": [50, 100]}):
        with pytest.raises(InputError, match="loss is fixed at cross_entropy"):
            SweepSpec(Addition(10), axes, start="figure6c")


@pytest.mark.parametrize(
    ("drawn", "task"),
    [
        (released_start, Addition(10)),
        (figure6_start, Addition(10)),
        (s3_start, permutation_group(3)),
    ],
)
def test_a_published_start_has_the_published_scale(drawn: Recipe, task: BinaryOperation) -> None:
    with pytest.raises(InputError, match="decoder_scale"):
        drawn(ToyModel(decoder_scale=2.0, embedding_dim=9), task, 20, (0, 0))


@pytest.mark.parametrize(("pairs", "batch"), [(50, 45), (54, 45), (50, 7), (45, 45)])
def test_the_released_minibatches_are_numpys(pairs: int, batch: int) -> None:
    """They are drawn from the generator that drew the split, as places in its order."""
    legacy = np.random.RandomState(3)  # noqa: NPY002
    legacy.normal(0, 1, (19, 30))
    drawn = legacy.choice(55, pairs, replace=False)
    expected = [
        drawn[legacy.choice(np.arange(pairs), batch, replace=False)].tolist() for _ in range(40)
    ]
    dataset, state = released_start(ToyModel(batch_size=batch), Addition(10), pairs, (3, 3))
    assert state.minibatches is not None
    draw = state.minibatches.begin(dataset, batch)
    found = np.concatenate([draw(updates) for updates in (1, 7, 0, 32)])
    assert dataset.train[found].tolist() == expected
    again = released_start(ToyModel(batch_size=batch), Addition(10), pairs, (3, 3))[1]
    assert again.minibatches == state.minibatches


def test_released_minibatches_are_runs_of_their_own() -> None:
    """Before, start "released" had this project's minibatches: such stored runs are others."""
    spec = SweepSpec(Addition(10), {"decoder_lr": [1e-4]}, start="released")
    batched = dataclasses.replace(spec, model=ToyModel(batch_size=8))
    assert '"batches"' not in spec.cell((0, 0)).configuration
    assert '"batches":"released"' in batched.cell((0, 0)).configuration


def test_split_and_initialisation_have_their_own_seeds() -> None:
    model, task = ToyModel(batch_size=8), Addition(10)
    (split, base), (same_split, other) = (
        random_start(model, task, 45, (3, seed)) for seed in (0, 1)
    )
    assert split.train.tolist() == same_split.train.tolist()
    assert base.targets is not None and other.targets is not None
    np.testing.assert_array_equal(base.targets, other.targets)
    assert not np.array_equal(base.embeddings, other.embeddings)
    assert not np.array_equal(base.weights[0], other.weights[0])
    assert base.batch_seed != other.batch_seed
    other_split, again = random_start(model, task, 45, (4, 0))
    assert other_split.train.tolist() != split.train.tolist()
    np.testing.assert_array_equal(again.embeddings, base.embeddings)


def test_swept_rates_do_not_touch_the_start() -> None:
    task = Addition(10)
    for recipe in (random_start, released_start, figure6_start):
        states = [
            recipe(ToyModel(decoder_lr=rate, embedding_lr=rate), task, 45, (1, 1))[1]
            for rate in (1e-4, 1e-2)
        ]
        np.testing.assert_array_equal(states[0].weights[1], states[1].weights[1])
        np.testing.assert_array_equal(states[0].embeddings, states[1].embeddings)


def test_a_taken_name_and_an_unknown_field_are_refused() -> None:
    with pytest.raises(InputError, match="registered already"):
        register_start("random", released_start)
    with pytest.raises(InputError, match="momentum"):
        register_start("new", released_start, fixed=frozenset({"momentum"}))
    assert "new" not in TOY.starts
    assert set(TOY.shapes_start) <= set(ToyModel.__dataclass_fields__)


@given(
    name=st.sampled_from([name for name in preset_names() if preset(name).system is TOY]),
    seed=st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)),
    share=st.floats(0.1, 0.9),
    width=st.integers(1, 30),
)
def test_the_split_alone_is_the_one_that_a_run_starts_with(
    name: str, seed: tuple[int, int], share: float, width: int
) -> None:
    published = preset(name)
    size = published.train_size
    if "train_size" not in published.grid and "batch_size" not in published.grid:
        size = max(1, int(share * published.task.size))
    model = dataclasses.replace(published.model, width=width)
    spec = dataclasses.replace(published, model=model, train_size=size, seeds=(seed,))
    cell = spec.cell((0,) * len(spec.shape))
    assert cell.split().train.tolist() == cell.draw()[0].train.tolist()


@pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")
@pytest.mark.parametrize("start", list(TOY.starts))
def test_what_a_sweep_says_before_training_draws_no_weights(start: str) -> None:
    """A decoder of this width takes a gigabyte, for each seed and training size."""
    like = next((preset(n) for n in preset_names() if preset(n).start == start), preset("fig6d"))
    model = dataclasses.replace(like.model, width=16_384)
    tracemalloc.start()
    try:
        spec = dataclasses.replace(like, model=model, start=start, seeds=(0, 1, 58))
        text = summary(PhaseDiagram(spec))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "ideal test accuracy of seed 58" in text and most < 2**26


def test_a_recipe_that_names_no_split_is_drawn_for_it(
    own_starts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    register_start("mine", lambda model, task, size, seed: random_start(model, task, size, seed))
    spec = SweepSpec(Addition(10), {"width": [20]}, seeds=(5,))
    mine = dataclasses.replace(spec, start="mine").cell((0, 0))
    assert mine.split().train.tolist() == spec.cell((0, 0)).split().train.tolist()


def test_minibatches_of_another_split_are_refused() -> None:
    """They would draw samples that the training set lacks, and others twice."""
    model = ToyModel(width=5, batch_size=5, steps=3)
    dataset, state = released_start(model, Addition(10), 20, (58, 58))
    assert train(model, dataset, state).steps_run == 3
    with pytest.raises(InputError, match="minibatches of another split"):
        train(model, Dataset.split(Addition(10), 20, rng=3), state)
