"""The plain PyTorch loop makes the updates that it says."""

import numpy as np
import pytest

from effective_theory import Dataset, InitialState, ToyModel

torch = pytest.importorskip("torch", reason="needs the extra [validation]")


def test_the_last_snapshot_is_the_last_state(
    small_model: ToyModel, dataset: Dataset, small_state: InitialState
) -> None:
    from validation import plain_training

    *_, last = plain_training(small_model, dataset, small_state, updates=3)
    assert last.update == 3
    at_three = [
        snapshot.network.embeddings.detach().numpy().copy()
        for snapshot in plain_training(small_model, dataset, small_state, updates=5)
    ][3]
    np.testing.assert_array_equal(last.network.embeddings.detach().numpy(), at_three)
