"""Boundary curves and their bootstrap bands."""

import itertools

import numpy as np
import pytest
from scipy.stats import bootstrap

from effective_theory import InputError
from phase_diagrams import Phase
from phase_diagrams.statistics.boundaries import first_crossing, resampled_weights
from phase_diagrams.sweeps.axes import Axis
from tests.phase_diagrams.labelled import labelled

pytestmark = pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")

C, M, NOT_RUN = 0, 2, -1
RATES = Axis((1e-5, 1e-4, 1e-3, 1e-2), "log")
DECAYS = Axis((0.0, 2.0, 4.0), "linear")


def test_a_boundary_lies_between_cells_on_the_axis_own_scale() -> None:
    labels = np.array([[C, C, C], [C, C, M], [C, M, M], [M, M, M]])[..., np.newaxis]
    diagram = labelled(labels, {"decoder_lr": RATES, "decoder_weight_decay": DECAYS}, (0,))
    up = diagram.boundary("decoder_lr", rng=0)
    np.testing.assert_allclose(up.value, [10**-2.5, 10**-3.5, 10**-4.5])
    assert up.crossings.tolist() == [1, 1, 1]
    assert list(up.others) == ["decoder_weight_decay"]
    assert np.isnan([up.low, up.high]).all()  # one run: nothing to resample
    across = diagram.boundary("decoder_weight_decay", rng=0)
    np.testing.assert_allclose(across.value, [np.nan, 3.0, 1.0, np.nan])
    assert across.crossings.tolist() == [0, 1, 1, 0]


def test_probabilities_are_interpolated_linearly() -> None:
    labels = [[C, C, C, C], [C, C, C, M], [C, M, M, M], [M, M, M, M]]
    found = labelled(labels, {"decoder_lr": RATES}, range(4)).boundary("decoder_lr", rng=0)
    assert found.value.shape == () and found.value == pytest.approx(10**-3.5)
    at_quarter = labelled(labels, {"decoder_lr": RATES}, range(4)).boundary(
        "decoder_lr", rng=0, level=0.3
    )
    expected = -4 + (0.75 - 0.3) / (0.75 - 0.25)
    assert np.log10(at_quarter.value) == pytest.approx(expected)


def test_of_several_crossings_the_first_is_returned_and_all_are_counted() -> None:
    positions = np.arange(5.0)
    window = np.array([0.0, 1.0, 1.0, 0.0, 1.0])
    for direction, place, count in (("any", 0.5, 3), ("rising", 0.5, 2), ("falling", 2.5, 1)):
        found = first_crossing(positions, window, 0.5, direction)  # type: ignore[arg-type]
        assert (found[0], found[1]) == (place, count)
    touching = np.array([[0.0, 0.5, 0.5, 0.0, np.nan]])
    place, count = first_crossing(positions, touching, 0.5)
    assert place.tolist() == [1.0] and count.tolist() == [2]


def test_what_was_not_run_is_bridged_and_ends_are_not() -> None:
    positions = np.array([0.0, 1.0, 2.0, 4.0])
    rows = np.array([[1.0, np.nan, np.nan, 0.0], [np.nan, 1.0, 1.0, np.nan], [np.nan] * 4])
    place, count = first_crossing(positions, rows, 0.5)
    np.testing.assert_array_equal(place, [2.0, np.nan, np.nan])
    assert count.tolist() == [1, 0, 0]


def test_the_band_is_that_of_all_resamples_of_the_splits() -> None:
    """Four splits have 4^4 equally likely resamples: enumerate them."""
    seeds = [(split, 10 * split + start) for split in range(4) for start in range(2)]
    edges = np.array([1, 1, 2, 3, 3, 4, 1, 2])  # how many cells of each run generalise
    labels = np.where(np.arange(6)[:, np.newaxis] < edges, C, M)
    axis = Axis((0.0, 1.0, 2.0, 3.0, 4.0, 5.0), "linear")
    diagram = labelled(labels, {"decoder_weight_decay": axis}, seeds)
    found = diagram.boundary("decoder_weight_decay", rng=0, confidence=0.8, resamples=20_000)
    places = []
    for drawn in itertools.product(range(4), repeat=4):
        runs = [place for split in drawn for place in (2 * split, 2 * split + 1)]
        share = (labels[:, runs] == C).mean(-1)
        places.append(float(first_crossing(axis.positions, share, 0.5)[0]))
    expected = np.quantile(places, (0.1, 0.9), method="inverted_cdf")
    assert (found.low, found.high) == pytest.approx(tuple(expected), abs=0.05)
    assert found.crossing_share == 1.0


def test_the_band_is_scipys_where_no_seed_is_shared() -> None:
    rng = np.random.default_rng(4)
    edges = rng.integers(1, 9, 15)
    axis = Axis(tuple(float(k) for k in range(10)), "linear")
    labels = np.where(np.arange(10)[:, np.newaxis] < edges, C, M)
    diagram = labelled(labels, {"decoder_weight_decay": axis}, range(15))
    found = diagram.boundary("decoder_weight_decay", rng=0, resamples=9999)

    def place(drawn: np.ndarray, axis: int = -1) -> np.ndarray:
        shares = (np.arange(10)[:, None] < np.moveaxis(drawn, axis, -1)[..., None, :]).mean(-1)
        return first_crossing(np.arange(10.0), shares, 0.5)[0]

    expected = bootstrap((edges,), place, method="percentile", rng=1).confidence_interval
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.15)


