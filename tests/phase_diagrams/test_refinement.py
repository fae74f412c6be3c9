"""Refinement: it finds what a full fine grid shows, with few runs, and says what it inferred."""

import dataclasses
import math
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.colors import to_rgba

from effective_theory import Addition, InputError, ToyModel
from phase_diagrams import (
    Axis,
    Phase,
    PhaseDiagram,
    Source,
    SweepSpec,
    load,
    numba_engine,
    refine,
    sweep,
)
from phase_diagrams.cli import main
from phase_diagrams.refinement.quadtree import UNKNOWN, filled, wanted
from phase_diagrams.refining import expected_runs, nearest_coarse, refined_spec
from phase_diagrams.text.summary import summary
from phase_diagrams.text.table import write_csv
from tests.phase_diagrams.label_engine import Label, LabelEngine, grid

pytestmark = pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


def refined(label: Label, to: int = 8, spec: SweepSpec | None = None) -> PhaseDiagram:
    coarse = sweep(spec or grid(), engine=LabelEngine(label), progress=False)
    return refine(coarse, to, engine=LabelEngine(label), progress=False)


def full(label: Label, found: PhaseDiagram) -> np.ndarray:
    """Phases of all fine cells, without any run."""
    rates, decays = (axis.values for axis in found.spec.grid.values())
    engine = LabelEngine(label)
    return np.array(
        [
            [[engine.phase(x, y, seed) for seed, _ in found.spec.seeds] for y in decays]
            for x in rates
        ]
    )


def wrong(label: Label, found: PhaseDiagram) -> int:
    """Cells whose phase differs from that of the full fine grid."""
    return int((found.phases != full(label, found)).sum())


def share(found: PhaseDiagram) -> float:
    return float((found.source == Source.MEASURED).mean())


# The rule, against a plain one and against full grids.


