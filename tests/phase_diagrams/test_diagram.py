"""PhaseDiagram: what comes out of a sweep."""

import os
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_hex

from effective_theory import Addition, InputError, ToyModel, train
from phase_diagrams import Phase, PhaseDiagram, RunSummary, SweepSpec, preset, sweep
from phase_diagrams.comparison.published import published_agreement
from phase_diagrams.comparison.published_tables import (
    completed_updates,
    published_index,
    read_table,
)
from phase_diagrams.drawing.palette import PALETTES
from phase_diagrams.runs.summary import curve_updates
from phase_diagrams.sweeps.axes import Axis
from phase_diagrams.text.summary import summary
from phase_diagrams.text.table import write_csv

pytestmark = pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")


def made_up(
    spec: SweepSpec, steps: dict[tuple[int, ...], tuple[int | None, int | None]]
) -> PhaseDiagram:
    """Return a diagram with these train and test steps; the other cells are not run."""
    diagram = PhaseDiagram(spec)
    for index, (train_step, test_step) in steps.items():
        diagram.record(
            index,
            RunSummary(
                status="finished",
                train_step=train_step,
                test_step=test_step,
                rqi_step=None,
                diverged_step=None,
                steps_run=spec.model.steps,
                train_accuracy=1.0,
                test_accuracy=1.0,
                best_train_accuracy=1.0,
                best_test_accuracy=1.0,
                rqi=float("nan"),
                state=np.zeros((10, 1), np.float32),
                curve=np.zeros((0, 6)),
            ),
        )
    return diagram


@pytest.fixture
def diagram() -> PhaseDiagram:
    spec = SweepSpec(
        Addition(10),
        {
            "decoder_lr": Axis((1e-4, 1e-3), "log"),
            "decoder_weight_decay": Axis((0.0, 1.0, 2.0), "linear"),
        },
        ToyModel(steps=10_000),
        seeds=(58,),
        start="released",
    )
    steps = {
        (0, 0, 0): (100, 200),
        (0, 1, 0): (100, 5000),
        (0, 2, 0): (100, None),
        (1, 0, 0): (None, None),
        (1, 1, 0): (0, 0),
    }
    return made_up(spec, steps)  # type: ignore[arg-type]


def test_phases_steps_and_counts(diagram: PhaseDiagram) -> None:
    assert diagram.phases[..., 0].tolist() == [[0, 1, 2], [3, 0, -1]]
    assert diagram.counts()[Phase.COMPREHENSION] == 2 and diagram.counts()[Phase.NOT_RUN] == 1
    assert diagram.test_step.mask[..., 0].tolist() == [[False, False, True], [True, False, True]]
    assert diagram.measured.sum() == 5
    assert "memorization 1" in repr(diagram)


def test_a_diagram_survives_its_file(diagram: PhaseDiagram, tmp_path: Path) -> None:
    diagram.save(tmp_path / "diagram.npz")
    copy = PhaseDiagram.load(tmp_path / "diagram.npz")
    assert copy.spec == diagram.spec
    np.testing.assert_array_equal(copy.phases, diagram.phases)
    np.testing.assert_array_equal(copy.test_step.filled(-7), diagram.test_step.filled(-7))


def test_a_file_that_is_no_diagram_is_refused(tmp_path: Path) -> None:
    bad = tmp_path / "bad.npz"
    bad.write_bytes(b"PK nonsense")
    objects = tmp_path / "objects.npz"
    np.savez(objects, spec=np.array([object()], dtype=object))
    empty, single = tmp_path / "empty.npz", tmp_path / "single.npy"
    empty.write_bytes(b"")
    np.save(single, np.zeros(3))
    for path in (bad, objects, empty, single, tmp_path / "missing.npz"):
        with pytest.raises(InputError, match="holds no phase diagram"):
            PhaseDiagram.load(path)


def test_a_diagram_goes_to_a_file_whose_name_says_what_it_is(
    diagram: PhaseDiagram, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"path .*runs.sqlite must end in .npz"):
        diagram.save(tmp_path / "runs.sqlite")
    folder = tmp_path / "folder.npz"
    folder.mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        diagram.save(folder)


