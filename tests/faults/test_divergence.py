"""Runs that leave the range of numbers, and quantities that are not defined: named, never guessed.

A run diverges when its loss or a parameter is not finite (SPEC: lr * wd > 2 is one way).
"""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from effective_theory import (
    Addition,
    Dataset,
    InitialState,
    InputError,
    Task,
    ToyModel,
    train,
)
from effective_theory.cli import main
from phase_diagrams import (
    Phase,
    SweepSpec,
    load,
    numba_engine,
    random_start,
    register_start,
    sweep,
)
from phase_diagrams.sweeping import results
from phase_diagrams.sweeps.seeds import Seed
from phase_diagrams.toy.engine import run_cell
from tests.stores import stored_rows

MODEL = ToyModel(width=20, target_dim=8, steps=300, stop_when="never")
pytestmark = pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")


def spec(model: ToyModel = MODEL, **axes: object) -> SweepSpec:
    return SweepSpec(Addition(5), axes, model, train_size=10, seeds=(1,))  # type: ignore[arg-type]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_diverged_run_is_named_and_its_neighbours_keep_their_bits(
    jobs: int, tmp_path: Path
) -> None:
    both = spec(decoder_lr=[1e-3, 1e-2], decoder_weight_decay=[0.0, 2.0, 250.0])
    alone = spec(decoder_lr=[1e-3, 1e-2], decoder_weight_decay=[0.0, 2.0])
    stores = tmp_path / "both.sqlite", tmp_path / "alone.sqlite"
    diagram = sweep(both, store=stores[0], engine=numba_engine(jobs), progress=False)
    sweep(alone, store=stores[1], engine=numba_engine(1), progress=False)
    assert diagram.phases[1, 2, 0] == Phase.DIVERGED
    assert (diagram.phases == Phase.DIVERGED).sum() == 1
    update = int(diagram.diverged_step[1, 2, 0])
    row = diagram.rows()[5]
    assert (row["phase"], row["status"], row["diverged_step"]) == ("diverged", "diverged", update)
    assert load(stores[0]).rows() == diagram.rows()
    # One update earlier all numbers are finite still.
    model = dataclasses.replace(both.cell((1, 2, 0)).model, steps=update - 1)
    before = next(iter(results(spec(model, train_size=[10]), engine=numba_engine(1))))[1]
    assert before.status == "finished" and np.isfinite(before.state).all()
    assert set(stored_rows(stores[1])) <= set(stored_rows(stores[0]))


@pytest.mark.parametrize(
    "fields",
    [
        {"decoder_lr": 1e-2, "decoder_weight_decay": 250.0},
        {"decoder_lr": 1e-2, "decoder_weight_decay": 250.0, "loss": "cross_entropy"},
        {"decoder_lr": 1e-2, "decoder_weight_decay": 250.0, "batch_size": 4},
        {"embedding_lr": 1e-2, "embedding_weight_decay": 1e6},
        {"decoder_lr": 1e39},
        {"embedding_lr": 1e300},
        {"decoder_weight_decay": 1e300},
        {"decoder_scale": 1e25},
        {"embedding_penalty": 1e300},
    ],
    ids=lambda fields: ", ".join(f"{name} {value}" for name, value in fields.items()),
)
def test_each_way_to_diverge_is_called_so(fields: dict[str, object]) -> None:
    diagram = sweep(
        spec(dataclasses.replace(MODEL, **fields), train_size=[10]),  # type: ignore[arg-type]
        engine=numba_engine(1),
        progress=False,
    )
    row = diagram.rows()[0]
    assert (row["phase"], row["status"]) == ("diverged", "diverged")
    assert 0 <= row["diverged_step"] <= 300


def test_an_infinite_loss_is_divergence_though_all_parameters_stay_finite() -> None:
    model = dataclasses.replace(MODEL, decoder_scale=5e19)
    run = run_cell(spec(model, train_size=[10]).cell((0, 0)))
    assert (run.status, run.diverged_step, run.steps_run) == ("diverged", 0, 0)


def test_a_run_that_diverges_before_its_first_update_has_a_picture_without_a_curve() -> None:
    model = dataclasses.replace(MODEL, decoder_scale=5e19)
    dataset, state = spec(model, train_size=[10]).cell((0, 0)).draw()
    run = train(model, dataset, state, record_every=1)
    assert (run.status, run.steps_run) == ("diverged", 0)
    shown = run.plot().axes[0].get_legend().get_texts()
    assert [text.get_text() for text in shown] == ["train accuracy", "test accuracy"]


def test_an_infinite_parameter_is_divergence_though_the_loss_stays_finite() -> None:
    """Embeddings of one sign: at any size the hidden units saturate."""
    model = dataclasses.replace(MODEL, embedding_lr=1e-2, embedding_weight_decay=1e6)
    dataset, state = random_start(model, Addition(5), 10, (1, 1))
    positive = dataclasses.replace(state, embeddings=np.full_like(state.embeddings, 0.5))
    run = train(model, dataset, positive, record_every=1)
    # Each update multiplies by -9999: 0.5 leaves float32 at the tenth.
    assert (run.status, run.diverged_step, run.steps_run) == ("diverged", 10, 10)
    assert run.history is not None and np.isfinite(run.history.train_loss).all()


def test_constant_embeddings_leave_rqi_undefined_while_training_goes_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = dataclasses.replace(MODEL, embedding_scale=0.0, embedding_lr=0.0)
    (_, run) = next(iter(results(spec(model, train_size=[10]), engine=numba_engine(1))))
    assert (run.status, run.steps_run, run.rqi_step) == ("finished", 300, None)
    assert np.isnan(run.rqi) and np.isfinite(run.curve[:, 1:5]).all()
    assert run.curve[-1, 1] < run.curve[0, 1]  # the decoder learns what can be learned
    command = ["train", "--embedding-scale", "0", "--embedding-lr", "0", "--width", "20"]
    assert main([*command, "--steps", "50"]) == 0
    assert "RQI > 0.95: not within 50 updates (last: not defined)" in capsys.readouterr().out


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("part", ["embeddings", "targets"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_start_that_is_not_finite_is_bad_input(
    value: float, part: str, jobs: int, own_starts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(
        model: ToyModel, task: Task, train_size: int, seed: Seed
    ) -> tuple[Dataset, InitialState]:
        dataset, state = random_start(model, task, train_size, seed)
        numbers = np.full_like(getattr(state, part), value)
        return dataset, dataclasses.replace(state, **{part: numbers})

    register_start("broken", broken)
    with pytest.raises(InputError, match=f"{part} holds NaN or infinite"):
        sweep(
            dataclasses.replace(spec(train_size=[9, 10]), start="broken"),
            engine=numba_engine(jobs),
            progress=False,
        )
