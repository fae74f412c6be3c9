"""Two diagrams side by side."""

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import rankdata

from effective_theory import Addition, InputError, ToyModel
from phase_diagrams import (
    Axis,
    Phase,
    PhaseDiagram,
    StoreError,
    SweepSpec,
    compare,
    load,
    numba_engine,
    sweep,
)
from phase_diagrams.cli import main
from phase_diagrams.comparison.comparing import step_agreement
from phase_diagrams.comparison.result import cohen_kappa
from phase_diagrams.toy.engine import NumbaEngine
from tests.phase_diagrams.labelled import labelled, run_with

pytestmark = pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")

C, G, M, X, NOT_RUN = 0, 1, 2, 3, -1
RATES = Axis((1e-5, 1e-4, 1e-3, 1e-2), "log")
DECAYS = Axis((0.0, 2.0, 4.0), "linear")
AXES = {"decoder_lr": RATES, "decoder_weight_decay": DECAYS}
LABELS = np.array([[G, G, G], [C, C, C], [C, M, M], [M, M, X]])[..., np.newaxis]


def test_labels_table_and_baseline() -> None:
    other = LABELS.copy()
    other[0, 0], other[2, 0], other[3, 2] = C, M, NOT_RUN
    found = compare(labelled(LABELS, AXES, (0,)), labelled(other, AXES, (0,)))
    assert (found.shared, found.agreeing, found.runs) == (11, 9, (12, 11))
    assert found.commonest == 5  # memorization is b's commonest label
    expected = np.zeros((5, 5), int)
    expected[C, C], expected[C, M], expected[G, C], expected[G, G], expected[M, M] = 3, 1, 1, 2, 4
    np.testing.assert_array_equal(found.table, expected)
    frame = found.to_frame()
    assert len(frame) == 11 and (frame["phase_a"] == frame["phase_b"]).sum() == 9
    assert frame["test_step_a"].isna().sum() == 4


def test_kappa_is_agreement_beyond_that_of_random_pairings() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 3, 40), rng.integers(0, 4, 40)
    b[:20] = a[:20]
    table = np.zeros((5, 5), int)
    np.add.at(table, (a, b), 1)
    chance = np.mean([x == y for x, y in itertools.product(a, b)])
    assert cohen_kappa(table) == pytest.approx(((a == b).mean() - chance) / (1 - chance))
    assert cohen_kappa(np.array([[20, 5], [10, 15]])) == pytest.approx(0.4)
    assert np.isnan(cohen_kappa(np.array([[7, 0], [0, 0]])))


def test_steps_are_compared_where_both_reached_them() -> None:
    a = np.ma.masked_less([10, 20, 30, 45, -1, 50, -1], 0)
    b = np.ma.masked_less([11, 22, 36, 45, -1, -1, 7], 0)
    found = step_agreement(a, b, 2)
    assert (found.both, found.only_a, found.only_b, found.neither) == (4, 1, 1, 1)
    assert (found.median_difference, found.largest_difference, found.within) == (1.5, 6, 3)
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, 50, (2, 60))
    ranks = np.corrcoef(rankdata(x), rankdata(y))[0, 1]
    assert step_agreement(np.ma.array(x), np.ma.array(y), 0).rank_correlation == pytest.approx(
        ranks
    )
    never = step_agreement(np.ma.masked_less([-1, 3], 0), np.ma.masked_less([4, -1], 0), 2)
    assert never.both == 0 and np.isnan([never.rank_correlation, never.largest_difference]).all()


def test_axes_in_another_order_are_joined_by_cell() -> None:
    turned = dict(reversed(AXES.items()))
    found = compare(
        labelled(LABELS, AXES, (0, 1)[:1]), labelled(LABELS.swapaxes(0, 1), turned, (0,))
    )
    assert found.shared == found.agreeing == 12 and found.kappa == pytest.approx(1)
    by_place = compare(
        labelled(LABELS, AXES, (0,)), labelled(LABELS.swapaxes(0, 1), turned, (0,)), by="place"
    )
    assert by_place.agreeing == 12
    assert found.shifts["decoder_lr"].median == 0


