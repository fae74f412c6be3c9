import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effective_theory import (
    Addition,
    Dataset,
    InputError,
    ModularAddition,
    ideal_accuracy,
    predicted_accuracy,
)
from tests.effective_theory import enumeration


@settings(deadline=None, max_examples=100)
@given(
    p=st.integers(3, 8),
    dimensions=st.integers(1, 3),
    noise=st.sampled_from([0.02, 0.1, 0.5]),
    share=st.floats(0, 1),
    seed=st.integers(0, 2**32),
)
def test_agrees_with_enumeration(p, dimensions, noise, share, seed) -> None:
    task = Addition(p)
    rng = np.random.default_rng(seed)
    dataset = Dataset.split(task, int(share * task.size), rng)
    embeddings = np.arange(p)[:, None] + noise * rng.standard_normal((p, dimensions))
    known = enumeration.small(task, embeddings, range(task.size))
    reached = enumeration.closure(dataset, known)
    for on in ("all", "test"):
        expected = enumeration.accuracy(dataset, reached, on)
        found = predicted_accuracy(embeddings, dataset, on=on)
        assert found == pytest.approx(expected, nan_ok=True, abs=1e-15)


def test_the_line_predicts_every_label_that_was_seen() -> None:
    task = Addition(10)
    dataset = Dataset.split(task, 25, rng=3)
    line = np.arange(10.0)[:, None]
    seen = np.isin(task.labels, task.labels[dataset.train])
    assert predicted_accuracy(line, dataset) == seen.mean() == ideal_accuracy(dataset)
    assert predicted_accuracy(line, dataset, on="test") == seen[dataset.test].mean()


def test_without_structure_only_the_training_set_is_predicted() -> None:
    dataset = Dataset.split(Addition(10), 25, rng=3)
    embeddings = 2.0 ** np.arange(10)[:, None]
    assert predicted_accuracy(embeddings, dataset, threshold=1e-12) == 25 / 55
    assert predicted_accuracy(embeddings, dataset, on="test", threshold=1e-12) == 0.0


@pytest.mark.parametrize("bad", [np.nan, 1.0], ids=["NaN", "constant"])
def test_undefined_embeddings(bad) -> None:
    embeddings = np.full((10, 1), bad)
    assert np.isnan(predicted_accuracy(embeddings, Dataset.split(Addition(10), 25, rng=0)))


def test_an_empty_test_set_is_undefined() -> None:
    dataset = Dataset(Addition(4), range(10))
    line = np.arange(4.0)[:, None]
    assert np.isnan(predicted_accuracy(line, dataset, on="test"))
    assert predicted_accuracy(line, dataset) == 1.0


def test_bad_input() -> None:
    dataset = Dataset.split(Addition(4), 5, rng=0)
    with pytest.raises(InputError, match=r"shape \(4, any\)"):
        predicted_accuracy(np.zeros((5, 1)), dataset)
    with pytest.raises(InputError, match='"all" or "test"'):
        predicted_accuracy(np.arange(4.0)[:, None], dataset, on="train")
    with pytest.raises(InputError, match="use Addition"):
        predicted_accuracy(np.arange(4.0)[:, None], Dataset(ModularAddition(4), [0]))
