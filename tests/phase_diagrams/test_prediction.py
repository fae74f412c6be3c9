"""Prediction: exact where the law is, as sure as it says, and never taken for a measurement."""

import dataclasses
import math
import re
import sqlite3
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from effective_theory import Addition, InputError, ToyModel
from phase_diagrams import (
    Axis,
    Cell,
    Phase,
    PhaseDiagram,
    RunSummary,
    Source,
    SweepSpec,
    load,
    measure_doubtful,
    predict,
    refine,
    sweep,
)
from phase_diagrams.cli import main
from phase_diagrams.comparison.published_tables import read_table
from phase_diagrams.phases import classify
from phase_diagrams.prediction.groups import groups_of, unit_rate
from phase_diagrams.prediction.law import Law, Observed, expected_length, phase_probabilities
from phase_diagrams.prediction.predicted_cells import observed_by, predict_cells
from phase_diagrams.prediction.probes import Plan, Probe, Rule, key_of
from phase_diagrams.prediction.spent import spent
from phase_diagrams.refinement.coarse import coarse_places
from phase_diagrams.runs.stored_run import KeptRuns
from phase_diagrams.sweeps.systems import Budget
from phase_diagrams.text.summary import summary
from phase_diagrams.text.table import write_csv
from tests.phase_diagrams.labelled import run_with
from tests.phase_diagrams.law_engine import LawEngine, decay_grid, rate_grid, rates
from tests.second_system import Perceptron, UpperPart

pytestmark = pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")
QUIET = {"progress": False}


def predicted(spec: SweepSpec, engine: LawEngine | None = None, **more: object) -> PhaseDiagram:
    return predict(spec, engine=engine or LawEngine(), **QUIET, **more)  # type: ignore[arg-type]


# What the law says.


@pytest.mark.parametrize(("spec", "phases"), [(rate_grid(), 3), (decay_grid(), 4)])
def test_where_the_law_is_exact_few_probes_tell_the_whole_diagram(
    spec: SweepSpec, phases: int
) -> None:
    engine = LawEngine()
    found = predicted(spec, engine)
    exact = sweep(spec, engine=LawEngine(), progress=False)
    again = PhaseDiagram(found.spec)
    runs = {key_of(cell): summary for cell, summary in probes_of(found, engine)}
    never = dict.fromkeys(("late_train", "late_test"), 1e-6)
    law = Law(slope=0, spread=1e-6, change=0, change_at_edge=0, **never)
    predict_cells(again, Plan(found.spec), runs, law)
    assert (found.source != Source.NOT_RUN).all()
    np.testing.assert_array_equal(again.phases, exact.phases)
    assert len({*exact.phases.ravel()}) == phases
    assert spent(found).share < 0.2


def probes_of(found: PhaseDiagram, engine: LawEngine) -> Iterator[tuple[Cell, RunSummary]]:
    """The probes that an engine ran for a diagram of one seed."""
    cell = found.spec.cell((0,) * len(found.spec.shape))
    return LawEngine().run(dataclasses.replace(cell, model=model) for model in engine.ran)


def test_one_probe_for_each_ratio_and_more_where_neighbours_end_differently() -> None:
    engine = LawEngine()
    found = predicted(rate_grid(), engine)
    assert found.prediction is not None and found.prediction.probes == len(engine.ran)
    by_ratio: dict[float, list[ToyModel]] = {}
    for model in engine.ran:
        ratio = round(math.log10(model.embedding_lr / model.decoder_lr), 3)
        by_ratio.setdefault(ratio, []).append(model)
    assert len(by_ratio) == 25
    several = {ratio for ratio, models in by_ratio.items() if len(models) > 1}
    # Nothing generalises up to 10^0.45; those are the two ratios beside it.
    assert {0.25, 0.5} <= several
    assert all(m.steps <= max(7500, 1.01 / m.decoder_lr) for m in engine.ran)


