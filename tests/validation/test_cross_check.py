"""Three runs of one cell: equal at first, then apart by rounding, which float64 tells."""

import dataclasses

import numpy as np
import pytest

from effective_theory import Addition, Dataset, InitialState, ToyModel, rqi, train

torch = pytest.importorskip("torch", reason="needs the extra [validation]")

MODEL = ToyModel(width=20, target_dim=8, embedding_lr=1e-2, decoder_lr=3e-3, steps=200)


def drawn(model: ToyModel) -> tuple[Dataset, InitialState]:
    dataset = Dataset.split(Addition(6), 17, rng=0)
    return dataset, InitialState.random(model, dataset.task, rng=0)


@pytest.mark.parametrize("changes", [{}, {"batch_size": 5}])
def test_all_three_are_the_same_run(changes: dict[str, int]) -> None:
    from validation import cross_check

    model = dataclasses.replace(MODEL, **changes)
    dataset, state = drawn(model)
    check = cross_check(model, dataset, state, points=30)
    assert check.update[0] == 0 and check.update[-1] == model.steps
    runs = [check.simulator, check.pytorch, check.exact]
    for run in runs:
        np.testing.assert_array_equal(run.embeddings[0], state.embeddings)
        found = [rqi(each, dataset.task) for each in run.embeddings]
        np.testing.assert_array_equal(run.rqi, found)
    alone = train(model, dataset, state)
    np.testing.assert_array_equal(check.simulator.embeddings[-1], alone.embeddings)
    early = check.update <= 20
    for distance in check.distances.values():
        assert distance[0] == 0.0 and 0.0 < distance[early].max() < 1e-5
    for run in runs:
        np.testing.assert_allclose(run.train_loss[early], check.exact.train_loss[early], rtol=1e-5)


def test_the_takeover_is_where_a_distance_passes_the_share() -> None:
    from validation.judge.cross_check import CrossCheck
    from validation.judge.trajectory import Trajectory

    def run(*offsets: float) -> Trajectory:
        embeddings = np.ones((3, 2, 1)) + np.array(offsets)[:, None, None]
        return Trajectory(np.ones(3), np.ones(3), embeddings)

    update = np.array([0, 10, 20])
    check = CrossCheck(update, run(0, 1e-6, 1e-2), run(0, 1e-5, 1e-4), run(0, 0, 0))
    assert check.takeover() == 20 and check.takeover(5e-6) == 10 and check.takeover(1.0) is None
    assert check.typical_distances() == pytest.approx({"simulator": 1e-6, "PyTorch": 1e-5})
    assert "at update 20; before, the simulator is closer to float64" in str(check)
    assert str(check).splitlines()[-1] == check.verdict
    assert repr(check) == "CrossCheck(3 updates to 20, takeover at 20)"


def test_runs_that_diverge_are_compared_before() -> None:
    from validation import cross_check

    model = dataclasses.replace(MODEL, decoder_weight_decay=1000.0)
    check = cross_check(model, *drawn(model), points=30)
    assert 10 < check.update[-1] < 100
    assert np.isfinite(check.exact.embeddings).all() and np.isfinite(check.simulator.rqi).all()
    assert len(check.plot().axes) == 4
