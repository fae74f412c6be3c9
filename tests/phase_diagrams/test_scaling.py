"""The scaling law: trajectories, dimensionless times, and what is not of one group."""

import dataclasses
import math
import re
from pathlib import Path

import numpy as np
import pytest

from effective_theory import Addition, InputError, ToyModel, train
from phase_diagrams import PhaseDiagram, SweepSpec, collapse, random_start, rescale, sweep
from phase_diagrams.phases import Phase
from tests.phase_diagrams.law_engine import LawEngine, rate_grid

TASK = Addition(6)
MODEL = ToyModel(
    width=20, target_dim=6, embedding_lr=2e-4, decoder_lr=1e-4, steps=2000, stop_when="never"
)
pytestmark = pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_rescaled_run_passes_through_nearly_the_same_states_sooner(seed: int) -> None:
    dataset, state = random_start(MODEL, TASK, 15, (seed, seed))
    run, faster = (train(each, dataset, state) for each in (MODEL, rescale(MODEL, 2)))
    assert faster.steps_run == run.steps_run / 2
    # The same budget at twice the rates is another run altogether.
    other = train(dataclasses.replace(rescale(MODEL, 2), steps=MODEL.steps), dataset, state)
    moved = np.linalg.norm(run.embeddings - state.embeddings)
    assert np.linalg.norm(run.embeddings - faster.embeddings) < 0.1 * moved
    assert np.linalg.norm(run.embeddings - other.embeddings) > 0.2 * moved


def test_rates_are_multiplied_and_the_budget_is_divided() -> None:
    model = rescale(dataclasses.replace(MODEL, decoder_weight_decay=3.0), 3)
    assert (model.embedding_lr, model.decoder_lr) == pytest.approx((6e-4, 3e-4))
    assert model.steps == 667 and model.decoder_weight_decay == 3.0
    with pytest.raises(InputError, match="factor must be above 0"):
        rescale(MODEL, 0)
    with pytest.raises(InputError, match="factor 1e-310 is too small"):
        rescale(MODEL, 1e-310)
    with pytest.raises(InputError, match="model must be settings of a system"):
        rescale(TASK, 2)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def diagram() -> PhaseDiagram:
    axes = {
        "embedding_lr": [1e-3, 2e-3, 4e-3],
        "decoder_lr": [1e-3, 2e-3],
        "decoder_weight_decay": [0.0, 1.0],
    }
    model = dataclasses.replace(MODEL, stop_when="accuracies", train_threshold=0.5)
    spec = SweepSpec(TASK, axes, model, train_size=15, seeds=(0, 1))
    return sweep(spec, n_jobs=1, progress=False)


def test_times_and_errors_are_those_of_the_runs(diagram: PhaseDiagram) -> None:
    found = collapse(diagram)
    assert len(found.runs) == 24
    # Ratios .5, 1, 2, 4 with two weight decays and two seeds; 1 and 2 have two runs each.
    assert len({run.group for run in found.runs}) == 16
    expected = {}
    for i, embedding_lr in enumerate((1e-3, 2e-3)):
        for k in range(2):
            for seed in range(2):
                slow, fast = (diagram.train_step[i + n, n, k, seed] for n in (0, 1))
                if not (np.ma.is_masked(slow) or np.ma.is_masked(fast)):
                    expected[round(embedding_lr / 1e-3), k, seed] = 2 * fast / slow - 1
    errors = [each for each in found.errors() if each.measure == "train"]
    assert sorted(each.error for each in errors) == pytest.approx(sorted(expected.values()))
    assert expected and {each.decoder_lr for each in errors} == {2e-3}
    assert all(abs(each.error) < 0.2 for each in errors)


def test_it_is_told_and_drawn(diagram: PhaseDiagram, tmp_path: Path) -> None:
    found = collapse(diagram)
    assert repr(found) == "Collapse(24 runs, 16 groups of one ratio and start)"
    _, _, line = str(found).splitlines()
    assert re.match(r" +0\.002 +[+-][0-9.]+%, worst [+-][0-9.]+%", line)
    found.plot().savefig(tmp_path / "collapse.png")
    assert (tmp_path / "collapse.png").stat().st_size > 5000


def test_what_does_not_scale_is_named(diagram: PhaseDiagram) -> None:
    one = diagram.sel(decoder_lr=1e-3)
    with pytest.raises(InputError, match="no two runs of one ratio"):
        collapse(one)
    with pytest.raises(InputError, match="diagram must be a PhaseDiagram"):
        collapse(one.spec)  # type: ignore[arg-type]
    empty = PhaseDiagram(diagram.spec)
    assert (empty.phases == Phase.NOT_RUN).all()
    with pytest.raises(InputError, match="no two runs"):
        collapse(empty)


# Delays in other units.


def test_delays_over_train_and_in_time_are_those_of_any_unit() -> None:
    """Of runs that obey the law: one label for each ratio, where those of updates are several."""
    found = sweep(rate_grid(), engine=LawEngine(), progress=False)
    learned = ~found.delay().mask
    ratios = [math.log10(c.model.embedding_lr / c.model.decoder_lr) for c in found.spec.cells()]
    of_ratio = np.round(np.array(ratios).reshape(found.spec.shape), 3)
    for unit, least in (("time", 0.1), ("train_step", 1.0)):
        labels = found.phases_by_delay(least, unit)  # type: ignore[arg-type]
        for ratio in np.unique(of_ratio[learned]):
            assert len(set(labels[learned & (of_ratio == ratio)].tolist())) == 1
        assert set(labels[learned].tolist()) == {Phase.COMPREHENSION, Phase.GROKKING}
        np.testing.assert_array_equal(labels[~learned], found.phases[~learned])
    several = [set(found.phases[learned & (of_ratio == r)].tolist()) for r in np.unique(of_ratio)]
    assert {Phase.COMPREHENSION, Phase.GROKKING} in several
    np.testing.assert_array_equal(found.phases_by_delay(1000, "updates"), found.phases)


def test_delays_are_test_less_train() -> None:
    found = sweep(rate_grid(), engine=LawEngine(), progress=False)
    index = (12, 4, 0)
    train, test = int(found.train_step[index]), int(found.test_step[index])
    rate = found.spec.cell(index).model.decoder_lr
    assert found.delay()[index] == test - train > 0
    assert found.delay("train_step")[index] == pytest.approx(test / train - 1)
    assert found.delay("time")[index] == pytest.approx((test - train) * rate)
    with pytest.raises(InputError, match='unit must be "updates", "train_step" or "time"'):
        found.delay("epochs")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="least must be above 0"):
        found.phases_by_delay(0, "time")