def test_probabilities_are_the_shares_of_stretched_runs() -> None:
    """Of a million draws of the factor, each run classified by itself."""
    law = Law(slope=0.3, spread=0.4, change=0, change_at_edge=0)
    stretch = np.random.default_rng(1).lognormal(0.3 * 1, 0.4, 1_000_000)
    for train, test, budget, lag in (
        (1000, 4000, 5000, 1000), (1000, 1900, 50_000, 1000), (8000, 9500, 10_000, 1000),
        (3000, 2500, 4000, 500), (4000, math.inf, 5000, 1000),
    ):  # fmt: skip
        observed = Observed(train, test, end=1e9, decades=1, rate=1e-3)
        found = phase_probabilities(observed, budget, lag, False, law)
        drawn = np.zeros(5)
        for factor in stretch[:20_000]:
            steps = [int(t * factor) if t * factor <= budget else None for t in (train, test)]  # type: ignore[arg-type]
            drawn[classify(*steps, lag=lag)] += 1 / 20_000
        np.testing.assert_allclose(found, drawn, atol=0.012)
        assert found.sum() == pytest.approx(1)


def test_a_probe_at_the_cells_own_rate_is_sure_but_for_what_comes_after_its_end() -> None:
    own = Observed(train=500, test=math.inf, end=10_000, decades=0, rate=1e-3)
    law = Law()
    assert phase_probabilities(own, 10_000, 1000, True, law)[Phase.MEMORIZATION] == 1
    longer = phase_probabilities(own, 100_000, 1000, True, law)
    assert longer[Phase.GROKKING] == pytest.approx(1 - 0.1**law.late_test)
    assert longer.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("missing", "rate", "expected"),
    # Crossings between the times 1 and 10, or 10 and 100.
    [(0, 1e-4, 0.45), (0.05, 1e-4, 0.45 / math.e), (0.5, 1e-4, 0), (0, 1e-3, 0.045)],
)
def test_what_is_near_the_train_threshold_may_reach_it_soon_after(
    missing: float, rate: float, expected: float
) -> None:
    own = Observed(math.inf, math.inf, end=10_000, decades=0, rate=rate, train_missing=missing)
    law = Law(late_train=0.5, late_train_width=0.05)
    found = phase_probabilities(own, 100_000, 1000, True, law)
    late = 1 - math.exp(-expected)
    assert found[Phase.MEMORIZATION] == pytest.approx(late, abs=1e-4)
    assert found[Phase.CONFUSION] == pytest.approx(1 - late, abs=1e-4)


def test_who_has_generalised_and_is_trained_later_comprehends() -> None:
    """As `classify` has it: the test threshold came first."""
    own = Observed(math.inf, 500, end=1000, decades=0, rate=1e-3, train_missing=0.03)
    found = phase_probabilities(own, 100_000, 1000, False, Law())
    assert classify(5000, 500) == Phase.COMPREHENSION == found.argmax()
    assert found[Phase.MEMORIZATION] == 0
    other = phase_probabilities(dataclasses.replace(own, decades=1), 1000, 1000, True, Law())
    assert other[Phase.COMPREHENSION] > 0 == other[Phase.MEMORIZATION]


def test_what_a_probe_lacked_of_the_threshold_is_read_from_its_run() -> None:
    """Whether it is the probe's own or the beginning of a longer one."""
    cell = rate_grid().cell((0, 0, 0))
    whole = dataclasses.replace(run_with(None, None, steps=100), best_train_accuracy=0.7)
    assert observed_by(Probe(cell, whole), cell).train_missing == pytest.approx(0.2)
    curve = np.array([[0, 0, 0, 0.1, 0, 0], [50, 0, 0, 0.8, 0, 0], [100, 0, 0, 0.6, 0, 0]])
    begun = dataclasses.replace(whole, best_train_accuracy=math.nan, curve=curve)
    assert observed_by(Probe(cell, begun), cell).train_missing == pytest.approx(0.1)
    bare = dataclasses.replace(begun, curve=curve[:0])
    assert observed_by(Probe(cell, bare), cell).train_missing == 0


