"""Advice: the nearest settings that comprehend, against a search through all cells."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from effective_theory import Addition, InputError, ToyModel
from phase_diagrams import Axis, Phase, PhaseDiagram, Source, SweepSpec, advise, refine, sweep
from phase_diagrams.cli import main
from tests.phase_diagrams.label_engine import LabelEngine, ended, grid


def labelled(phases: np.ndarray, seeds: tuple[int, ...] = (5,)) -> PhaseDiagram:
    """A diagram with these phases, shape (rates, decays, seeds)."""
    diagram = PhaseDiagram(grid(*phases.shape[:2], seeds))
    for cell in diagram.spec.cells():
        if phases[cell.index] != Phase.NOT_RUN:
            diagram.record(cell.index, ended(cell, Phase(phases[cell.index])))
    return diagram


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    arrays(np.int8, (4, 5, 2), elements=st.integers(-1, 3)),
    st.floats(-5, -4.4).filter(lambda exponent: abs(exponent * 5 % 1 - 0.5) > 1e-9),
    st.floats(0, 4),
    st.sampled_from([None, 5, 6]),
)
def test_the_nearest_comprehending_cell_is_found(
    phases: np.ndarray, exponent: float, decay: float, seed: int | None
) -> None:
    diagram = labelled(phases, (5, 6))
    rate = 10**exponent
    chosen = [0, 1] if seed is None else [seed - 5]
    rates, decays = (np.array(axis.values) for axis in diagram.spec.grid.values())
    here = abs(np.log10(rates) - exponent).argmin(), math.floor(decay + 0.5)
    known = [Phase(p) for p in phases[here][chosen] if p >= 0]
    if not known:
        with pytest.raises(InputError, match="was not run"):
            advise(diagram, seed, decoder_lr=rate, decoder_weight_decay=decay)
        return
    found = advise(diagram, seed, decoder_lr=rate, decoder_weight_decay=decay)
    most = max(known.count(phase) for phase in known)
    assert found.phase == max(phase for phase in known if known.count(phase) == most)
    if found.phase == Phase.COMPREHENSION:
        assert found.settings == () and "comprehends already" in str(found)
        return
    distances = [
        math.hypot(math.log10(rates[i]) - exponent, decays[j] - decay)
        for i, j in np.ndindex(4, 5)
        if (phases[i, j, chosen] == 0).sum() * 2 > (phases[i, j, chosen] >= 0).sum()
    ]
    assert bool(found.settings) == bool(distances)
    if distances:
        nearest = found.settings[0]
        assert nearest.distance == pytest.approx(min(distances))
        i, j = (axis.values.index(nearest.values[name]) for name, axis in diagram.spec.grid.items())
        assert (nearest.comprehending, nearest.seeds) == (
            (phases[i, j] == 0).sum(),
            (phases[i, j] >= 0).sum(),
        )
        box = phases[max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2, chosen].ravel().tolist()
        for phase in phases[i, j, chosen]:
            box.remove(phase)
        around = [phase for phase in box if phase >= 0]
        assert nearest.neighbours == pytest.approx(around.count(0) / max(len(around), 1))
        for setting in found.settings[1:]:
            assert setting.neighbours == 1 and setting.distance >= nearest.distance


def bands(x: float, y: float) -> int:
    """Comprehension below x = 3.2, then grokking, then memorization."""
    return 0 if x < 3.2 else 1 if x < 5.3 else 2


@pytest.fixture
def diagram() -> PhaseDiagram:
    return sweep(grid(), engine=LabelEngine(bands), progress=False)


def test_what_a_grokking_run_gains(diagram: PhaseDiagram) -> None:
    found = advise(diagram, decoder_lr=10**-4.19, decoder_weight_decay=4.4)
    assert found.phase == Phase.GROKKING and found.test_step == 4000
    assert found.cell == {"decoder_lr": pytest.approx(10**-4.2), "decoder_weight_decay": 4.0}
    nearest, inner = found.settings
    assert nearest.values == {"decoder_lr": pytest.approx(10**-4.4), "decoder_weight_decay": 4.0}
    assert nearest.distance == pytest.approx(math.hypot(0.21, 0.4))
    assert nearest.speedup == pytest.approx(4000 / 300) and nearest.test_step == 300
    assert nearest.neighbours == 5 / 8 and nearest.source == Source.MEASURED
    assert inner.values["decoder_lr"] == pytest.approx(10**-4.6) and inner.neighbours == 1
    text = str(found)
    assert "300 updates instead of 4000: 13.3 times as fast" in text
    assert "distance 1: one decade of decoder_lr, 1 of decoder_weight_decay" in text
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.phase = Phase.CONFUSION  # type: ignore[misc]


def test_one_that_did_not_generalise_in_its_budget_has_no_speedup(diagram: PhaseDiagram) -> None:
    found = advise(diagram, 5, decoder_lr=10**-3.6, decoder_weight_decay=0)
    assert found.phase == Phase.MEMORIZATION and found.test_step is None
    assert found.budget == diagram.spec.model.steps == 10_000
    assert found.settings[0].speedup is None
    assert "300 updates; not within 10000 updates in the run asked about" in str(found)
    assert "more than 33.3 times as fast" in str(found)


def test_a_refined_diagram_says_what_it_inferred(diagram: PhaseDiagram) -> None:
    fine = refine(diagram, 8, engine=LabelEngine(bands), progress=False)
    place = {"decoder_lr": 10**-4.06, "decoder_weight_decay": 4.4}
    found = advise(fine, **place)
    assert found.source == Source.INFERRED and found.phase == Phase.GROKKING
    # Steps of an inferred cell are those of the nearest measured run of its phase.
    assert found.test_step == 4000 and "(inferred for the cell" in str(found)
    assert found.settings[0].distance == pytest.approx(
        np.hypot(np.log10(fine.spec.grid["decoder_lr"].values[25]) + 4.06, 0.025)
    )
    # One step of the axis is one of the coarse axis still.
    assert found.scales == advise(diagram, **place).scales


def test_where_nothing_comprehends() -> None:
    found = advise(labelled(np.full((2, 2, 1), 2)), decoder_lr=1e-5, decoder_weight_decay=0)
    assert found.settings == () and "no setting of this sweep comprehends" in str(found)


def test_edges_belong_to_the_diagram_and_what_lies_beyond_does_not(diagram: PhaseDiagram) -> None:
    edges = diagram.spec.grid["decoder_lr"].edges
    for value, place in ((edges[0], 0), (edges[-1], 8), (edges[3], 3)):
        cell = advise(diagram, decoder_lr=float(value), decoder_weight_decay=8.5).cell
        assert cell["decoder_lr"] == diagram.spec.grid["decoder_lr"].values[place]
    for values, message in (
        ({"decoder_lr": 1e-2, "decoder_weight_decay": 1}, "decoder_lr 0.01 lies outside"),
        ({"decoder_lr": 1e-5, "decoder_weight_decay": 9}, "decoder_weight_decay 9 lies outside"),
        ({"decoder_lr": 1e-5}, "decoder_weight_decay is missing"),
        ({"decoder_lr": 1e-5, "width": 3}, "width is not an axis"),
        ({"decoder_lr": "a", "decoder_weight_decay": 1}, "decoder_lr must be a number"),
        ({"decoder_lr": 1e-5, "decoder_weight_decay": -0.1}, "must be zero or positive"),
        ({"decoder_lr": math.nan, "decoder_weight_decay": 1}, "decoder_lr must be finite"),
        ({"seed": 3, "decoder_lr": 1e-5, "decoder_weight_decay": 1}, "seed 3 is not in"),
    ):
        with pytest.raises(InputError, match=message):
            advise(diagram, **values)  # type: ignore[arg-type]


def test_ordinal_axes_are_met_and_count_in_places() -> None:
    axes = {"loss": ["mse", "cross_entropy"], "train_size": Axis((20, 30, 40), "linear")}
    diagram = PhaseDiagram(SweepSpec(Addition(10), axes, ToyModel(steps=10_000)))
    for cell in diagram.spec.cells():
        phase = Phase.COMPREHENSION if cell.index[0] else Phase.GROKKING
        diagram.record(cell.index, ended(cell, phase))
    found = advise(diagram, loss="mse", train_size=33)
    assert found.settings[0].values == {"loss": "cross_entropy", "train_size": 30}
    assert found.settings[0].distance == pytest.approx(math.hypot(1, 0.3))
    assert found.scales == "one place of loss, 10 of train_size"
    with pytest.raises(InputError, match="loss must be"):
        advise(diagram, loss="hinge", train_size=33)


def test_what_is_no_number_has_no_place_on_an_axis_of_numbers() -> None:
    """Where the field allows more than numbers, such as no batch size for the full batch."""
    axes = {"batch_size": Axis((15, 30, 45), "linear")}
    diagram = PhaseDiagram(SweepSpec(Addition(10), axes, ToyModel(steps=10_000)))
    with pytest.raises(InputError, match="batch_size must be a number, as on its axis, not None"):
        advise(diagram, batch_size=None)


def test_advise_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    command = (
        *("sweep", "--axis", "decoder_lr=1e-3:1e-2:3:log", "--axis", "decoder_weight_decay=0,1,2"),
        *("--width", "20", "--steps", "600", "--embedding-lr", "1e-2", "--seeds", "5,7"),
        *("--jobs", "1", "--out", str(out)),
    )
    assert main(command) == 0
    capsys.readouterr()
    store = str(out / "runs.sqlite")
    options = ["--decoder-lr", "1.1e-3", "--decoder-weight-decay", "1.8"]
    assert main(["advise", store, *options]) == 0
    first = capsys.readouterr().out
    assert first.startswith("decoder_lr=0.0011, decoder_weight_decay=1.8: confusion (measured")
    assert "nearest that comprehends: decoder_lr" in first and "most seeds" in first
    assert main(["advise", store, *options, "--seed", "7"]) == 0
    assert "seed 7" in capsys.readouterr().out
    for wrong, message in (
        (["--decoder-lr", "1e-3"], "decoder_weight_decay is missing"),
        ([*options, "--width", "20"], "width is not an axis"),
        (["--decoder-lr", "1", "--decoder-weight-decay", "1"], "decoder_lr 1 lies outside"),
        ([*options, "--seed", "1,2"], "seed must be one seed"),
        ([*options, "--seed", "9"], "seed 9 is not in this sweep"),
        (
            ["--decoder-lrr", "1e-3"],
            "option --decoder-lrr is unknown; the nearest is --decoder-lr.",
        ),
    ):
        assert main(["advise", store, *wrong]) == 2
        printed = capsys.readouterr().err
        assert message in printed and printed.count("\n") == 1