def test_grids_that_overlap_in_part_are_compared_where_they_do() -> None:
    part = {"decoder_lr": Axis((1e-4, 3e-4, 1e-3), "log"), "decoder_weight_decay": DECAYS}
    labels = np.concatenate([LABELS[1:2], LABELS[2:3], LABELS[2:3]])
    for by in ("cell", "place"):
        found = compare(
            labelled(LABELS, AXES, (0,)),
            labelled(labels, part, (7, 0)[1:]),
            by=by,  # type: ignore[arg-type]
        )
        assert (found.shared, found.agreeing) == (6, 6)
    # One more axis, of which the first diagram has a single value.
    flat = labelled(LABELS[:, 1], {"decoder_lr": RATES}, (0,))
    fixed = dataclasses.replace(flat.spec, model=ToyModel(steps=10_000, decoder_weight_decay=2.0))
    line = PhaseDiagram(fixed, flat.results)
    found = compare(line, labelled(LABELS, AXES, (0,)))
    assert (found.shared, found.agreeing, found.differences) == (4, 4, ())


def test_boundaries_that_moved_by_one_cell() -> None:
    lower = LABELS.copy()
    lower[2, 0] = M  # generalisation ends one decade earlier in the first column
    found = compare(labelled(LABELS, AXES, (0,)), labelled(lower, AXES, (0,)))
    shift = found.shifts["decoder_lr"]
    assert (shift.both, shift.only_a, shift.only_b, shift.unit) == (3, 0, 0, "decades")
    assert (shift.median, shift.largest) == (pytest.approx(0), pytest.approx(-1))
    along = found.shifts["decoder_weight_decay"]
    assert (along.both, along.only_a, along.only_b, along.unit) == (0, 1, 0, "")
    text = str(found)
    assert "labels: 11 of 12 agree (91.7%); always b's commonest: 5 (41.7%)" in text
    assert "decoder_lr: 3 in both, 0 in one; median shift +0 decades, largest -1 decades" in text
    assert "  decoder_lr=0.001, decoder_weight_decay=0, seed 0: comprehension, memoriz" in text


def test_each_edge_is_compared_with_its_like() -> None:
    window = np.array([[M], [C], [C], [M]])  # generalises between 10^-4.5 and 10^-2.5
    reaches_down = np.array([[C], [C], [M], [M]])  # up to 10^-3.5, no lower edge
    axes = {"decoder_lr": RATES}
    shift = compare(labelled(window, axes, (0,)), labelled(reaches_down, axes, (0,))).shifts
    found = shift["decoder_lr"]
    assert (found.both, found.only_a, found.only_b) == (1, 1, 0)
    assert found.median == pytest.approx(-1)


def test_other_starts_are_compared_by_place_only_when_asked() -> None:
    a = labelled(LABELS, AXES, (58,), start="released")
    b = labelled(LABELS, AXES, (0,), lag=2000)
    with pytest.raises(InputError, match="share no run by cell id.*by .place."):
        compare(a, b)
    found = compare(a, b, by="place")
    assert found.shared == 12
    assert found.differences == (
        "start released and random",
        "lag 1000 and 2000",
        "seed (58, 58) and (0, 0)",
    )
    assert "the sweeps differ in start released and random; lag" in str(found)
    several = labelled(np.repeat(LABELS, 3, -1), AXES, (58, 1, 2), start="released")
    assert (
        compare(several, labelled(np.repeat(LABELS, 2, -1), AXES, (2, 3)), by="place").shared == 12
    )
    with pytest.raises(InputError, match="share no run by place"):
        compare(several, b, by="place")