def test_far_rates_and_edges_are_less_certain() -> None:
    def certainty(decades: float, at_edge: bool) -> float:
        observed = Observed(1000, 1200, 5000, decades, 1e-3)
        return float(phase_probabilities(observed, 100_000, 1000, at_edge, Law()).max())

    assert certainty(0.1, False) > certainty(1, False) > certainty(1, True) > certainty(2, True)


def test_a_probe_that_diverged_says_so() -> None:
    observed = Observed(math.inf, math.inf, 10, 1, 1e-3, diverged=True)
    found = phase_probabilities(observed, 1000, 1000, False, Law(change=0))
    assert found.argmax() == Phase.DIVERGED
    assert expected_length(observed, Budget(1000, "never"), Law()) == 10
    # A run that ends before has not diverged yet.
    assert phase_probabilities(observed, 9, 1000, False, Law(change=0))[Phase.DIVERGED] == 0
    assert expected_length(observed, Budget(9, "never"), Law()) == 9


@pytest.mark.parametrize("steps", [100, 300, 1000, 3000])
def test_a_prediction_takes_no_more_than_its_sweep(steps: int) -> None:
    engine = LawEngine()
    found = predicted(rate_grid(steps=steps), engine)
    assert sum(model.steps for model in engine.ran) <= steps * found.spec.size
    assert all(model.steps <= steps for model in engine.ran if model.decoder_lr > 1.01e-4)


def test_of_several_budgets_the_largest_is_probed() -> None:
    """A probe of the smallest would say nothing of what the others reach."""
    model = ToyModel(width=2, decoder_lr=1e-4, embedding_lr=1e-3)
    spec = SweepSpec(Addition(10), {"steps": [1000, 30_000]}, model)
    engine = LawEngine()
    found = predicted(spec, engine)
    assert [model.steps for model in engine.ran] == [10_000]
    whole = sweep(spec, engine=LawEngine(), **QUIET)  # type: ignore[arg-type]
    assert len(set(whole.phases.ravel().tolist())) == 2
    np.testing.assert_array_equal(found.phases, whole.phases)


def test_real_training_is_predicted() -> None:
    """Against the same sweep measured: most labels, and more of those that are sure."""
    axes = {"embedding_lr": rates(1e-3, 3e-2, 2), "decoder_lr": rates(3e-4, 3e-3, 2)}
    spec = SweepSpec(Addition(10), axes, ToyModel(width=100, steps=3000), seeds=(2,), lag=100)
    exact = sweep(spec, n_jobs=1, progress=False)
    found = predict(spec, n_jobs=1, progress=False)
    agree = found.phases == exact.phases
    assert agree[found.measured].all()
    assert agree.mean() >= 0.8


# What was predicted stays apart from what was measured.


def test_predicted_cells_have_a_phase_and_a_probability_and_no_steps(tmp_path: Path) -> None:
    found = predicted(decay_grid())
    guessed = found.source == Source.PREDICTED
    assert 10 < guessed.sum() < guessed.size
    assert found.train_step.mask[guessed].all() and found.test_step.mask[guessed].all()
    assert sum(found.counts().values()) - found.counts()[Phase.NOT_RUN] == (~guessed).sum()
    assert f"predicted {guessed.sum()}" in repr(found)
    frame = found.to_frame()
    assert (frame.loc[frame["source"] == "measured", "probability"] == 1).all()
    assert frame.loc[frame["source"] == "predicted", "train_step"].isna().all()
    assert frame.loc[frame["source"] == "predicted", "probability"].between(0.2, 1).all()
    text = summary(found)
    assert "predicted)" in text and "probes" in text
    letters = "".join(re.findall(r"^ *[0-9.e-]+  ((?:[A-Za-z] ?)+)$", text, re.M)).replace(" ", "")
    assert sum(letter.islower() for letter in letters) == guessed.sum()
    # Statistics over seeds count runs alone.
    assert np.isnan(found.probability("memorization").value[guessed[..., 0]]).all()