def test_whole_groups_of_runs_are_drawn() -> None:
    rng = np.random.default_rng(5)
    nested = [(0, 0), (0, 1), (1, 2), (1, 3)]
    weights = resampled_weights(nested, 500, rng)
    assert (weights[:, 0] == weights[:, 1]).all() and (weights[:, 2] == weights[:, 3]).all()
    assert set(weights[:, 0]) == {0, 1, 2}
    crossed = resampled_weights(list(itertools.product(range(2), range(2))), 500, rng)
    assert set(crossed.ravel()) == {0, 1, 2, 4}
    for single in ([(0, 0), (0, 1), (0, 2)], [(0, 0), (1, 1), (2, 2)], [(0, 0), (1, 0), (2, 0)]):
        weights = resampled_weights(single, 500, rng)
        assert (weights.sum(-1) == 3).all() and not (weights[:, 0] == weights[:, 1]).all()


def test_a_resample_without_runs_says_nothing() -> None:
    seeds = [(0, 0), (0, 1), (1, 0)]
    diagram = labelled([[M] * 3, [M] * 3, [C] * 3, [C] * 3], {"decoder_lr": RATES}, seeds)
    assert (resampled_weights(seeds, 999, np.random.default_rng(0)).sum(-1) == 0).any()
    assert diagram.boundary("decoder_lr", rng=0).crossing_share == 1.0


def test_the_design_is_that_of_the_runs_that_there_are() -> None:
    """Of a second split no run has come yet: as if it were not asked for."""
    labels = np.full((4, 4), M)
    labels[1:, 0] = labels[2:, 1:3] = labels[3] = C
    alone = labelled(labels, {"decoder_lr": RATES}, [(0, start) for start in range(4)])
    missing = np.full((4, 4), Phase.NOT_RUN)
    both = labelled(
        np.hstack([labels, missing]),
        {"decoder_lr": RATES},
        [(split, 4 * split + start) for split in (0, 1) for start in range(4)],
    )
    expected, found = (each.boundary("decoder_lr", rng=0) for each in (alone, both))
    assert (found.low, found.high) == (expected.low, expected.high)
    assert found.low < found.value < found.high and found.crossing_share == 1.0


def test_seeds_of_any_size_are_told_apart() -> None:
    """NumPy would make floats of them, of which the last two are one."""
    labels = [[M, M, M], [M, C, M], [C, C, M], [C, C, C]]
    small, large = (
        labelled(labels, {"decoder_lr": RATES}, seeds)
        for seeds in ((0, 1, 2), (0, 2**63 + 1, 2**63 + 2))
    )
    expected, found = (each.boundary("decoder_lr", rng=0) for each in (small, large))
    assert (found.low, found.high) == (expected.low, expected.high)
    assert str(large.seed_effects()) == str(small.seed_effects())
    runs = [each.probability().effective_runs for each in (small, large)]
    np.testing.assert_array_equal(*runs)


def test_resamples_that_do_not_cross_are_counted_not_hidden() -> None:
    labels = [[C, C, C], [C, C, C], [M, M, C]]
    axes = {"decoder_lr": Axis((1e-4, 1e-3, 1e-2), "log")}
    found = labelled(labels, axes, range(3)).boundary("decoder_lr", rng=0, resamples=4000)
    # No crossing where the third run is drawn at least twice: 7 of 27 resamples.
    assert found.crossing_share == pytest.approx(20 / 27, abs=0.03)
    again = labelled(labels, axes, range(3)).boundary("decoder_lr", rng=0, resamples=4000)
    assert (found.low, found.high) == (again.low, again.high)


def test_sweeps_of_other_numbers_of_axes() -> None:
    batches = Axis((5, 45), "ordinal")
    axes = {"decoder_lr": RATES, "batch_size": batches, "loss": ["mse", "cross_entropy"]}
    labels = np.full((4, 2, 2, 2), C)
    labels[2:, 1] = M
    found = labelled(labels, axes, range(2)).boundary("decoder_lr", rng=0)
    assert found.value.shape == (2, 2)
    np.testing.assert_allclose(found.value, [[np.nan] * 2, [10**-3.5] * 2])
    ordinal = labelled(labels, axes, range(2)).boundary("batch_size", rng=0)
    assert ordinal.value[2, 0] == 0.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"along": "width"}, "along must be an axis of the sweep .decoder_lr."),
        ({"of": ()}, "of must be phases"),
        ({"level": 2}, "level is a fraction"),
        ({"level": 0}, "level must be above 0"),
        ({"direction": "up"}, "direction must be one of"),
        ({"resamples": 0}, "resamples must be at least 1"),
        ({"confidence": 1.0}, "confidence must lie strictly"),
        ({"rng": None}, "rng is required"),
    ],
)
def test_bad_arguments_are_named(options: dict[str, object], message: str) -> None:
    diagram = labelled([[C], [C], [M], [M]], {"decoder_lr": RATES}, (0,))
    given = {"along": "decoder_lr", "rng": 0, **options}
    with pytest.raises(InputError, match=message):
        diagram.boundary(**given)  # type: ignore[arg-type]


def test_a_set_of_phases_may_be_chosen() -> None:
    labels = [[Phase.GROKKING], [Phase.GROKKING], [C], [C]]
    diagram = labelled(labels, {"decoder_lr": RATES}, (0,))
    assert np.isnan(diagram.boundary("decoder_lr", rng=0).value)
    found = diagram.boundary("decoder_lr", rng=0, of=Phase.GROKKING)
    assert found.value == pytest.approx(10**-3.5)
