"""What is given in place of a dataset or a model is named in one sentence."""

from typing import Any

import numpy as np
import pytest

import effective_theory
from effective_theory import Addition, Dataset, InputError, ToyModel
from effective_theory.mirrors import mirrors

ANY: Any = effective_theory
LINE = np.arange(10.0)[:, None]
DATASET = Dataset.split(Addition(10), 45, rng=0)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("train", (ToyModel(), Addition(10), None)),
        ("degrees_of_freedom", (Addition(10),)),
        ("ideal_accuracy", (Addition(10),)),
        ("grokking_rate", (Addition(10),)),
        ("grokking_steps", (Addition(10), 1e-3)),
        ("gram_matrix", (Addition(10),)),
        ("predicted_accuracy", (LINE, ToyModel())),
        ("effective_loss", (LINE, ToyModel())),
        ("effective_flow", (LINE, ToyModel())),
        ("effective_trajectory", (LINE, ToyModel(), [1.0])),
        ("label_spread", (LINE, ToyModel())),
    ],
)
def test_what_is_no_dataset_is_named(function: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(InputError, match=r"^dataset must be a Dataset such as .*, not "):
        getattr(ANY, function)(*arguments)


def test_swapped_arguments_are_named() -> None:
    with pytest.raises(InputError, match="^task must be a task such as .*, not ToyModel"):
        ANY.rqi(LINE, ToyModel())
    with pytest.raises(InputError, match=r"^initial_state must be an InitialState; give a seed"):
        ANY.train(ToyModel(), DATASET, 0)
    with pytest.raises(InputError, match="^model must be a ToyModel, not Dataset"):
        ANY.train(DATASET, ToyModel(), rng=0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Dataset.split(ANY.Addition, 45, rng=0), "task must be a task"),
        (lambda: Dataset.split(ANY.__name__, train_fraction=0.5, rng=0), "task must be a task"),
        (lambda: ANY.count_parallelograms(10), "dataset must be a Dataset"),
        (lambda: ANY.is_commutative(10), "task must be a task"),
        (lambda: mirrors(ANY), "task must be a task"),
        (lambda: ANY.InitialState.random(ToyModel(), 10, 0), "task must be a task"),
        (lambda: ANY.InitialState.random(10, Addition(10), 0), "model must be a ToyModel"),
        (lambda: ANY.rqi(LINE * (1 + 5j), Addition(10)), "embeddings must be an array of numbers"),
        (lambda: ANY.rqi([[10**400]] * 10, Addition(10)), "embeddings must be an array of numbers"),
        (
            lambda: ANY.train(
                ToyModel(steps=10**7, embedding_dim=1000),
                Dataset.split(Addition(100), 45, rng=0),
                rng=0,
                record_every=1,
            ),
            "record_every or record_at asks for 10000001 records of 100000",
        ),
    ],
)
def test_what_is_no_task_model_or_number_is_named(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}"):
        call()