def test_a_prediction_without_rates_says_that_it_saves_no_runs() -> None:
    sentence = "no learning rate is swept"
    axes = {"decoder_weight_decay": [0.0, 1.0, 2.0]}
    found = predicted(SweepSpec(Addition(10), axes, decay_grid().model))
    assert found.prediction is not None and found.prediction.probes == 3
    assert sentence in summary(found)
    assert sentence not in summary(predicted(decay_grid()))


def test_tables_of_ours_do_not_take_predicted_cells_for_runs(tmp_path: Path) -> None:
    found = predicted(decay_grid())
    write_csv(found, tmp_path / "runs.csv")
    table = read_table(tmp_path / "runs.csv", decay_grid(), None)
    assert len(table) == int(found.measured.sum())


def test_the_store_holds_probes_alone_and_gives_the_same_prediction(tmp_path: Path) -> None:
    store, engine = tmp_path / "runs.sqlite", LawEngine()
    found = predicted(decay_grid(), engine, store=store)
    with sqlite3.connect(store) as file:
        assert file.execute("SELECT count(*) FROM runs").fetchone() == (len(engine.ran),)
    again = load(store, "predicted", engine=LawEngine())
    for name in ("phases", "source", "train_step"):
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name))
    assert again.prediction is not None and found.prediction is not None
    np.testing.assert_array_equal(again.prediction.certainty, found.prediction.certainty)
    # The sweep itself, asked for in the same store, runs every cell that no probe measured.
    engine = LawEngine()
    whole = sweep(decay_grid(), store=store, name="whole", engine=engine, progress=False)
    assert len(engine.ran) == int((found.source == Source.PREDICTED).sum())
    assert whole.measured.all() and "predicted" not in repr(whole)


def test_an_interrupted_prediction_goes_on(tmp_path: Path) -> None:
    store = tmp_path / "runs.sqlite"
    with pytest.raises(KeyboardInterrupt):
        predicted(rate_grid(), LawEngine(fail_after=20), store=store)
    part = load(store, "predicted", engine=LawEngine())
    assert (part.source == Source.NOT_RUN).any() and part.prediction is not None
    assert part.prediction.probes == 20
    engine = LawEngine()
    found, whole = predicted(rate_grid(), engine, store=store), predicted(rate_grid())
    assert len(engine.ran) == whole.prediction.probes - 20  # type: ignore[union-attr]
    np.testing.assert_array_equal(found.phases, whole.phases)
    np.testing.assert_array_equal(found.source, whole.source)


def test_more_seeds_extend_a_prediction(tmp_path: Path) -> None:
    store, engine = tmp_path / "runs.sqlite", LawEngine()
    first = predicted(decay_grid(), store=store)
    more = predicted(first.spec.with_more_seeds([6]), engine, store=store)
    assert len(engine.ran) == first.prediction.probes  # type: ignore[union-attr]
    np.testing.assert_array_equal(more.source[..., :1], first.source)
    assert (more.source == Source.PREDICTED).sum() == 2 * (first.source == Source.PREDICTED).sum()


