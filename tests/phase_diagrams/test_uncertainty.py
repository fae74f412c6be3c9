"""Several seeds: probabilities, majority, and what is due to the split."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from effective_theory import Addition, InputError, ToyModel
from phase_diagrams import Phase, SweepSpec, sweep
from phase_diagrams.phases import Source
from phase_diagrams.statistics.probabilities import effective_runs, wilson_interval
from phase_diagrams.statistics.seed_effects import effects_of
from phase_diagrams.toy.engine import NumbaEngine
from tests.phase_diagrams.labelled import labelled, run_with

pytestmark = pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")

C, G, M, X, NOT_RUN = 0, 1, 2, 3, -1
CROSSED = list(itertools.product(range(3), range(4)))
NESTED = [(split, 10 * split + start) for split, start in CROSSED]


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_runs_that_share_no_seed_have_wilsons_interval(confidence: float) -> None:
    for count in range(11):
        labels = [[C] * count + [M] * (10 - count)]
        diagram = labelled(labels, {"decoder_lr": [1e-3]}, range(10))
        found = diagram.probability(Phase.COMPREHENSION, confidence)
        expected = binomtest(count, 10).proportion_ci(confidence, method="wilson")
        assert found.value[0] == count / 10
        assert (found.low[0], found.high[0]) == pytest.approx((expected.low, expected.high))
        assert found.runs[0] == 10 and found.effective_runs[0] == pytest.approx(10)


def test_runs_that_were_not_made_do_not_count() -> None:
    labels = [[C, C, M, NOT_RUN, NOT_RUN], [NOT_RUN] * 5]
    diagram = labelled(labels, {"decoder_lr": [1e-3, 1e-2]}, range(5))
    found = diagram.probability(Phase.COMPREHENSION)
    expected = binomtest(2, 3).proportion_ci(method="wilson")
    assert found.value[0] == 2 / 3 and found.low[0] == pytest.approx(expected.low)
    assert found.runs.tolist() == [3, 0] and found.effective_runs[1] == 0
    assert np.isnan([found.value[1], found.low[1], found.high[1]]).all()
    diagram.source[0, 0] = Source.PREDICTED
    assert diagram.probability(Phase.COMPREHENSION).value[0] == 1 / 2


def test_every_phase_has_its_probability() -> None:
    labels = [[C, G, M, X, M]]
    diagram = labelled(labels, {"decoder_lr": [1e-3]}, range(5))
    each = diagram.probabilities()
    assert [float(each[phase].value[0]) for phase in each] == [0.2, 0.2, 0.4, 0.2, 0.0]
    assert diagram.probability().value[0] == 0.4  # of generalising


def test_a_split_that_decides_everything_leaves_as_many_runs_as_splits() -> None:
    by_split = [[C if split else M for split, _ in NESTED]]
    for seeds in (NESTED, CROSSED):
        diagram = labelled(by_split, {"decoder_lr": [1e-3]}, seeds)
        assert diagram.probability(Phase.COMPREHENSION).effective_runs[0] == pytest.approx(3)
        # Where none disagrees nothing is known: the cautious number.
        alike = labelled([[C] * 12], {"decoder_lr": [1e-3]}, seeds)
        assert alike.probability(Phase.COMPREHENSION).effective_runs[0] == pytest.approx(3)


def test_one_split_alone_speaks_of_itself() -> None:
    seeds = [(0, start) for start in range(8)]
    found = labelled([[C] * 6 + [M] * 2], {"decoder_lr": [1e-3]}, seeds).probability(C)
    expected = binomtest(6, 8).proportion_ci(method="wilson")
    assert (found.low[0], found.high[0]) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("seeds", [CROSSED, NESTED, CROSSED[:7], [(0, 0), (0, 1), (1, 0)]])
def test_effective_runs_are_never_more_than_runs(seeds: list[tuple[int, int]]) -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        known = rng.random((4, len(seeds))) < rng.random()
        inside = (rng.random((4, len(seeds))) < rng.random()) & known
        found = effective_runs(inside, known, seeds)
        assert (found <= known.sum(-1) + 1e-9).all()
        assert ((found > 0) == known.any(-1)).all()


def test_intervals_of_clustered_runs_cover_as_often_as_they_say() -> None:
    """Labels from a random effect of the split: plain Wilson covers too rarely, ours does not."""
    rng = np.random.default_rng(1)
    seeds = [(split, 100 * split + start) for split in range(12) for start in range(6)]
    splits = np.array([split for split, _ in seeds])
    cells, truth, hits, plain = 40, 0.6, 0, 0
    for _ in range(60):
        # Beta(1.2, 0.8) has mean 0.6 and makes an intraclass correlation of 1 / 3.
        chance = rng.beta(1.2, 0.8, size=(cells, 12))[:, splits]
        inside = rng.random((cells, len(seeds))) < chance
        known = np.ones_like(inside)
        share = inside.mean(-1)
        for name, runs in (("ours", effective_runs(inside, known, seeds)), ("plain", len(seeds))):
            low, high = wilson_interval(share, np.asarray(runs, float), 0.95)
            covered = int(((low <= truth) & (truth <= high)).sum())
            hits, plain = (hits + covered, plain) if name == "ours" else (hits, plain + covered)
    assert hits / (60 * cells) == pytest.approx(0.95, abs=0.02)
    assert plain / (60 * cells) < 0.8


def test_a_seed_that_has_not_run_changes_nothing() -> None:
    """Three starts of one split: that another split is to come does not make them one run."""
    phases = np.array([[0, 2, 0]] * 4)
    axes, seeds = {"decoder_lr": [1e-4, 1e-3, 1e-2, 1e-1]}, [(0, 0), (0, 1), (0, 2)]
    alone = labelled(phases, axes, seeds).probability()
    more = labelled(np.c_[phases, -np.ones((4, 1), int)], axes, [*seeds, (1, 3)]).probability()
    for name in ("value", "low", "high", "runs", "effective_runs"):
        np.testing.assert_array_equal(getattr(more, name), getattr(alone, name))


def test_effects_of_a_crossed_design_are_those_of_the_analysis_of_variance() -> None:
    values = np.random.default_rng(2).normal(size=(3, 4)) + np.array([[0.0], [3.0], [-2.0]])
    grand, rows, columns = values.mean(), values.mean(1), values.mean(0)
    residual = values - rows[:, None] - columns + grand
    mean_square = (residual**2).sum() / (2 * 3)
    split = (4 * ((rows - grand) ** 2).sum() / 2 - mean_square) / 4
    start = (3 * ((columns - grand) ** 2).sum() / 3 - mean_square) / 3
    total = split + start + mean_square
    known = np.ones((1, 12), bool)
    found = effects_of(1e6 + values.reshape(1, 1, 12), known, CROSSED)
    assert found.disagreement == pytest.approx(total)
    assert (found.split, found.initialisation, found.interaction) == pytest.approx(
        (split / total, start / total, mean_square / total)
    )


def test_effects_are_means_over_pairs_where_runs_are_missing() -> None:
    rng = np.random.default_rng(3)
    values, known = rng.integers(0, 3, (5, 12)), rng.random((5, 12)) < 0.7
    whole, within = 0.0, 0.0
    for cell in range(5):
        kinds: dict[tuple[bool, bool], list[float]] = {}
        for i, j in itertools.combinations(np.flatnonzero(known[cell]), 2):
            kind = CROSSED[i][0] == CROSSED[j][0], CROSSED[i][1] == CROSSED[j][1]
            kinds.setdefault(kind, []).append(float(values[cell, i] != values[cell, j]))
        whole += np.mean(kinds[False, False])
        within += np.mean(kinds[True, False])
    labels = np.where(known, values, NOT_RUN)
    axes = {"decoder_lr": [1e-4, 2e-4, 3e-4, 4e-4, 5e-4]}
    found = labelled(labels, axes, CROSSED).seed_effects()
    assert found.split == pytest.approx(1 - within / whole)
    assert found.disagreement == pytest.approx(whole / 5)


def test_what_a_design_cannot_tell_is_nan() -> None:
    axes = {"decoder_lr": [1e-3]}
    labels = [[C, M, M, C, C, C, C, M, M, C, M, C]]
    nested = labelled(labels, axes, NESTED).seed_effects()
    assert np.isfinite(nested.split)
    assert np.isnan([nested.initialisation, nested.interaction]).all()
    for seeds in (range(12), [(0, k) for k in range(12)], [(k, 0) for k in range(12)]):
        found = labelled(labels, axes, seeds).seed_effects()
        assert np.isnan([found.split, found.initialisation, found.interaction]).all()
    for alike in ([[C] * 12], [[NOT_RUN] * 12]):
        assert np.isnan(labelled(alike, axes, CROSSED).seed_effects().split)


def test_effects_on_the_log_of_test_step() -> None:
    diagram = labelled([[NOT_RUN] * 12], {"decoder_lr": [1e-3]}, CROSSED)
    for place, (split, start) in enumerate(CROSSED):
        test_step = None if start == 3 else round(100 * np.e ** (2 * split))
        diagram.record((0, place), run_with(10, test_step))
    found = diagram.seed_effects("log_test_step")
    assert found.split == pytest.approx(1, abs=1e-6)
    assert found.initialisation == pytest.approx(0, abs=1e-6)
    # Half the squared differences of logarithms 0, 2, 4: means over pairs of splits.
    assert found.disagreement == pytest.approx((4 + 4 + 16) / 2 / 3, rel=0.01)
    with pytest.raises(InputError, match="of must be"):
        diagram.seed_effects("test_step")  # type: ignore[arg-type]


def test_phases_may_be_given_by_name() -> None:
    diagram = labelled([[C, G, M, G]], {"decoder_lr": [1e-3]}, range(4))
    assert diagram.probability("grokking").of == (Phase.GROKKING,)
    both = diagram.probability(["Grokking", Phase.COMPREHENSION])
    assert both.of == (Phase.COMPREHENSION, Phase.GROKKING)
    assert both.value.tolist() == [0.75]
    with pytest.raises(InputError, match="comprehension, grokking, .*; not 'not run'"):
        diagram.probability("not run")


def test_the_majority_names_its_ties() -> None:
    labels = [[[C, C, C, G], [C, C, M, M]], [[NOT_RUN] * 4, [X, X, X, X]]]
    axes = {"decoder_lr": [1e-4, 1e-3], "decoder_weight_decay": [0.0, 1.0]}
    found = labelled(labels, axes, range(4)).majority()
    assert found.phases.tolist() == [[C, NOT_RUN], [NOT_RUN, X]]
    assert found.tied.tolist() == [[False, True], [False, False]]
    assert found.ties() == [
        "decoder_lr=0.0001, decoder_weight_decay=1: comprehension = memorization"
    ]
    np.testing.assert_array_equal(found.share, [[0.75, 0.5], [np.nan, 1.0]])
    expected = [binomtest(count, 4).proportion_ci(method="wilson").low for count in (3, 2, 4)]
    assert found.low[0, 0] == pytest.approx(expected[0])
    assert found.low[0, 1] == pytest.approx(expected[1])
    assert found.low[1, 1] == pytest.approx(expected[2])
    assert np.isnan(found.low[1, 0])
    assert str(found) == (
        "majority of 4 seeds: 3 cells, 1 with the 95% interval above 1/2, 1 not, 1 tied"
    )


def test_the_majority_has_the_bound_of_its_phase_or_the_least_of_those_that_tie() -> None:
    rng = np.random.default_rng(6)
    labels = rng.integers(0, 3, (200, 12))
    # Comprehension follows the split, the other two do not: bounds of equal shares differ.
    labels[np.repeat(rng.random((200, 3)) < 0.4, 4, axis=1)] = C
    diagram = labelled(labels, {"decoder_lr": np.geomspace(1e-5, 1e-2, 200)}, NESTED)
    found, each = diagram.majority(), diagram.probabilities()
    assert found.tied.sum() > 5
    for cell in range(200):
        counts = [int((labels[cell] == phase).sum()) for phase in (C, G, M)]
        leaders = [Phase(phase) for phase in (C, G, M) if counts[phase] == max(counts)]
        assert found.low[cell] == min(each[phase].low[cell] for phase in leaders)


@pytest.mark.parametrize(
    ("of", "confidence", "message"),
    [
        ((), 0.95, "of must be phases"),
        (Phase.NOT_RUN, 0.95, "of must be phases"),
        ("groking", 0.95, "of must be phases"),
        (7, 0.95, "of must be phases"),
        (Phase.GROKKING, 95, "confidence"),
        (Phase.GROKKING, 1, "confidence must lie strictly"),
        (Phase.GROKKING, 0.0, "confidence must lie strictly"),
        (Phase.GROKKING, 1 - 1e-16, "confidence must lie strictly"),
        (Phase.GROKKING, "high", "confidence must be a number"),
    ],
)
def test_bad_arguments_are_named(of: object, confidence: object, message: str) -> None:
    diagram = labelled([[C, M]], {"decoder_lr": [1e-3]}, range(2))
    with pytest.raises(InputError, match=message):
        diagram.probability(of, confidence)  # type: ignore[arg-type]


def test_more_seeds_run_only_the_new_ones(tmp_path: Path) -> None:
    store = tmp_path / "runs.sqlite"
    model = ToyModel(width=6, steps=20)
    spec = SweepSpec(Addition(10), {"decoder_lr": [1e-3, 1e-2]}, model, seeds=(0, (0, 1)))
    first = sweep(spec, store=store, engine=NumbaEngine(n_jobs=1), progress=False)
    ran = []

    class Noting(NumbaEngine):
        def run(self, cells):  # type: ignore[no-untyped-def]
            for cell, summary in super().run(cells):
                ran.append(cell.seed)
                yield cell, summary

    more = first.spec.with_more_seeds([2, (0, 3)])
    second = sweep(more, store=store, engine=Noting(n_jobs=1), progress=False)
    assert sorted(ran) == [(0, 3), (0, 3), (2, 2), (2, 2)]
    assert second.spec.seeds == ((0, 0), (0, 1), (2, 2), (0, 3))
    with pytest.raises(InputError, match="seeds are repeated"):
        first.spec.with_more_seeds([0])
    with pytest.raises(InputError, match="seeds must be a sequence"):
        first.spec.with_more_seeds(3)  # type: ignore[arg-type]