def test_frames_have_one_row_for_each_run(diagram: PhaseDiagram) -> None:
    frame = diagram.to_frame()
    assert len(frame) == 6
    assert frame["phase"].tolist()[:4] == ["comprehension", "grokking", "memorization", "confusion"]
    assert frame["test_step"].isna().tolist() == [False, False, True, True, False, True]
    assert frame["train_step"].dtype == "Int64"


def test_xarray_has_the_axes_as_coordinates(diagram: PhaseDiagram) -> None:
    pytest.importorskip("xarray", reason="needs the extra [xarray]")
    data = diagram.to_xarray()
    assert data["phase"].sel(decoder_lr=1e-4, decoder_weight_decay=1.0).item() == Phase.GROKKING
    assert data["test_step"].dims == ("decoder_lr", "decoder_weight_decay", "seed")


def test_csv_is_empty_where_never_and_the_same_each_time(
    diagram: PhaseDiagram, tmp_path: Path
) -> None:
    path = tmp_path / "runs.csv"
    write_csv(diagram, path)
    lines = path.read_text().splitlines()
    assert lines[0] == (
        "decoder_lr,decoder_weight_decay,split_seed,init_seed,phase,"
        "train_step,test_step,rqi_step,diverged_step,status,source,task,train_size,start,steps,lag,"
        "other_settings"
    )
    run = "0.0001,2.0,58,58,memorization,100,,,,finished,measured"
    settings = f"Addition(p=10),45,{diagram.spec.start},{diagram.spec.model.steps},1000,default"
    assert lines[3] == f"{run},{settings}"
    with pytest.raises(InputError, match="cannot be written"):
        write_csv(diagram, tmp_path / "missing" / "runs.csv")


def test_a_cell_is_ready_to_train_again() -> None:
    spec = SweepSpec(
        Addition(10), {"decoder_lr": [1e-4, 1e-3]}, ToyModel(width=20, steps=40), seeds=(5, (5, 1))
    )
    diagram = sweep(spec, progress=False)
    model, dataset, state = diagram.cell(decoder_lr=1e-3 * (1 + 1e-12), seed=(5, 1))
    again = train(model, dataset, state, record_every=10)
    index = diagram.find(decoder_lr=1e-3, seed=(5, 1)).index
    assert index == (1, 1)
    assert again.train_step == (diagram.train_step[index] or None)
    for values, message in (
        ({"decoder_lr": 2e-3, "seed": 5}, "decoder_lr: 0.002 is not on the axis"),
        ({"decoder_lr": 1e-3}, "seed must be given, as the sweep has several"),
        ({"decoder_lr": 1e-3, "seed": 7}, "seed 7"),
        ({"width": 20, "seed": 5}, "width is not an axis"),
        ({"seed": 5}, "decoder_lr is missing"),
    ):
        with pytest.raises(InputError, match=message):
            diagram.cell(**values)  # type: ignore[arg-type]


def test_cells_are_drawn_where_they_were_measured(diagram: PhaseDiagram) -> None:
    figure = diagram.plot()
    mesh = figure.axes[0].collections[0]
    np.testing.assert_allclose(np.log10(mesh.get_coordinates()[:, 0, 1]), [-4.5, -3.5, -2.5])
    np.testing.assert_allclose(mesh.get_coordinates()[0, :, 0], [-0.5, 0.5, 1.5, 2.5])
    figure.draw_without_rendering()
    colours = [to_hex(colour).upper() for colour in mesh.get_facecolors()]
    expected = [PALETTES["default"][Phase(p)] for p in diagram.phases.ravel()]
    assert colours == [colour.upper() for colour in expected]
    assert figure.axes[0].get_xlabel() == "decoder weight decay"
    assert figure.axes[0].get_yscale() == "log"
    with pytest.raises(InputError, match="palette"):
        diagram.plot(palette="sepia")  # type: ignore[arg-type]


def test_every_phase_is_named_in_the_legend(diagram: PhaseDiagram) -> None:
    named = {text.get_text() for text in diagram.plot().legends[0].get_texts()}
    assert named == {"comprehension", "grokking", "memorization", "confusion", "not run"}


def test_steps_are_two_heat_maps_for_each_seed(diagram: PhaseDiagram) -> None:
    figure = diagram.plot.steps()
    titles = [axes.get_title() for axes in figure.axes[:2]]
    assert titles == ["train accuracy ≥ 0.9", "test accuracy ≥ 0.9"]
    values = figure.axes[1].collections[0].get_array()
    assert np.ma.getmaskarray(values).sum() == 3