def test_doubtful_cells_are_measured_and_no_others(tmp_path: Path) -> None:
    store, engine = tmp_path / "runs.sqlite", LawEngine()
    before = predicted(decay_grid(), store=store)
    doubtful = (before.source == Source.PREDICTED) & (before.prediction.certainty < 0.9)  # type: ignore[union-attr]
    after = measure_doubtful(before, 0.9, store=store, engine=engine, progress=False)
    assert 0 < doubtful.sum() == len(engine.ran)
    np.testing.assert_array_equal(after.measured, before.measured | doubtful)
    assert not before.measured[doubtful].any()
    cost = spent(after)
    assert cost.probes == spent(before).probes and 0 < cost.measured < cost.whole
    exact = sweep(decay_grid(), engine=LawEngine(), progress=False)
    np.testing.assert_array_equal(after.phases[doubtful], exact.phases[doubtful])
    again = load(store, "predicted", engine=LawEngine())
    np.testing.assert_array_equal(again.source, after.source)
    assert spent(again) == cost and repr(again.prediction) == repr(after.prediction)
    for each in (after, again):
        assert all(r["probability"] == 1 for r in each.rows() if r["source"] == "measured")
    place = tuple(np.argwhere(doubtful)[0, :2])
    values = {
        n: axis.values[k] for (n, axis), k in zip(after.spec.grid.items(), place, strict=True)
    }
    assert after.run(**values).phase == after.phases[(*place, 0)]


def test_a_part_is_measured_without_a_change_of_the_stored_sweep(tmp_path: Path) -> None:
    store = tmp_path / "runs.sqlite"
    spec = dataclasses.replace(decay_grid(), seeds=(5, 6))
    part = predicted(spec, store=store).sel(seed=6)
    after = measure_doubtful(part, store=store, engine=LawEngine(), progress=False)
    assert after.measured.sum() > part.measured.sum()
    assert load(store, "predicted", engine=LawEngine()).spec.shape == spec.shape


def test_nothing_is_said_before_a_probe_has_ended(tmp_path: Path) -> None:
    store = tmp_path / "runs.sqlite"
    with pytest.raises(KeyboardInterrupt):
        predicted(decay_grid(), LawEngine(fail_after=0), store=store)
    empty = load(store, "predicted", engine=LawEngine())
    assert "predicted: 0 of 52 cells" in summary(empty)
    assert all(row["probability"] is None for row in empty.rows())


def test_the_sweep_of_a_predicted_diagram_measures_all(tmp_path: Path) -> None:
    spec = predicted(decay_grid()).spec
    whole = sweep(spec, engine=LawEngine(), progress=False)
    assert whole.measured.all() and not whole.spec.predicted
    whole.save(tmp_path / "whole.npz")
    assert PhaseDiagram.load(tmp_path / "whole.npz").measured.all()


def test_rounded_rates_are_of_one_ratio() -> None:
    for steps in (4, 16, 32):
        rates_ = rates(1e-5, 1e-2, steps)
        axes = {"embedding_lr": rates_, "decoder_lr": rates_}
        spec = SweepSpec(Addition(10), axes, ToyModel(width=2), seeds=(5,))
        assert len(groups_of(spec)) == 2 * len(rates_) - 1


def test_the_first_probe_has_the_smallest_rate_from_the_reference_on() -> None:
    def first(*of_both: float) -> float:
        axes = {name: Axis(of_both, "log") for name in ("embedding_lr", "decoder_lr")}
        spec = SweepSpec(Addition(10), axes, ToyModel(width=2, steps=10**6), seeds=(5,))
        (equal,) = (group for group in groups_of(spec) if abs(group.ratios[0]) < 1e-6)
        return unit_rate(Rule().first(equal))

    assert first(1e-5, 1.1e-3) == 1.1e-3
    nearly = 1e-6 * 10 * 10
    assert first(1e-6, nearly) == nearly != 1e-4
    assert first(1e-6, 1e-5) == pytest.approx(1e-4)


def test_divergence_speaks_for_faster_cells_alone() -> None:
    """AdamW diverges where rate times decay is above 2: at the probe's rate, not at the cells'."""
    axes = {"embedding_lr": Axis((1e-3, 2e-3), "log"), "decoder_lr": Axis((1e-6, 2e-6), "log")}
    model = ToyModel(width=4, steps=3000, embedding_weight_decay=100.0)
    found = predict(SweepSpec(Addition(10), axes, model, seeds=(5,)), n_jobs=1, progress=False)
    assert found.prediction is not None and found.prediction.probes == 3
    assert not (found.phases == Phase.DIVERGED).any()
    assert (found.source == Source.NOT_RUN).any()
    after = measure_doubtful(found, 0.0, n_jobs=1, progress=False)
    assert after.measured[found.source == Source.NOT_RUN].all()


