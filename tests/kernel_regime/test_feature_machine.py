"""The recursive feature machine beside autograd, and what it learns."""

import functools
import itertools
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra [validation]")

from effective_theory import Dataset, InputError, ModularOperation  # noqa: E402
from validation.kernel_regime.feature_machine import feature_machines  # noqa: E402

DATASET = Dataset.split(ModularOperation("x+y", 5), rng=0, train_fraction=0.6)


def test_each_iteration_is_the_root_of_autograds_outer_product() -> None:
    first, second, third = itertools.islice(feature_machines(DATASET), 3)
    assert [each.iteration for each in (first, second, third)] == [0, 1, 2]
    np.testing.assert_array_equal(first.features, np.eye(10))
    task, train = DATASET.operation, torch.tensor(DATASET.train)
    inputs = torch.nn.functional.one_hot(torch.tensor(task.pairs), 5).flatten(1).double()
    labels = torch.nn.functional.one_hot(torch.tensor(task.labels), 5).double()[train]

    def kernel(left: "torch.Tensor", features: np.ndarray) -> "torch.Tensor":
        return (left @ torch.tensor(features) @ inputs[train].T).square()

    for before, after in itertools.pairwise((first, second, third)):
        weights = torch.linalg.solve(kernel(inputs[train], before.features), labels)
        np.testing.assert_allclose(
            before.prediction, (kernel(inputs, before.features) @ weights).numpy(), atol=1e-9
        )
        predict = functools.partial(_predicted, kernel, before.features, weights)
        gradients = torch.func.vmap(torch.func.jacrev(predict))(inputs[train])
        outer = torch.einsum("ncd,nce->de", gradients, gradients).numpy()
        square = after.features @ after.features
        np.testing.assert_allclose(
            square / np.abs(square).max(), outer / np.abs(outer).max(), atol=1e-8
        )
        assert np.abs(after.features).max() == 1


def _predicted(
    kernel: Any, features: np.ndarray, weights: "torch.Tensor", one: "torch.Tensor"
) -> "torch.Tensor":
    found: torch.Tensor = kernel(one[None], features)[0] @ weights
    return found


def test_a_ridge_gives_the_labels_less_than_whole() -> None:
    plain, held = (next(feature_machines(DATASET, ridge=ridge)) for ridge in (0.0, 1.0))
    train = DATASET.train
    right = np.eye(5)[DATASET.operation.labels[train]]
    np.testing.assert_allclose(plain.prediction[train], right, atol=1e-10)
    assert (held.prediction[train][right == 1] < 0.9).all()


def test_a_singular_kernel_asks_for_a_ridge(monkeypatch: pytest.MonkeyPatch) -> None:
    def singular(*_: Any, **__: Any) -> None:
        raise np.linalg.LinAlgError("singular matrix")

    monkeypatch.setattr("validation.kernel_regime.feature_machine.solve", singular)
    with pytest.raises(InputError, match="ridge must be above 0: the kernel of 15 samples"):
        next(feature_machines(DATASET))
