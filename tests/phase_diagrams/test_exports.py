"""What leaves a diagram for other programs: "never" and full batch are no numbers there."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from effective_theory import Addition, ToyModel
from phase_diagrams import Phase, PhaseDiagram, SweepSpec, compare
from phase_diagrams.commands.parsing import parse_value
from phase_diagrams.phases import Source
from phase_diagrams.text.table import write_csv
from tests.phase_diagrams.test_diagram import made_up

pytestmark = pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")

AXES = {
    "numbers": {"decoder_lr": [1e-4, 1e-3], "decoder_weight_decay": [0.0, 1.0, 2.0]},
    "integers": {"width": [20, 40, 60]},
    "batches": {"batch_size": [5, 15, None], "decoder_lr": [1e-4, 1e-3]},
    "full batch first": {"decoder_lr": [1e-4, 1e-3], "batch_size": [None, 5]},
    "names": {"loss": ["mse", "cross_entropy"], "stop_when": ["accuracies", "all"]},
}


def diagram_of(axes: str) -> PhaseDiagram:
    """Every third run never learns, every fifth is not run."""
    spec = SweepSpec(Addition(10), AXES[axes], ToyModel(steps=5000), seeds=(3, (4, 5)))
    steps: dict[tuple[int, ...], tuple[int | None, int | None]] = {}
    for number, index in enumerate(np.ndindex(spec.shape)):
        if number % 5 != 4:
            steps[index] = (100 + number, None if number % 3 == 2 else 1300 + 7 * number)
    return made_up(spec, steps)


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("through_netcdf", [False, True])
def test_means_in_xarray_are_over_runs_that_got_there(
    axes: str, through_netcdf: bool, tmp_path: Path
) -> None:
    xarray = pytest.importorskip("xarray", reason="needs the extra [xarray]")
    diagram = diagram_of(axes)
    data = diagram.to_xarray()
    if through_netcdf:
        data.to_netcdf(tmp_path / "d.nc", engine="scipy")
        data = xarray.load_dataset(tmp_path / "d.nc", engine="scipy")
    for name in ("train", "test", "rqi", "diverged"):
        expected, found = getattr(diagram, f"{name}_step"), data[f"{name}_step"]
        assert np.array_equal(np.isnan(found), np.ma.getmaskarray(expected))
        if expected.count():
            assert float(found.mean()) == expected.mean() and float(found.min()) == expected.min()
    assert np.array_equal(data["phase"], diagram.phases)
    meanings = dict(
        zip(data["phase"].flag_values, data["phase"].flag_meanings.split(), strict=True)
    )
    assert meanings == {phase.value: phase.name.lower() for phase in Phase}
    assert data["source"].flag_meanings.split()[Source.NOT_RUN] == "not_run"
    assert SweepSpec.from_json(data.attrs["spec"]) == diagram.spec


def test_coordinates_of_full_batch_are_text_that_can_be_chosen(tmp_path: Path) -> None:
    xarray = pytest.importorskip("xarray", reason="needs the extra [xarray]")
    diagram = diagram_of("batches")
    diagram.to_xarray().to_netcdf(tmp_path / "d.nc", engine="scipy")
    data = xarray.load_dataset(tmp_path / "d.nc", engine="scipy")
    assert data["batch_size"].values.tolist() == ["5", "15", "full batch"]
    found = data["train_step"].sel(batch_size="full batch").values
    expected = diagram.train_step[2].astype(float)
    assert np.array_equal(found, np.ma.filled(expected, np.nan), equal_nan=True)


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("through_csv", [False, True])
def test_groups_of_a_frame_lose_no_run(axes: str, through_csv: bool, tmp_path: Path) -> None:
    diagram = diagram_of(axes)
    frame = diagram.to_frame()
    if through_csv:
        write_csv(diagram, tmp_path / "runs.csv")
        frame = pd.read_csv(tmp_path / "runs.csv")
    for name, axis in diagram.spec.grid.items():
        sizes = frame.groupby(name).size()
        assert sizes.sum() == diagram.spec.size and len(sizes) == len(axis)
        written = {str(value) for value in frame[name]}
        assert written == {"full batch" if v is None else str(v) for v in axis.values}
    never = frame["test_step"].isna()
    assert never.sum() == np.ma.getmaskarray(diagram.test_step).sum()
    assert frame["test_step"].mean() == pytest.approx(diagram.test_step.mean())


@pytest.mark.parametrize("axes", AXES)
def test_a_comparisons_frame_loses_no_run(axes: str) -> None:
    diagram = diagram_of(axes)
    frame = compare(diagram, diagram).to_frame()
    for name in diagram.spec.grid:
        assert frame.groupby(name).size().sum() == len(frame)
    assert (frame["test_step_a"].dropna() >= 0).all()


@pytest.mark.parametrize("axes", ["batches", "full batch first"])
@pytest.mark.parametrize("axis", [0, 1])
def test_steps_of_full_batch_are_drawn(axes: str, axis: int) -> None:
    diagram = diagram_of(axes)
    figure = diagram.plot.against(axis=list(diagram.spec.grid)[axis])
    assert all(panel.lines for panel in figure.axes if panel.get_visible())


@given(st.one_of(st.none(), st.integers(1, 45)))
def test_what_a_table_writes_names_the_same_value_on_the_command_line(batch: int | None) -> None:
    spec = SweepSpec(Addition(10), {"batch_size": [batch]})
    assert parse_value(str(spec.written_at((0,))["batch_size"])) == batch