def test_probes_of_other_stops_are_others() -> None:
    axes = {"decoder_lr": rates(1e-4, 1e-3, 2), "stop_when": ["never", "accuracies"]}
    spec = SweepSpec(Addition(10), axes, ToyModel(width=4, steps=200), seeds=(5,))
    found = predict(spec, n_jobs=1, progress=False)
    assert found.prediction is not None and found.prediction.probes == 6


def test_a_refined_diagram_may_start_from_a_predicted_one(tmp_path: Path) -> None:
    store, engine = tmp_path / "runs.sqlite", LawEngine()
    coarse = predicted(rate_grid(), store=store)
    fine = refine(coarse, 2, store=store, engine=engine, progress=False)
    places = tuple(slice(None, None, 2) for _ in fine.spec.grid)
    np.testing.assert_array_equal(fine.source[places], coarse.source)
    assert (fine.source == Source.INFERRED).any()
    assert fine.measured.sum() == coarse.measured.sum() + len(engine.ran)
    again = load(store, "refined", engine=LawEngine())
    np.testing.assert_array_equal(again.source, fine.source)
    np.testing.assert_array_equal(again.phases, fine.phases)
    assert fine.prediction is not None and again.prediction is not None
    np.testing.assert_array_equal(again.prediction.certainty, fine.prediction.certainty)
    assert (fine.prediction.certainty[fine.measured] == 1).all()
    assert "predicted, 0 not run" in summary(fine)


def test_what_is_measured_after_a_refinement_loses_none_of_its_cells(tmp_path: Path) -> None:
    """A coarse cell with another phase than was predicted asks for runs that were never made."""
    store, engine = tmp_path / "runs.sqlite", LawEngine(slope=-0.3)
    kept = {"store": store, "engine": engine, "progress": False}
    coarse = predict(decay_grid(), **kept)  # type: ignore[arg-type]
    fine = refine(coarse, 4, name="fine", **kept)  # type: ignore[arg-type]
    after = measure_doubtful(coarse, **kept)  # type: ignore[arg-type]
    again = load(store, "fine", engine=engine)
    assert not (again.source == Source.NOT_RUN).any()
    assert again.measured[fine.measured].all()
    places = coarse_places(fine.spec)
    assert (after.measured & (after.phases != coarse.phases)).any()
    np.testing.assert_array_equal(again.phases[places], after.phases)
    assert again.prediction is not None and (again.prediction.certainty[again.measured] == 1).all()
    between = np.ones(fine.spec.shape, bool)
    between[places] = False
    np.testing.assert_array_equal(again.phases[between], fine.phases[between])


def test_cells_that_were_run_before_a_prediction_lose_none_either(tmp_path: Path) -> None:
    store, engine = tmp_path / "runs.sqlite", LawEngine(slope=-0.3)
    kept = {"store": store, "engine": engine, "progress": False}
    some = dataclasses.replace(decay_grid(), axes={**decay_grid().grid, "decoder_lr": [1e-3, 1e-2]})
    sweep(some, name="some", **kept)  # type: ignore[arg-type]
    coarse = predict(decay_grid(), **kept)  # type: ignore[arg-type]
    refine(coarse, 4, name="fine", **kept)  # type: ignore[arg-type]
    measure_doubtful(coarse, **kept)  # type: ignore[arg-type]
    assert not (load(store, "fine", engine=engine).source == Source.NOT_RUN).any()