def plain_wanted(labels: np.ndarray, factor: int) -> np.ndarray:
    """The rule block by block, as its text says it."""
    height, width = labels.shape
    mask = np.zeros(labels.shape, bool)
    mask[::factor, ::factor] = True
    size = factor
    while size > 1:
        for i, j in product(range(0, height - 1, size), range(0, width - 1, size)):
            known = labels[i : i + size + 1, j : j + size + 1]
            if len(set(known[known != UNKNOWN].tolist())) > 1:
                margin = size if size > 2 else 0
                for a, b in product(
                    range(i - margin, i + size + margin + 1, size // 2),
                    range(j - margin, j + size + margin + 1, size // 2),
                ):
                    if 0 <= a < height and 0 <= b < width:
                        mask[a, b] = True
        size //= 2
    return mask


@QUICK
@given(arrays(np.int8, (17, 25), elements=st.integers(-1, 1)), st.sampled_from([2, 4, 8]))
def test_the_rule_is_the_plain_one(labels: np.ndarray, factor: int) -> None:
    labels[::factor, ::factor] = np.maximum(labels[::factor, ::factor], 0)
    np.testing.assert_array_equal(wanted(labels, (factor, factor)), plain_wanted(labels, factor))


@QUICK
@given(st.floats(0, math.pi), st.floats(-2, 10))
def test_half_planes_come_out_exact(angle: float, offset: float) -> None:
    """Blocks with agreeing corners lie on one side of a straight boundary."""
    direction = math.cos(angle), math.sin(angle)

    def label(x: float, y: float) -> int:
        return int(direction[0] * x + direction[1] * y > offset)

    found = refined(label)
    assert (found.source != Source.NOT_RUN).all()
    assert wrong(label, found) == 0
    assert share(found) < 0.25


@QUICK
@given(st.tuples(*[st.floats(0, 6)] * 2), st.tuples(*[st.floats(1, 3)] * 2))
def test_what_is_as_wide_as_the_coarse_spacing_is_never_missed(
    low: tuple[float, float], size: tuple[float, float]
) -> None:
    def label(x: float, y: float) -> int:
        return 2 * (low[0] <= x <= low[0] + size[0] and low[1] <= y <= low[1] + size[1])

    found = refined(label)
    assert wrong(label, found) == 0


def wedge(x: float, y: float) -> int:
    """A wedge one and a half coarse steps wide at its base, with its tip at y = 7.3."""
    return 3 if abs(x - 3.9 - 0.11 * y) < 0.75 * (1 - y / 7.3) else 2


def test_a_thin_wedge_is_followed_to_its_tip() -> None:
    found = refined(wedge)
    truth = full(wedge, found)
    # Nearer to the tip it is narrower than the coarse spacing, and than a fine cell in the end.
    narrow = (truth == Phase.CONFUSION).sum(axis=0)[:, 0]
    assert 0 < narrow[48] < 8
    assert wrong(wedge, found) <= 1
    assert share(found) < 0.25


def test_a_strip_beside_a_boundary_is_found_by_the_margin() -> None:
    def label(x: float, y: float) -> int:
        return 0 if x < 2.4 else 1 if 3.4 < x < 3.6 else 2

    assert wrong(label, refined(label)) == 0


def test_finer_blocks_have_a_margin_of_their_own() -> None:
    """The strip lies at fine cell 22: not on the lattice of fours, which the coarse margin has."""

    def label(x: float, y: float) -> int:
        return 0 if x < 2.4 else 1 if 2.7 < x < 2.8 else 2

    assert wrong(label, refined(label)) == 0


def test_what_was_missed_is_narrower_than_the_text_says() -> None:
    def label(x: float, y: float) -> int:
        return 0 if x < 1.4 else 1 if 5.4 < x < 5.6 else 2

    found = refined(label)
    assert (found.phases[43:45] == Phase.MEMORIZATION).all() and wrong(label, found) > 0
    assert "narrower than 0.2 decades of decoder_lr or 1 of decoder_weight_decay" in summary(found)


def test_a_checkerboard_is_measured_everywhere() -> None:
    def label(x: float, y: float) -> int:
        return (round(8 * x) + round(8 * y)) % 2 + (int(x) + int(y)) % 2

    spec = grid(4, 4)
    found = refined(label, 4, spec)
    assert wrong(label, found) == 0 and share(found) > 0.5


def test_one_phase_takes_no_run() -> None:
    found = refined(lambda x, y: 2)
    assert share(found) == 81 / 65**2
    assert (found.phases == Phase.MEMORIZATION).all()
    assert "not finished" not in summary(found)


def test_trained_models_come_out_as_on_the_full_grid() -> None:
    axes = {
        "decoder_lr": Axis(tuple(np.geomspace(6e-4, 1e-2, 6)), "log"),
        "decoder_weight_decay": Axis((0, 1, 2, 3), "linear"),
    }
    model = ToyModel(width=20, steps=800, embedding_lr=1e-2)
    spec = SweepSpec(Addition(10), axes, model, seeds=(5,), lag=100)
    engine = numba_engine(1)
    coarse = sweep(spec, engine=engine, progress=False)
    found = refine(coarse, 4, engine=engine, progress=False)
    truth = sweep(found.spec, engine=engine, progress=False)
    assert sum(n > 0 for phase, n in truth.counts().items() if phase != Phase.NOT_RUN) == 4
    assert (found.phases == truth.phases).mean() >= 0.97
    assert (nearest_coarse(coarse.phases, found.spec) == truth.phases).mean() < 0.9
    assert share(found) < 0.6
    measured = found.source == Source.MEASURED
    np.testing.assert_array_equal(
        found.test_step.filled(-1)[measured], truth.test_step.filled(-1)[measured]
    )


# Axes.


def test_fine_axes_hold_the_coarse_values_to_the_bit() -> None:
    spec = dataclasses.replace(
        grid(), axes={"decoder_lr": np.geomspace(1e-5, 1e-2, 16), "embedding_lr": [0.1, 0.2, 0.3]}
    )
    fine, finest = refined_spec(spec, 8), refined_spec(spec, 16)
    for name, axis in spec.grid.items():
        assert fine.grid[name].values[::8] == axis.values
        assert finest.grid[name].values[::2] == fine.grid[name].values
        assert fine.grid[name].scale == axis.scale == "log"
    np.testing.assert_allclose(fine.grid["decoder_lr"].values, np.geomspace(1e-5, 1e-2, 121))
    assert SweepSpec.from_json(fine.to_json()) == fine
    ids = {cell.cell_id for cell in fine.cells()}
    assert {cell.cell_id for cell in spec.cells()} < ids


def test_axes_by_name_whole_numbers_and_ordinal_ones() -> None:
    task = Addition(10)
    spec = SweepSpec(task, {"train_size": [20, 30, 40], "loss": ["mse", "cross_entropy"]})
    fine = refined_spec(spec, 4)
    assert fine.grid["train_size"].values == (20, 22, 25, 28, 30, 32, 35, 38, 40)
    assert fine.grid["loss"] == spec.grid["loss"] and fine.refined == {"train_size": 4}
    mixed = refined_spec(grid(), {"decoder_weight_decay": 2, "decoder_lr": 8})
    assert mixed.shape == (65, 17, 1)
    assert list(mixed.refined) == ["decoder_lr", "decoder_weight_decay"]


def test_an_axis_that_is_not_refined_keeps_its_values_apart() -> None:
    spec = dataclasses.replace(
        grid(), axes={"batch_size": [5, 15, 45], "decoder_lr": grid().grid["decoder_lr"]}
    )
    engine = LabelEngine(lambda x, y: int(x > 3.3))
    found = refine(sweep(spec, engine=engine, progress=False), 8, engine=engine, progress=False)
    assert found.spec.shape == (3, 65, 1)
    # Nine coarse values, then in each halving those that are new: 3 with the margin, 3, 1.
    assert (found.source == Source.MEASURED).sum(axis=1).ravel().tolist() == [16] * 3
    expected = (np.arange(65) / 8 > 3.3).astype(int)
    assert (found.phases[..., 0] == expected).all()


@pytest.mark.parametrize(
    ("axes", "to", "message"),
    [
        ({"decoder_lr": [1e-4, 1e-3]}, 3, "to must be a power of two"),
        ({"decoder_lr": [1e-4, 1e-3]}, 1, "to must be at least 2"),
        ({"decoder_lr": [1e-4, 1e-3]}, 2**60, "more than 10000000 cells"),
        ({"decoder_lr": [1e-4, 1e-3]}, {"width": 4}, "'width', which cannot be refined"),
        ({"decoder_lr": [1e-4]}, 4, "this sweep has none"),
        ({"loss": ["mse", "cross_entropy"]}, 4, "this sweep has none"),
        ({"loss": ["mse", "cross_entropy"]}, {"loss": 4}, "'loss', which cannot be refined"),
        ({"train_size": [20, 22, 24]}, 8, "train_size has too few numbers"),
        (
            {"decoder_lr": [1e-4, 1e-3], "embedding_lr": [1e-4, 1e-3], "train_size": [9, 19]},
            2,
            "one or two axes",
        ),
    ],
)
def test_bad_factors_are_named(axes: dict[str, list[object]], to: object, message: str) -> None:
    spec = SweepSpec(Addition(10), axes, ToyModel(width=2))
    with pytest.raises(InputError, match=message):
        refine(PhaseDiagram(spec), to)  # type: ignore[arg-type]


def test_a_refined_diagram_is_not_refined_again() -> None:
    with pytest.raises(InputError, match="refined already"):
        refine(refined(wedge, 2), 2)
    with pytest.raises(InputError, match="does not fit the axes"):
        dataclasses.replace(grid(), refined={"decoder_lr": 3})


# Seeds, stores, interruptions.


def test_each_seed_is_refined_where_its_own_phases_meet() -> None:
    def label(x: float, y: float, seed: int) -> int:
        return 2 if seed == 1 else int(x > seed)

    found = refined(label, 8, grid(seeds=(1, 3, 6)))
    measured = (found.source == Source.MEASURED).sum(axis=(0, 1))
    assert measured[0] == 81 and measured[1] == measured[2] > 81
    assert wrong(label, found) == 0


def test_statistics_over_seeds_of_a_refined_sweep_are_those_of_the_full_grid() -> None:
    """Where a cell was run is the seed's own answer: runs alone would tell another boundary."""

    def label(x: float, y: float, seed: int) -> int:
        return 0 if x > 1.3 + 0.6 * seed else 2

    found = refined(label, 8, grid(9, 3, seeds=tuple(range(10))))
    every = SweepSpec(found.spec.task, found.spec.axes, found.spec.model, seeds=found.spec.seeds)
    whole = sweep(every, engine=LabelEngine(label), progress=False)
    assert found.measured.sum() < 0.3 * whole.measured.sum() and wrong(label, found) == 0
    for one, other in zip(
        (found.boundary("decoder_lr", rng=0), found.probability(), found.majority()),
        (whole.boundary("decoder_lr", rng=0), whole.probability(), whole.majority()),
        strict=True,
    ):
        for name in ("value", "low", "high", "crossings", "runs", "share", "phases"):
            np.testing.assert_array_equal(getattr(one, name, 0), getattr(other, name, 0))
    assert found.seed_effects().disagreement == whole.seed_effects().disagreement


def test_nothing_is_run_twice_and_an_interrupted_refinement_goes_on(tmp_path: Path) -> None:
    store = tmp_path / "runs.sqlite"
    whole = refined(wedge)
    first = LabelEngine(wedge)
    coarse = sweep(grid(), store=store, engine=first, progress=False)
    ran = list(first.ran)
    while True:
        engine = LabelEngine(wedge, fail_after=100)
        try:
            found = refine(coarse, 8, store=store, name="fine", engine=engine, progress=False)
            break
        except KeyboardInterrupt:
            ran += engine.ran
        partial = load(store, "fine", engine=engine)
        assert "not finished: at least" in summary(partial)
    ran += engine.ran
    assert len(set(ran)) == len(ran) == (whole.source == Source.MEASURED).sum()
    again = LabelEngine(wedge)
    for copy in (
        found,
        refine(coarse, 8, store=store, name="fine", engine=again, progress=False),
        load(store, "fine", engine=again),
    ):
        assert copy.spec == whole.spec
        np.testing.assert_array_equal(copy.source, whole.source)
        np.testing.assert_array_equal(copy.phases, whole.phases)
    assert again.ran == []


def test_the_coarse_runs_are_not_run_again_without_a_store() -> None:
    first, second = LabelEngine(wedge), LabelEngine(wedge)
    coarse = sweep(grid(), engine=first, progress=False)
    refine(coarse, 8, engine=second, progress=False)
    assert not set(first.ran) & set(second.ran)


def test_what_else_lies_in_the_store_changes_nothing(tmp_path: Path) -> None:
    store, engine = tmp_path / "runs.sqlite", LabelEngine(wedge)
    whole = refined(wedge)
    sweep(whole.spec, store=store, name="full", engine=engine, progress=False)
    coarse = sweep(grid(), store=store, engine=engine, progress=False)
    engine.ran.clear()
    found = refine(coarse, 8, store=store, engine=engine, progress=False)
    np.testing.assert_array_equal(found.source, whole.source)
    assert engine.ran == []


def test_a_run_of_another_sweep_in_what_was_missed_changes_nothing(tmp_path: Path) -> None:
    """A strip narrower than the coarse spacing is missed, also where one of its cells is stored."""

    def strip(x: float, y: float) -> int:
        return 1 if 5.4 < x < 5.6 else 2

    store, engine = tmp_path / "runs.sqlite", LabelEngine(strip)
    coarse = sweep(grid(), store=store, engine=engine, progress=False)
    found = refine(coarse, 8, store=store, name="fine", engine=engine, progress=False)
    rate = found.spec.grid["decoder_lr"].values[44]
    one = dataclasses.replace(grid(), axes={"decoder_lr": [rate], "decoder_weight_decay": [3]})
    assert sweep(one, store=store, name="one", engine=engine, progress=False).phases.item() == 1
    again = load(store, "fine", engine=engine)
    np.testing.assert_array_equal(again.source, found.source)
    np.testing.assert_array_equal(again.phases, found.phases)
    assert "not finished" not in summary(again)
    with pytest.raises(InputError, match="it was inferred, as runs around it agree"):
        again.run(decoder_lr=found.spec.grid["decoder_lr"].values[43], decoder_weight_decay=3)


def test_the_sweep_of_a_refined_diagram_measures_all(tmp_path: Path) -> None:
    """Also what refinement would not have asked for, such as a spot within one phase."""
    store, engine = (
        tmp_path / "runs.sqlite",
        LabelEngine(lambda x, y: 2 * (x < 3 or (x, y) == (5.5, 5.5))),
    )
    kept = {"store": store, "engine": engine, "progress": False}
    fine = refine(sweep(grid(), **kept), 2, **kept)  # type: ignore[arg-type]
    assert (fine.source == Source.INFERRED).any()
    whole = sweep(fine.spec, name="whole", **kept)  # type: ignore[arg-type]
    again = load(store, "whole", engine=engine)
    assert (again.source == Source.MEASURED).all() and not again.spec.refined
    np.testing.assert_array_equal(again.phases, whole.phases)
    assert (whole.phases != fine.phases).sum() == 1


def test_a_refined_sweep_does_not_take_the_place_of_its_coarse_one(tmp_path: Path) -> None:
    engine = LabelEngine(lambda x, y: 2 * (x < 3))
    kept = {"store": tmp_path / "runs.sqlite", "engine": engine, "progress": False}
    coarse = sweep(grid(), name="mine", **kept)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="name 'mine' is that of the sweep to refine"):
        refine(coarse, 2, name="mine", **kept)  # type: ignore[arg-type]
    other = {**kept, "store": tmp_path / "other.sqlite"}
    assert refine(coarse, 2, name="mine", **other).spec.refined  # type: ignore[arg-type]


def test_a_store_without_the_coarse_runs_shows_the_others(tmp_path: Path) -> None:
    store, engine = tmp_path / "runs.sqlite", LabelEngine(wedge)
    coarse = sweep(grid(), engine=engine, progress=False)
    found = refine(coarse, 8, store=store, name="fine", engine=engine, progress=False)
    again = load(store, "fine", engine=engine)
    assert again.measured.sum() == found.measured.sum() - grid().size
    assert "not finished" in summary(again)


def test_missing_coarse_runs_are_run_first() -> None:
    found = refine(PhaseDiagram(grid()), 8, engine=LabelEngine(wedge), progress=False)
    np.testing.assert_array_equal(found.source, refined(wedge).source)


def test_the_expected_number_of_runs_is_near() -> None:
    def label(x: float, y: float) -> int:
        return int(x + y > 5.2)

    coarse = sweep(grid(), engine=LabelEngine(label), progress=False)
    cells, runs = expected_runs(coarse, 8)
    assert cells == 65 * 65
    assert runs == pytest.approx((refined(label).source == Source.MEASURED).sum(), rel=0.3)


# What was inferred stays apart from what was measured.


def test_inferred_cells_have_a_phase_and_no_steps(tmp_path: Path) -> None:
    found = refined(lambda x, y: int(x > 3.3))
    inferred = found.source == Source.INFERRED
    assert inferred.sum() > 1000
    assert found.train_step.mask[inferred].all() and found.test_step.mask[inferred].all()
    assert (found.phases[inferred] != Phase.NOT_RUN).all()
    measured, guessed = found.counts(), found.counts(Source.INFERRED)
    runs = int((~inferred).sum())
    assert measured[Phase.COMPREHENSION] + measured[Phase.GROKKING] == runs
    assert guessed[Phase.COMPREHENSION] + guessed[Phase.GROKKING] == inferred.sum()
    assert f"inferred {inferred.sum()}" in repr(found)
    text = summary(found)
    assert f"(+ {guessed[Phase.GROKKING]} inferred)" in text
    assert f"{runs} of 4225 cells measured" in text
    assert len(text.splitlines()[1].split()) == 10  # the map shows the nine coarse values

    found.save(tmp_path / "found.npz")
    copy = PhaseDiagram.load(tmp_path / "found.npz")
    np.testing.assert_array_equal(copy.source, found.source)
    np.testing.assert_array_equal(copy.phases, found.phases)
    frame = found.to_frame()
    assert frame["source"].value_counts().to_dict() == {
        "inferred": inferred.sum(),
        "measured": runs,
    }
    assert frame.loc[frame["source"] == "inferred", "train_step"].isna().all()
    write_csv(found, tmp_path / "runs.csv")
    lines = (tmp_path / "runs.csv").read_text().splitlines()
    assert ",status,source," in lines[0]
    assert ",5,5,comprehension,,,,,not run,inferred," in lines[2]


@given(arrays(np.int8, (9, 9), elements=st.integers(-1, 1)))
@QUICK
def test_only_agreeing_corners_infer(labels: np.ndarray) -> None:
    """Of any labels, finished or not: what is inferred has four agreeing corners around it."""
    found = filled(labels, (4, 4))
    np.testing.assert_array_equal(found[labels >= 0], labels[labels >= 0])
    for place in zip(*np.nonzero((found >= 0) & (labels < 0)), strict=True):
        assert any(
            {labels[i, j] for i in ends[0] for j in ends[1]} == {found[place]}
            for size in (4, 2)
            for ends in product(*([(k, k + size) for k in range(0, 8, size)] for _ in "ij"))
            if all(low <= at <= high for at, (low, high) in zip(place, ends, strict=True))
        )


def test_inferred_cells_are_drawn_pale() -> None:
    found = refined(lambda x, y: int(x > 3.3))
    figure = found.plot()
    over = figure.axes[0].collections[1]
    figure.draw_without_rendering()
    drawn = over.get_facecolors()[:, 3] > 0
    np.testing.assert_array_equal(drawn, (found.source == Source.INFERRED).ravel())
    assert "pale: inferred" in [text.get_text() for text in figure.legends[0].get_texts()]
    steps = found.plot.steps()
    grey = steps.axes[0].collections[1]
    steps.draw_without_rendering()
    assert (grey.get_facecolors()[drawn] == to_rgba("#D0D0D0")).all()
    assert "not measured" in steps.axes[-1].get_ylabel()
    coarse = sweep(grid(), engine=LabelEngine(wedge), progress=False)
    assert len(coarse.plot().axes[0].collections) == 1


# The command line.

SMALL = (
    *("sweep", "--axis", "decoder_lr=1e-3:1e-2:3:log", "--axis", "decoder_weight_decay=0:4:3"),
    *("--width", "10", "--steps", "400", "--embedding-lr", "1e-2", "--seeds", "5", "--jobs", "1"),
)


def test_refine_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = str(tmp_path / "out" / "runs.sqlite")
    assert main([*SMALL, "--out", str(tmp_path / "out"), "--name", "small"]) == 0
    command = ["refine", store, "--to", "4", "--jobs", "1"]
    capsys.readouterr()
    assert main([*command, "--dry-run"]) == 0
    assert "81 cells: about" in capsys.readouterr().out
    assert sorted(p.name for p in (tmp_path / "out").iterdir())[1:] == [
        "runs.csv",
        "runs.sqlite",
    ] + ["steps.png"]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "refined decoder_lr 4 times, decoder_weight_decay 4 times" in printed
    out = tmp_path / "out" / "small-x4"
    assert sorted(p.name for p in out.iterdir()) == ["phases.png", "runs.csv", "steps.png"]
    table = (out / "runs.csv").read_bytes()
    # The same call goes on, though the store holds two sweeps by now.
    assert main(command) == 0
    assert capsys.readouterr().out == printed
    assert (out / "runs.csv").read_bytes() == table
    assert main(["export", store, str(tmp_path / "again.csv"), "--name", "small-x4"]) == 0
    assert (tmp_path / "again.csv").read_bytes() == table


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--to", "3"], "to must be a power of two"),
        (["--to", "many"], "to 'many' is not understood"),
        (["--to", "decoder_lr=4,5"], "is not understood"),
        (["--to", "width=4"], "'width', which cannot be refined"),
        (["--name", "other"], "holds no sweep 'other'"),
        (["--name", "small-x4"], "refined already"),
        (["--jobs", "0"], "n_jobs must not be 0"),
    ],
)
def test_bad_options_are_one_sentence(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, engine = tmp_path / "runs.sqlite", LabelEngine(wedge)
    coarse = sweep(grid(3, 3), store=store, name="small", engine=engine, progress=False)
    refine(coarse, 4, store=store, name="small-x4", engine=engine, progress=False)
    assert main(["refine", str(store), *options]) == 2
    printed = capsys.readouterr().err
    assert message in printed and printed.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["runs.sqlite"]
    assert main(["refine", str(tmp_path / "missing.sqlite")]) == 2