def test_budgets_are_named_and_swept_ones_are_told_apart() -> None:
    model = ToyModel(width=6, steps=30)
    spec = SweepSpec(Addition(10), {"decoder_lr": [1e-3, 1e-2]}, model)
    longer = dataclasses.replace(spec, model=dataclasses.replace(model, steps=40))
    short, long = (sweep(s, engine=numba_engine(1), progress=False) for s in (spec, longer))
    assert compare(short, long).differences == ("steps 30 and 40",)
    swept = dataclasses.replace(spec, axes={**spec.axes, "steps": [30, 40]})
    both = sweep(swept, engine=numba_engine(1), progress=False)
    assert compare(both, long).shared == 2
    assert compare(both, both).shared == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "seed"}, 'by must be "cell" or "place"'),
        ({"tolerance": -1}, "tolerance must be at least 0"),
        ({"b": None}, "b must be a PhaseDiagram, not NoneType"),
        ({"b": PhaseDiagram(SweepSpec(Addition(10), AXES))}, "b holds no finished run"),
        ({"b": labelled([[C]], {"width": [9]}, (0,)), "by": "place"}, "needs the same axes"),
    ],
)
def test_bad_arguments_are_named(options: dict[str, object], message: str) -> None:
    a = labelled(LABELS, AXES, (0,))
    with pytest.raises(InputError, match=message):
        compare(**{"a": a, "b": a, **options})  # type: ignore[arg-type]


def test_the_picture_shows_table_and_map() -> None:
    other = LABELS.copy()
    other[0, 0], other[3, 2] = C, NOT_RUN
    found = compare(
        labelled(LABELS, AXES, (0,)), labelled(other, AXES, (0,)), names=("ours", "theirs")
    )
    table, drawn = found.plot().axes[:2]
    assert (table.get_ylabel(), table.get_xlabel()) == ("ours", "theirs")
    values = drawn.collections[0].get_array()
    assert values.sum() == 1 and values[0, 0] == 1 and np.ma.getmaskarray(values).sum() == 1
    three = {"decoder_lr": [1e-3], "width": [5, 9], "batch_size": [5]}
    cube = labelled(np.full((1, 2, 1, 1), C), three, (0,))
    assert len(compare(cube, cube).plot().axes) == 1


class Other(NumbaEngine):
    """An engine that makes its steps up."""

    def run(self, cells):  # type: ignore[no-untyped-def]
        for cell in cells:
            groks = cell.model.decoder_lr > 5e-3 and self.version == 3
            yield cell, run_with(100, 1300 if groks else None, 9, cell.model.steps)


def stored(path: Path) -> Path:
    model = ToyModel(width=2, embedding_lr=0.0, steps=1500)
    spec = SweepSpec(Addition(10), {"decoder_lr": [1e-3, 1e-2]}, model, seeds=(0, 1))
    sweep(spec, store=path, name="ours", engine=NumbaEngine(n_jobs=1), progress=False)
    sweep(spec, store=path, name="theirs", engine=Other(1, "other", 2), progress=False)
    sweep(spec, store=path, name="theirs", engine=Other(1, "other", 3), progress=False)
    return path


def test_two_engines_of_one_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(stored(tmp_path / "runs.sqlite"))
    ours, theirs = load(path, "ours"), load(path, "ours", engine="other")
    assert ours.counts()[Phase.CONFUSION] == 4
    assert theirs.counts()[Phase.GROKKING] == theirs.counts()[Phase.MEMORIZATION] == 2
    picture = tmp_path / "compared.png"
    command = ["compare", path, path, "--name-a", "ours", "--name-b", "theirs"]
    assert main([*command, "--engine-b", "other", "--out", str(picture)]) == 0
    printed = capsys.readouterr().out
    assert "4 runs shared by cell, of 4 in ours and 4 in theirs" in printed
    assert "labels: 0 of 4 agree" in printed and picture.is_file()
    for wrong, message in (
        (command, "both are the same stored runs; choose two engines"),
        ([*command, "--engine-a", "numba-float32"], "both are the same stored runs"),
        ([*command, "--engine-b", "torch"], "holds no run of the engine 'torch'; its engines are"),
        (["compare", path, path], "holds several sweeps; give name"),
        (["compare", path, "missing.sqlite", "--name-a", "ours"], "missing.sqlite does not exist"),
    ):
        assert main(wrong) == 2
        error = capsys.readouterr().err
        assert message in error and error.count("\n") == 1
    with pytest.raises(StoreError, match="its engines are numba-float32, other"):
        load(path, "ours", engine="torch")
