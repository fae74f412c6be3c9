"""A part of a diagram: the same runs, on fewer axes."""

from pathlib import Path

import numpy as np
import pytest

from effective_theory import Addition, InputError, ToyModel
from phase_diagrams import PhaseDiagram, Source, SweepSpec, load, numba_engine, refine, sweep
from phase_diagrams.cli import main
from tests.phase_diagrams.labelled import labelled

AXES = {"decoder_lr": [1e-3, 1e-2], "batch_size": [10, 20, None], "train_size": [30, 40]}
MODEL = ToyModel(width=10, target_dim=4, steps=200, test_threshold=0.1)
ARRAYS = ("phases", "source", "measured")
STEPS = ("train_step", "test_step", "rqi_step", "diverged_step")


def assert_same(a: PhaseDiagram, b: PhaseDiagram) -> None:
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    for name in STEPS:
        ours, theirs = getattr(a, name), getattr(b, name)
        assert ours.filled(-1).tolist() == theirs.filled(-1).tolist()
    assert a.origins == b.origins


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("parts") / "runs.sqlite"
    spec = SweepSpec(Addition(10), AXES, MODEL, seeds=(5, 7))
    sweep(spec, store=path, engine=numba_engine(1), progress=False)
    return path


def test_a_part_is_the_sweep_with_these_values_fixed(store: Path) -> None:
    part = load(store).sel(batch_size=None, train_size=30, seed=7)
    # Full batch is the default.
    alone = SweepSpec(Addition(10), {"decoder_lr": AXES["decoder_lr"]}, MODEL, 30, seeds=(7,))
    assert part.spec == alone
    assert [c.cell_id for c in part.spec.cells()] == [c.cell_id for c in alone.cells()]
    assert_same(part, sweep(alone, engine=numba_engine(1), progress=False))


def test_a_part_finds_its_runs_in_the_store(store: Path) -> None:
    whole = load(store)
    part = whole.sel(batch_size=20)
    run = part.run(decoder_lr=1e-2, train_size=40, seed=5)
    same = whole.run(decoder_lr=1e-2, batch_size=20, train_size=40, seed=5)
    np.testing.assert_array_equal(run.summary.curve, same.summary.curve)
    assert (part.name, part.spec.shape) == (whole.name, (2, 2, 2))


def test_changing_a_part_leaves_the_whole_alone(store: Path) -> None:
    whole = load(store)
    before = whole.phases.copy()
    whole.sel(batch_size=10).enter(np.zeros((2, 2, 2), int), Source.INFERRED)
    np.testing.assert_array_equal(whole.phases, before)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"width": 20}, "width is not an axis of this sweep; its axes are decoder_lr, "),
        ({"batch_size": 15}, "batch_size: 15 is not on the axis"),
        ({"seed": 3}, "seed 3 is not in this sweep; its seeds are 5, 7"),
        ({"decoder_lr": 1e-3, "batch_size": 10, "train_size": 30}, "sel leaves no axis"),
    ],
)
def test_a_part_that_is_none_is_refused(
    store: Path, values: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        load(store).sel(**values)  # type: ignore[arg-type]


def test_a_part_across_a_refined_axis_is_a_plain_sweep() -> None:
    axes = {"decoder_lr": [1e-4, 1e-3, 1e-2], "batch_size": [10, 20]}
    spec = SweepSpec(Addition(10), axes, MODEL, seeds=(5,))
    fine = refine(sweep(spec, progress=False), {"decoder_lr": 2}, progress=False)
    assert fine.sel(batch_size=10).spec.refined == {"decoder_lr": 2}
    across = fine.sel(decoder_lr=fine.spec.grid["decoder_lr"].values[1])
    assert across.spec.refined == {}
    assert across.source.tolist() == fine.source[1].tolist()


def test_statistics_of_a_part_are_those_of_its_runs() -> None:
    labels = [[[0, 1, 2]], [[1, 1, 3]]]
    diagram = labelled(labels, {"decoder_lr": [1e-3, 1e-2], "batch_size": [10]}, range(3))
    part = diagram.sel(decoder_lr=1e-2)
    assert part.probability("grokking").value.tolist() == [2 / 3]
    assert part.majority().phases.tolist() == [1]


def test_show_says_that_there_are_other_slices(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", str(store)]) == 0
    whole = capsys.readouterr().out
    assert "shown at train_size=30\n" in whole
    assert "train_size has 2 values; for another one: --at train_size=40\n" in whole


def test_a_part_on_the_command_line(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(store), "--at", "train-size=40,seed=7", "--at", "batch_size=20"]) == 0
    assert ", seed 7; swept: decoder_lr 0.001, 0.01\n" in capsys.readouterr().out
    options = ["--at", "train_size=40", "--decoder-lr", "1e-3", "--batch-size", "20"]
    assert main(["advise", str(store), *options]) == 0
    assert capsys.readouterr().out.startswith("decoder_lr=0.001, batch_size=20: ")
    assert main(["show", str(store), "--at", "train_size=50"]) == 2
    assert "train_size: 50 is not on the axis; the nearest" in capsys.readouterr().err
    assert main(["show", str(store), "--at", "train_size"]) == 2
    assert "at 'train_size' is not understood" in capsys.readouterr().err
    assert main(["show", str(store), "--at", "seed=7:9"]) == 2
    assert "at 'seed=7:9' names several seeds; give one." in capsys.readouterr().err
