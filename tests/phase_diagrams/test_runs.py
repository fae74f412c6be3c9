"""One stored run: read back, in words and as a picture."""

from pathlib import Path

import numpy as np
import pytest

from effective_theory import Addition, InputError, ToyModel, train
from phase_diagrams import PhaseDiagram, SweepSpec, load, numba_engine, sweep
from phase_diagrams.cli import main
from phase_diagrams.commands.parsing import parse_place
from phase_diagrams.runs.picture import state_coordinates
from phase_diagrams.runs.summary import CURVE_COLUMNS
from phase_diagrams.sweeps.axes import Axis
from phase_diagrams.toy.engine import run_cell

pytestmark = pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")

SPEC = SweepSpec(
    Addition(10),
    {"decoder_lr": [10**-3.5, 1e-3], "decoder_weight_decay": [0, 3]},
    ToyModel(width=20, steps=900, train_threshold=0.15, test_threshold=0.2, rqi_threshold=0.1),
    seeds=(0, (0, 1)),
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "runs.sqlite"
    sweep(SPEC, store=path, engine=numba_engine(1), progress=False)
    return path


@pytest.fixture(scope="module")
def diagram(store: Path) -> PhaseDiagram:
    return load(store)


def test_a_stored_run_is_what_the_cell_gives_when_it_is_run_again(diagram: PhaseDiagram) -> None:
    run = diagram.run(decoder_lr=1e-3, decoder_weight_decay=3, seed=(0, 1))
    again = run_cell(SPEC.cell((1, 1, 1)))
    np.testing.assert_array_equal(run.summary.curve, again.curve)
    np.testing.assert_array_equal(run.summary.state, again.state)
    assert run.summary.train_step == again.train_step is not None
    assert run.phase == diagram.phases[1, 1, 1]
    frame = run.to_frame()
    assert list(frame) == list(CURVE_COLUMNS) and frame["update"].iloc[-1] == again.steps_run
    trained = train(*diagram.cell(decoder_lr=1e-3, decoder_weight_decay=3, seed=(0, 1)))
    np.testing.assert_array_equal(run.summary.state, trained.embeddings)


def test_the_diagram_of_a_sweep_with_a_store_knows_its_runs(store: Path) -> None:
    diagram = sweep(SPEC, store=store, engine=numba_engine(1), progress=False)
    assert diagram.run(decoder_lr=1e-3, decoder_weight_decay=0, seed=0).summary.steps_run > 0


def test_values_are_found_as_they_are_printed(diagram: PhaseDiagram) -> None:
    assert diagram.find(decoder_lr=0.000316228, decoder_weight_decay=3, seed=0).index == (0, 1, 0)
    near = Axis((0.1234561, 0.1234562), "linear")
    assert near.index(0.1234562) == 1
    with pytest.raises(InputError, match="nearest"):
        near.index(0.123456)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        # 6e-4 is nearer to 3.2e-4 on a linear axis, and nearer to 1e-3 by ratio.
        ({"decoder_lr": 6e-4}, "0.0006 is not on the axis; the nearest value is 0.001,"),
        ({"decoder_lr": 0}, "decoder_lr: 0 is not on the axis; the nearest value is 0.000316228,"),
        ({"decoder_lr": float("inf")}, "decoder_lr: inf is not on the axis; its values are"),
        ({"decoder_lr": -float("inf")}, "decoder_lr: -inf is not on the axis; its values are"),
        ({"decoder_lr": 10**400}, "is not on the axis; its values are"),
        ({"decoder_weight_decay": 2}, "decoder_weight_decay: 2 is .* the nearest value is 3,"),
        ({"decoder_lr": float("nan")}, "nan is not on the axis; its values are"),
        ({"decoder_lr": "fast"}, "'fast' is not on the axis; its values are"),
        ({"seed": 3}, "seed 3 is not in this sweep"),
        ({"width": 3}, "width is not an axis of this sweep"),
    ],
)
def test_a_wrong_cell_is_named_with_the_nearest_value(
    values: dict[str, object], message: str, diagram: PhaseDiagram
) -> None:
    right: dict[str, object] = {"decoder_lr": 1e-3, "decoder_weight_decay": 3, "seed": 0}
    with pytest.raises(InputError, match=message):
        diagram.run(**{**right, **values})  # type: ignore[arg-type]


