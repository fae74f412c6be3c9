"""The verdict on two engines: right where they agree, wrong where one is tampered with."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from effective_theory import Addition, InputError, ToyModel
from phase_diagrams import Axis, Phase, SweepSpec, load, numba_engine, sweep
from phase_diagrams.sweeps.presets import preset
from phase_diagrams.toy.system import TOY
from tests.browser import show
from validation import EngineAgreement, agreement, torch_engine, typical_cells, write_report
from validation.judge.nudged_runs import steps_of
from validation.judge.stable_cells import STABLE, stable_cells

pytestmark = [
    pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning"),
    pytest.mark.usefixtures("own_starts"),
]

SPEC = SweepSpec(
    Addition(6),
    {"decoder_lr": Axis((1e-2, 3e-2), "log"), "decoder_weight_decay": Axis((0, 1), "linear")},
    ToyModel(width=10, target_dim=4, embedding_lr=1e-2, steps=300, train_threshold=0.7),
    train_size=15,
    seeds=(5, (5, 6)),
    lag=50,
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("agreement") / "runs.sqlite"


@pytest.fixture(scope="module")
def found(store: Path, own_starts: None) -> EngineAgreement:
    stable = {"decoder_lr": 1e-2}
    return agreement(
        SPEC, device="cpu", store=store, nudges=2, stable=stable, jobs=1, progress=False
    )


def test_the_two_engines_agree(found: EngineAgreement, store: Path) -> None:
    assert found.comparison.shared == SPEC.size and found.nudges == 2
    assert found.exact.all() and found.holds and len(found.bounds) == 3
    assert found.simulator.kept is not None and found.simulator.kept.engine == "numba-float32"
    assert load(store, "sweep-nudged-2", engine="torch-cpu-float32").counts()[-1] == 0
    nudged = load(store, "sweep-nudged-1")
    np.testing.assert_array_equal(found.nudged.phases[0][0], nudged.phases)
    assert "4 of 4 cells" in str(found) and "always PyTorch's commonest" in str(found)
    assert repr(found) == (
        "EngineAgreement(simulator, torch-cpu-float32: agree, 3 of 3 bounds hold)"
    )


def tampered(found: EngineAgreement, place: tuple[int, ...], phase: Phase) -> EngineAgreement:
    """The same with another label of PyTorch at one place, from all nudged starts, too."""
    simulated, trained = (each.copy() for each in found.nudged.phases)
    trained[(slice(None), *place)] = phase
    nudged = dataclasses.replace(found.nudged, phases=(simulated, trained))
    return dataclasses.replace(found, nudged=nudged)


def test_labels_that_exclude_each_other_fail(found: EngineAgreement) -> None:
    worse = tampered(found, (1, 0, 0), Phase.DIVERGED)
    assert [bound.holds for bound in worse.bounds] == [True, False, True]
    assert not worse.holds and "FAILS: over 2 nudged starts no cell" in str(worse)


def test_a_step_that_is_off_by_two_fails(found: EngineAgreement) -> None:
    reached = np.argwhere(found.stable & ~found.pytorch.train_step.mask)
    later = found.pytorch.copy()
    later.results.arrays["train"][tuple(reached[0])] += 2
    other = dataclasses.replace(found, pytorch=later)
    assert [bound.holds for bound in other.bounds] == [False, True, True]
    assert other.bounds[0].found == "3 of 4 cells"


def test_many_nudged_labels_that_are_more_often_one_fail(found: EngineAgreement) -> None:
    rng = np.random.default_rng(0)
    shape = (20, *SPEC.shape)
    a = rng.choice([Phase.GROKKING, Phase.MEMORIZATION], shape).astype(np.int8)
    b = rng.choice([Phase.GROKKING, Phase.MEMORIZATION], shape, p=[0.9, 0.1]).astype(np.int8)
    nudged = dataclasses.replace(found.nudged, phases=(a, b))
    one_sided = dataclasses.replace(found, nudged=dataclasses.replace(nudged, steps={}))
    assert [bound.holds for bound in one_sided.bounds] == [True, True, False]


def test_stable_cells_are_those_up_to_the_bounds() -> None:
    stable = stable_cells(preset("released-5b"), STABLE["released-5b"])
    assert stable.shape == (10, 11, 1) and stable.sum() == 35 and stable[:5, :7].all()
    assert not stable_cells(SPEC, {}).any()
    with pytest.raises(InputError, match="stable: width is not swept"):
        stable_cells(SPEC, {"width": 3})
    losses = dataclasses.replace(SPEC, axes={"loss": ["mse", "cross_entropy"]})
    with pytest.raises(InputError, match="stable: loss has values that are no numbers"):
        stable_cells(losses, {"loss": 3})
    with pytest.raises(InputError, match="nudges must be at least 2"):
        agreement(SPEC, nudges=1)


def test_a_report_holds_the_numbers_and_no_address(found: EngineAgreement, tmp_path: Path) -> None:
    typical = list(typical_cells(found.simulator))
    assert {each.phase for each in typical} == set(found.simulator.phases.ravel().tolist())
    page, numbers, picture = write_report(found, tmp_path / "new", typical=typical)
    text = page.read_text()
    assert "Simulator and PyTorch agree" in text and "http" not in text
    assert text.count("data:image/png;base64,") == 2 + len(typical)
    for each in typical:
        assert each.title in text
    content = json.loads(numbers.read_text(), parse_constant=pytest.fail)
    assert content["holds"] is True
    assert content["identical_starts"]["cells"] == SPEC.size == len(content["cells"])
    assert np.sum(content["identical_starts"]["table_simulator_by_pytorch"]) == SPEC.size
    for row, cell in zip(content["cells"], SPEC.cells(), strict=True):
        assert row["decoder_lr"] == cell.model.decoder_lr and tuple(row["seed"]) == cell.seed
        step = found.pytorch.train_step[cell.index]
        assert row["pytorch"]["train_step"] == (None if step is np.ma.masked else step)
        assert len(row["simulator"]["nudged_labels"]) == 2
    provenance = content["provenance"]
    assert provenance["versions"]["torch"] == torch.__version__
    assert provenance["flags"]["tf32"] is False
    assert SweepSpec.from_json(json.dumps(content["spec"])) == SPEC
    assert picture.read_bytes()[:4] == b"\x89PNG"
    write_report(tampered(found, (1, 0, 0), Phase.DIVERGED), tmp_path)
    assert "do not agree" in (tmp_path / "report.html").read_text()


def test_three_axes_have_a_report_without_pictures_of_cells(tmp_path: Path) -> None:
    axes = {**SPEC.axes, "embedding_scale": Axis((0.5, 1.0), "log")}
    spec = dataclasses.replace(SPEC, axes=axes, seeds=(5,), model=ToyModel(width=4, steps=3))
    found = agreement(spec, device="cpu", nudges=2, jobs=1, progress=False)
    assert len(found.bounds) == 2
    assert [path.name for path in write_report(found, tmp_path)] == ["report.html", "report.json"]


def test_an_unknown_start_is_named() -> None:
    before = dict(TOY.starts)
    with pytest.raises(InputError, match="start 'nowhere' is unknown"):
        agreement(dataclasses.replace(SPEC, start="nowhere"), nudges=2, progress=False)
    assert before == TOY.starts


@pytest.mark.slow
def test_the_stable_cells_of_released_5b_are_the_same_in_pytorch() -> None:
    """35 cells from identical starts, both in float32: minutes of PyTorch."""
    whole = preset("released-5b")
    bounds = STABLE["released-5b"]
    axes = {
        name: Axis(tuple(v for v in axis.values if v <= bounds[name]), axis.scale)
        for name, axis in whole.grid.items()
    }
    spec = dataclasses.replace(whole, axes=axes)
    engines = numba_engine(), torch_engine("cpu")
    simulated, trained = (sweep(spec, engine=engine, progress=False) for engine in engines)
    assert spec.size == 35
    np.testing.assert_array_equal(simulated.phases, trained.phases)
    for name in ("train", "test"):
        ours, theirs = (steps_of(diagram, name) for diagram in (simulated, trained))
        np.testing.assert_array_equal(np.isinf(ours), np.isinf(theirs))
        reached = np.isfinite(ours)
        assert np.abs(ours[reached] - theirs[reached]).max() <= 1


def test_pictures_are_not_those_of_pyplot(found: EngineAgreement) -> None:
    """A notebook would show them twice: as the cell's result and as an open figure."""
    import matplotlib.pyplot as plt

    from validation.judge.report.figures import plot_agreement, plot_step_scatter

    before = plt.get_fignums()
    for draw in (plot_agreement, plot_step_scatter):
        draw(found).draw_without_rendering()
    assert plt.get_fignums() == before


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1366])
def test_the_report_fits_its_window(
    found: EngineAgreement, tmp_path: Path, browser: Any, width: int, scheme: str
) -> None:
    page, *_ = write_report(found, tmp_path)
    shown = show(browser, page, width, scheme)
    assert shown.overflow <= 0
    assert shown.is_dark is (scheme == "dark")
    pictures = shown.places("img")
    assert pictures and all(place.x + place.width <= width for place in pictures)