def test_a_part_of_a_prediction_is_not_refined_into_a_store(tmp_path: Path) -> None:
    part = predicted(rate_grid(seeds=(5, 6))).sel(seed=6)
    with pytest.raises(InputError, match="diagram is a part of a predicted one"):
        refine(part, 2, store=tmp_path / "runs.sqlite", engine=LawEngine())
    assert refine(part, 2, engine=LawEngine(), progress=False).prediction is not None


def test_a_failed_prediction_leaves_the_stored_sweep(tmp_path: Path) -> None:
    store = tmp_path / "runs.sqlite"
    before = predict(decay_grid(), store=store, engine=LawEngine(), progress=False)
    axes = {**decay_grid().grid, "decoder_lr": [0.0, 1e-4, 1e-3]}
    impossible = dataclasses.replace(decay_grid(), axes=axes)
    with pytest.raises(InputError, match="decoder_lr must be above 0"):
        predict(impossible, store=store, engine=LawEngine(), progress=False)
    assert load(store, engine=LawEngine()).spec == before.spec


def test_an_engines_runs_are_not_gone_on_with_by_another() -> None:
    class Newer(LawEngine):
        version = 2

    kept = KeptRuns(Path("runs.sqlite"), "law", 1)
    coarse = predict(decay_grid(), engine=LawEngine(), progress=False)
    coarse.kept = kept
    with pytest.raises(InputError, match="of the engine law, version 1, and law, version 2,"):
        refine(coarse, 2, engine=Newer())
    with pytest.raises(InputError, match="of the engine law, version 1, and law, version 2,"):
        measure_doubtful(coarse, engine=Newer())


def test_statistics_over_seeds_count_places_of_which_every_seed_was_run() -> None:
    found = predicted(dataclasses.replace(decay_grid(), seeds=(5, 6)))
    unmeasured = np.argwhere(~found.measured.any(axis=-1)).tolist()
    one, both = map(tuple, unmeasured[:2])
    # Had the other seed been doubtful too, it would have been run.
    for index in ((*one, 0), (*both, 0), (*both, 1)):
        found.record(index, run_with(10, None))
    shares = found.probability("memorization")
    assert (shares.runs[one], shares.runs[both]) == (0, 2)
    assert np.isnan(shares.value[one]) and shares.value[both] == 1
    assert found.majority().runs[one] == 0
    alone = found.copy()
    before = found.seed_effects("log_test_step").disagreement
    alone.record((*one, 0), run_with(10, 20_000))
    assert alone.seed_effects("log_test_step").disagreement == pytest.approx(before, nan_ok=True)


def test_files_keep_predictions_and_parts_have_theirs(tmp_path: Path) -> None:
    found = predicted(rate_grid(seeds=(5, 6)))
    found.save(tmp_path / "diagram.npz")
    again = PhaseDiagram.load(tmp_path / "diagram.npz")
    np.testing.assert_array_equal(again.phases, found.phases)
    np.testing.assert_array_equal(again.source, found.source)
    assert again.prediction is not None and spent(again) == spent(found)
    part = again.sel(seed=6, decoder_lr=1e-4)
    assert part.prediction is not None and part.prediction.certainty.shape == part.spec.shape
    part.save(tmp_path / "part.npz")
    assert repr(PhaseDiagram.load(tmp_path / "part.npz")) == repr(part)
    # What the probes of all took says nothing of a part.
    assert "together" in summary(again)
    for one in (part, PhaseDiagram.load(tmp_path / "part.npz")):
        assert "together" not in summary(one) and "probes of the whole sweep," in summary(one)
    with (
        zipfile.ZipFile(tmp_path / "diagram.npz") as whole,
        zipfile.ZipFile(tmp_path / "damaged.npz", "w") as damaged,
    ):
        for name in whole.namelist():
            if name != "probabilities.npy":
                damaged.writestr(name, whole.read(name))
    with pytest.raises(InputError, match="it has predicted cells and no probabilities"):
        PhaseDiagram.load(tmp_path / "damaged.npz")