def test_a_run_that_no_store_has_is_refused(store: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no store"):
        PhaseDiagram(SPEC).run(decoder_lr=1e-3, decoder_weight_decay=3, seed=0)
    larger = SweepSpec(SPEC.task, SPEC.axes, SPEC.model, seeds=(0, 7))
    unfinished = PhaseDiagram(larger, kept=load(store).kept)
    with pytest.raises(InputError, match="has no run of decoder_lr=0.001, .*seed 7; finish"):
        unfinished.run(decoder_lr=1e-3, decoder_weight_decay=3, seed=7)


def test_the_picture_shows_the_curve_the_crossings_and_the_phase(diagram: PhaseDiagram) -> None:
    run = diagram.run(decoder_lr=1e-3, decoder_weight_decay=3, seed=0)
    figure = run.plot()
    accuracies, embeddings, losses = figure.axes
    assert accuracies.get_xscale() == losses.get_xscale() == losses.get_yscale() == "log"
    shown = run.summary.curve[1:]
    drawn = {str(line.get_label()).split(":")[0]: line for line in accuracies.get_lines()}
    np.testing.assert_array_equal(drawn["train accuracy ≥ 0.15"].get_ydata(), shown[:, 3])
    np.testing.assert_array_equal(drawn["test accuracy ≥ 0.2"].get_xdata(), shown[:, 0])
    np.testing.assert_array_equal(drawn["RQI > 0.1"].get_ydata(), shown[:, 5])
    np.testing.assert_array_equal(losses.get_lines()[1].get_ydata(), shown[:, 2])
    crossings = {
        line.get_xdata()[0] for line in accuracies.get_lines() if len(line.get_xdata()) == 2
    }
    steps = {run.summary.train_step, run.summary.test_step, run.summary.rqi_step}
    assert crossings == steps - {None} and run.summary.train_step is not None
    points = embeddings.collections[0].get_offsets()
    np.testing.assert_allclose(points[:, 1], run.summary.state[:, 0])
    (legend,) = figure.legends
    assert legend.get_texts()[0].get_text() == run.phase.label
    assert legend.get_title().get_text() == run.name


def test_a_diverged_run_is_drawn_too() -> None:
    spec = SweepSpec(
        Addition(10),
        {"decoder_lr": [1e4]},
        ToyModel(width=20, steps=300, decoder_weight_decay=5.0, embedding_dim=2),
    )
    summary = run_cell(spec.cell((0, 0)))
    from phase_diagrams import Phase
    from phase_diagrams.runs.stored_run import StoredRun

    run = StoredRun(spec.cell((0, 0)), "decoder_lr=10000", Phase.DIVERGED, summary)
    assert "diverged at update" in str(run) and "train not known" in str(run)
    run.plot().draw_without_rendering()


@pytest.mark.parametrize(
    ("fields", "outcome", "crossing"),
    [
        (
            {"decoder_scale": 5e19},
            "diverged after 0 updates",
            "train accuracy ≥ 0.9: not before it diverged at update 0",
        ),
        (
            {"train_threshold": 0.0, "test_threshold": 0.0},
            "stopped after 0 updates",
            "train accuracy ≥ 0: at update 0",
        ),
    ],
)
def test_a_run_that_ended_before_its_first_update_is_a_run(
    fields: dict[str, float],
    outcome: str,
    crossing: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = ToyModel(width=4, steps=9, **fields)  # type: ignore[arg-type]
    spec = SweepSpec(Addition(5), {"decoder_lr": [1e-3, 1e-2]}, model, train_size=10)
    sweep(spec, store=tmp_path / "runs.sqlite", engine=numba_engine(1), progress=False)
    diagram = load(tmp_path / "runs.sqlite")
    assert diagram.measured.all()
    run = diagram.run(decoder_lr=1e-3)
    assert outcome in str(run) and run.summary.steps_run == 0
    labels = [text.get_text() for text in run.plot().axes[0].get_legend().get_texts()]
    assert crossing in labels
    assert main(["show", str(tmp_path / "runs.sqlite")]) == 0
    assert "not run" not in capsys.readouterr().out


def test_coordinates_of_embeddings_keep_the_distances() -> None:
    rng = np.random.default_rng(0)
    line = rng.normal(size=(6, 1))
    np.testing.assert_array_equal(state_coordinates(line)[:, 0], np.arange(6))
    plane, _ = np.linalg.qr(rng.normal(size=(5, 2)))
    points = rng.normal(size=(6, 2)) @ plane.T
    found = state_coordinates(points)
    for a in (points, found):
        a -= a.mean(axis=0)
    np.testing.assert_allclose(found @ found.T, points @ points.T, atol=1e-12)
    # Principal components have no sign of their own; ours grow with the symbols.
    for _ in range(20):
        assert (np.arange(6) @ state_coordinates(rng.normal(size=(6, 3))) >= -1e-9).all()
    assert np.isnan(state_coordinates(np.full((6, 2), np.nan))).all()


def test_show_prints_and_draws_one_run(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "run.png"
    cell = "decoder-lr=1e-3,decoder_weight_decay=3,seed=0/1"
    assert main(["show", str(store), "--cell", cell, "--out", str(picture)]) == 0
    lines = capsys.readouterr().out.splitlines()
    summary = run_cell(SPEC.cell((1, 1, 1)))
    assert lines[0].startswith("decoder_lr=0.001, decoder_weight_decay=3, seeds 0/1: ")
    assert f"train accuracy >= 0.15: at update {summary.train_step}" in lines
    assert lines[-1] == f"picture: {picture}" and picture.stat().st_size > 1000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--cell", "decoder_lr"], "cell 'decoder_lr' is not understood"),
        (["--cell", "decoder_lr=1e-3,decoder-lr=1e-3"], "has decoder_lr twice"),
        (["--cell", "decoder_lr=1e-3,seed=0"], "decoder_weight_decay is missing"),
        (["--cell", "decoder_lr=2e-3,decoder_weight_decay=3,seed=0"], "nearest value is 0.001"),
        (
            ["--cell", "decoder_lr=1e-3,decoder_weight_decay=3"],
            "seed must be given, as the sweep has several",
        ),
        (["--cell", "decoder_lr=1e-3,seed=x"], "seeds 'x' are not understood"),
        (["--out", "run.png"], "out is the picture of one run"),
        (["--cell", "decoder_lr=1e-3", "--table", "t.csv"], "leave out --cell"),
    ],
)
def test_wrong_options_of_show_are_one_line(
    options: list[str], message: str, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", str(store), *options]) == 2
    printed = capsys.readouterr().err
    assert message in printed and printed.count("\n") == 1


def test_cells_of_the_command_line() -> None:
    seed, values = parse_place("cell", "decoder-lr=1e-4, loss=mse,seed=3/4,batch_size=None")
    assert seed == (3, 4)
    assert values == {"decoder_lr": 1e-4, "loss": "mse", "batch_size": None}