def test_other_numbers_of_axes() -> None:
    model = ToyModel(width=4, steps=2)
    one = sweep(SweepSpec(Addition(10), {"width": [3, 5]}, model, seeds=(1, 2)), progress=False)
    assert len(one.plot().axes) == 2
    assert "width" in summary(one)
    three = SweepSpec(
        Addition(10), {"width": [3], "decoder_lr": [1e-3], "loss": ["mse", "cross_entropy"]}, model
    )
    diagram = sweep(three, progress=False)
    assert "shown at loss=mse" in summary(diagram)
    with pytest.raises(InputError, match="one or two axes"):
        diagram.plot()


def test_text_shows_the_map_the_counts_and_the_ideal_accuracy(diagram: PhaseDiagram) -> None:
    lines = summary(diagram).splitlines()
    assert lines[1].split() == ["0.001", "X", "C", "."]
    assert lines[2].split() == ["0.0001", "C", "G", "M"]
    assert "C comprehension 2, G grokking 1, M memorization 1, X confusion 1, . not run 1" in lines
    assert lines[-1] == "ideal test accuracy of seed 58 with 45 training samples: 1.00"


def test_published_indices_are_one_less_than_completed_updates() -> None:
    assert completed_updates(1650, 100_000) == 1651
    assert completed_updates(9999, 10_000) is None
    assert [published_index(step, 10_000) for step in (None, 1, 1651, 10_000)] == [
        9999,
        0,
        1650,
        9999,
    ]


def test_agreement_counts_labels_and_steps(diagram: PhaseDiagram, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(
        "eta_dec,weight_decay,train_step,test_step\n"
        "9.9999999999999e-05,0,99,197\n"
        "0.0001,1,99,1500\n"
        "0.0001,2,99,9999\n"
        "0.001,0,9990,9999\n"
        "0.001,1,0,0\n"
    )
    found = published_agreement(diagram, read_table(path, diagram.spec), tolerance=2)
    # Labels: comprehension, grokking, memorization, memorization (ours: confusion), comprehension.
    assert (found.cells, found.labels, found.steps, found.commonest) == (5, 4, 3, 2)
    assert str(found).startswith("4 of 5 labels as published")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "none of the columns"),
        ("", "none of the columns"),
        ("eta_dec,weight_decay,train_step,test_step\nx,1,1,2\n", "not a table"),
        ("eta_dec,weight_decay,train_step\n1e-4,1,1\n", "not a table"),
        ("eta_dec,train_step,test_step\n1e-4,1,2\n", "this sweep has decoder_lr, decoder_weight"),
        ("eta_dec,weight_decay,train_step,test_step\n" + "1" * 200_000, "not a table"),
    ],
)
def test_a_bad_table_is_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_table(path, preset("released-5b"))
    with pytest.raises(InputError, match="cannot be read"):
        read_table(tmp_path / "missing.csv", preset("released-5b"))


@pytest.mark.parametrize("steps", [1, 2, 50, 10_000, 10**6])
def test_a_learning_curve_has_about_64_updates(steps: int) -> None:
    updates = curve_updates(steps)
    assert updates[0] == 0 and updates[-1] == steps and len(updates) <= 64
    assert (np.diff(updates) > 0).all()
    assert steps < 10_000 or len(updates) > 45


def test_pictures_come_out_byte_for_byte(diagram: PhaseDiagram, tmp_path: Path) -> None:
    from effective_theory.files import save_figure

    for kind in ("svg", "pdf", "png"):
        paths = tmp_path / f"1.{kind}", tmp_path / f"2.{kind}"
        for path in paths:
            save_figure(diagram.plot(), path)
        assert paths[0].read_bytes() == paths[1].read_bytes()
    for path, message in (
        (tmp_path / "no.such", "cannot be written"),
        (tmp_path / "missing" / "1.png", "cannot be written"),
        (tmp_path / "noend", "has no ending"),
    ):
        with pytest.raises(InputError, match=message):
            save_figure(diagram.plot(), path)
    assert os.path.getsize(paths[0]) > 1000