def test_a_file_with_a_probability_beyond_one_is_refused(tmp_path: Path) -> None:
    found = predicted(decay_grid())
    assert found.prediction is not None
    found.prediction.probabilities[0, 0, 0, 0] = 1.5
    found.save(tmp_path / "diagram.npz")
    with pytest.raises(InputError, match="probabilities holds numbers beyond 0 and 1"):
        PhaseDiagram.load(tmp_path / "diagram.npz")
    found.prediction.probabilities[0, 0, 0] = 0.5
    found.save(tmp_path / "diagram.npz")
    with pytest.raises(InputError, match="do not sum to 1"):
        PhaseDiagram.load(tmp_path / "diagram.npz")


def test_predicted_cells_are_hatched() -> None:
    found = predicted(decay_grid())
    figure = found.plot()
    hatches = [each for each in figure.axes[0].collections if each.get_hatch()]
    drawn = np.ma.count(hatches[0].get_array())  # type: ignore[arg-type]
    assert len(hatches) == 1 and drawn == (found.source == Source.PREDICTED).sum()
    assert "hatched: predicted" in [text.get_text() for text in figure.legends[0].get_texts()]
    measured = sweep(decay_grid(), engine=LawEngine(), progress=False).plot()
    assert not [each for each in measured.axes[0].collections if each.get_hatch()]


# What cannot be predicted, and what is wrong.


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(InputError, match=r"diagram was not predicted; make it with predict\(\)"):
        measure_doubtful(PhaseDiagram(decay_grid()))
    with pytest.raises(InputError, match="below is a fraction and must be at most 1"):
        measure_doubtful(predicted(decay_grid()), 90)
    no_rate = dataclasses.replace(decay_grid(), model=ToyModel(width=2, embedding_lr=0.0))
    with pytest.raises(InputError, match="embedding_lr must be above 0 to predict"):
        predicted(no_rate)
    coarse = sweep(decay_grid(), engine=LawEngine(), progress=False)
    fine = refine(coarse, {"decoder_lr": 2}, engine=LawEngine(), progress=False)
    with pytest.raises(InputError, match="predict the coarse one"):
        predicted(fine.spec)
    fine = refine(predicted(decay_grid()), {"decoder_lr": 2}, engine=LawEngine(), progress=False)
    with pytest.raises(InputError, match="measure what is doubtful before it is refined"):
        measure_doubtful(fine)
    with pytest.raises(InputError, match="spec must be a SweepSpec"):
        predict(ToyModel())  # type: ignore[arg-type]
    with pytest.raises(InputError, match="predicted must be set by predict"):
        dataclasses.replace(decay_grid(), predicted=1)  # type: ignore[arg-type]


def test_a_system_without_rates_is_refused() -> None:
    spec = SweepSpec(UpperPart(), {"rate": [0.1, 0.2]}, Perceptron(), train_size=30)
    with pytest.raises(InputError, match="name no learning rates that set their unit of time"):
        predict(spec)


def test_the_command_predicts_and_measures_what_is_doubtful(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    axes = ["--axis", "decoder_lr=1e-3,1e-2", "--axis", "embedding_lr=1e-3,1e-2"]
    small = ["--width", "5", "--steps", "3000", "--jobs", "1"]
    assert main(["predict", *axes, *small]) == 0
    first = capsys.readouterr().out
    assert "predicted: " in first and "updates: " in first
    out = tmp_path / "results" / "decoder_lr-embedding_lr-predicted"
    assert {path.name for path in out.iterdir()} == {
        *("phases.png", "steps.png", "runs.csv", "runs.sqlite")
    }
    assert "predicted" in (out / "runs.csv").read_text()
    assert main(["predict", *axes, *small, "--measure-below", "1"]) == 0
    assert "predicted" not in (out / "runs.csv").read_text().split("\n", 1)[1]
    assert main(["predict", *axes, *small, "--measure-below", "90"]) == 2
    assert "measure_below is a fraction" in capsys.readouterr().err
