"""Specifications, axes and the identity of runs."""

import dataclasses
import math

import numpy as np
import pytest

from effective_theory import Addition, InputError, ModularAddition, ToyModel, permutation_group
from phase_diagrams import Axis, SweepSpec, preset

SEEDS_OF_ONE = preset("released-5b").to_json().replace("[[58,58]]", "[[58]]")
FLOAT_THAT_IS_NONE = preset("released-5b").to_json().replace("float:0x", "float:zz")


def spec(**changes: object) -> SweepSpec:
    fields: dict[str, object] = {
        "task": Addition(10),
        "axes": {"decoder_lr": [1e-4, 1e-3], "decoder_weight_decay": [0, 1, 2]},
    }
    return SweepSpec(**{**fields, **changes})  # type: ignore[arg-type]


def test_cells_are_the_product_of_axes_and_seeds() -> None:
    cells = list(spec(seeds=(0, (1, 2))).cells())
    assert len(cells) == spec(seeds=(0, (1, 2))).size == 12
    assert cells[-1].model.decoder_lr == 1e-3 and cells[-1].seed == (1, 2)
    assert cells[3].index == (0, 1, 1)
    assert len({cell.cell_id for cell in cells}) == 12


def test_numbers_are_coerced_by_the_type_of_their_field() -> None:
    integers = spec(axes={"decoder_weight_decay": [0, 1]})
    reals = spec(axes={"decoder_weight_decay": [0.0, 1.0]})
    signed = spec(axes={"decoder_weight_decay": [-0.0, 1.0]})
    ids = [[cell.cell_id for cell in s.cells()] for s in (integers, reals, signed)]
    assert ids[0] == ids[1] == ids[2]


def test_budget_and_stopping_are_not_identity() -> None:
    long = spec(model=ToyModel(steps=5, stop_when="never"))
    assert next(iter(long.cells())).cell_id == next(iter(spec().cells())).cell_id


@pytest.mark.parametrize("name", ["released-5a", "released-5b"])
def test_a_specification_survives_its_text(name: str) -> None:
    original = preset(name)
    copy = SweepSpec.from_json(original.to_json())
    assert copy == original
    assert [c.cell_id for c in copy.cells()] == [c.cell_id for c in original.cells()]


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '{"task": 3}', "null", SEEDS_OF_ONE, FLOAT_THAT_IS_NONE]
)
def test_text_that_is_no_specification_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        SweepSpec.from_json(text)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"axes": {}}, "axes are empty"),
        ({"axes": {"momentum": [1]}}, "axis 'momentum' is unknown"),
        ({"axes": {"decoder_lr": []}}, "axis decoder_lr.*empty"),
        ({"axes": {"decoder_lr": [1e-3, 1e-3]}}, "axis decoder_lr.*repeated"),
        ({"axes": {"decoder_lr": [1e-3, 1e-4]}}, "axis decoder_lr.*increase"),
        ({"axes": {"decoder_lr": 1e-3}}, "axis decoder_lr must be a sequence"),
        ({"axes": {"decoder_lr": [-1e-3, 1e-3]}}, "decoder_lr must be zero or positive"),
        ({"axes": {"decoder_lr": [1e-3, math.nan]}}, "axis decoder_lr.*finite"),
        ({"axes": {"decoder_weight_decay": [-1, 0]}}, "decoder_weight_decay must be zero or pos"),
        ({"axes": {"loss": ["mse", "hinge"]}}, "loss must be"),
        ({"axes": {"train_size": [0, 5]}}, "train_size must be at least 1"),
        ({"axes": {"train_size": [5, 55]}}, "train_size must be at most 54"),
        ({"axes": {"batch_size": [8, 46]}}, "batch_size must be at most the train_size 45"),
        ({"axes": {"embedding_scale": [1, 2]}, "start": "released"}, "embedding_scale is fixed"),
        ({"model": ToyModel(decoder_scale=2.0), "start": "figure6"}, "decoder_scale is fixed"),
        ({"task": ModularAddition(10), "start": "released"}, "no such published start"),
        ({"seeds": (2**32,), "start": "released"}, "seeds of a published start"),
        ({"train_size": 0}, "train_size"),
        ({"seeds": ()}, "seeds are empty"),
        ({"seeds": (1, 1)}, "seeds are repeated"),
        ({"seeds": (-1,)}, "seeds must be at least 0"),
        ({"seeds": 3}, "seeds must be a sequence"),
        ({"start": "somewhere"}, "start 'somewhere' is unknown"),
        ({"lag": 0}, "lag"),
        ({"task": "addition"}, "task must be"),
        ({"axes": ["decoder_lr"]}, "axes must be a mapping"),
        ({"axes": {"loss": "mse"}}, "axis loss must be a sequence"),
        ({"seeds": 5.0}, "seeds must be a sequence"),
        ({"seeds": None}, "seeds must be a sequence"),
        ({"start": ["random"]}, "is unknown"),
        (
            {"task": permutation_group(3), "train_size": 24, "model": ToyModel(embedding_dim=8)},
            "embedding_dim must",
        ),
        ({"axes": {"decoder_lr": range(1, 10**9)}}, "decoder_lr has 999999999 values"),
        (
            {"axes": {n: range(1, 3000) for n in ("decoder_lr", "decoder_weight_decay", "steps")}},
            "more than 10000000",
        ),
    ],
)
def test_a_bad_specification_names_the_field(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        spec(**changes)


def test_edges_are_midpoints_on_the_axis_scale() -> None:
    log = Axis((1e-4, 1e-3, 1e-2), "log").edges
    np.testing.assert_allclose(np.log10(log), [-4.5, -3.5, -2.5, -1.5])
    np.testing.assert_allclose(Axis((0, 1, 2)).edges, [-0.5, 0.5, 1.5, 2.5])
    assert Axis((1, 2, 10)).scale == "ordinal"
    np.testing.assert_allclose(Axis((1, 2, 10)).edges, [-0.5, 0.5, 1.5, 2.5])
    np.testing.assert_allclose(Axis((3,)).edges, [2.5, 3.5])


def test_scales_are_chosen_by_name_and_spacing() -> None:
    grid = spec(axes={"decoder_lr": [1e-4, 1e-3], "loss": ["mse", "cross_entropy"]}).grid
    assert (grid["decoder_lr"].scale, grid["loss"].scale) == ("log", "ordinal")
    assert spec().grid["decoder_weight_decay"].scale == "linear"


@pytest.mark.parametrize(("values", "scale"), [((0.0, 1.0), "log"), (("a", "b"), "linear")])
def test_a_scale_that_does_not_suit_is_refused(values: tuple[object, ...], scale: str) -> None:
    with pytest.raises(InputError, match="scale"):
        Axis(values, scale)  # type: ignore[arg-type]


def test_an_axis_finds_rates_that_differ_in_the_last_digits() -> None:
    axis = Axis((9.999999999999999e-06, 1e-4), "log")
    assert axis.index(1e-5) == 0
    assert Axis((1.0, 1.0 + 1e-12)).index(1.0 + 1e-12) == 1
    with pytest.raises(InputError, match="not on the axis"):
        axis.index(1.1e-5)


def test_presets_are_the_published_grids() -> None:
    released = preset("released-5b")
    assert released.shape == (10, 11, 1) and released.model.steps == 10_000
    assert preset("released-5a").shape == (10, 10, 1)
    assert dataclasses.replace(released, lag=2000).lag == 2000
    with pytest.raises(InputError, match="unknown"):
        preset("fig7")


def test_an_axis_of_training_sizes_needs_no_usual_one() -> None:
    """45 does not fit 36 samples, nor is it asked for."""
    by_size = SweepSpec(Addition(8), {"train_size": [10, 20, 30]})
    assert [cell.train_size for cell in by_size.cells()] == [10, 20, 30]
    by_share = SweepSpec(permutation_group(3), {"train_fraction": [0.5, 0.75]})
    assert [cell.train_size for cell in by_share.cells()] == [18, 27]
    with pytest.raises(InputError, match="train_size must be at most 35, not 45"):
        SweepSpec(Addition(8), {"decoder_lr": [1e-3]})


def test_a_training_set_may_be_given_as_a_share() -> None:
    axes = {"decoder_lr": [1e-4, 1e-3]}
    by_share = SweepSpec(Addition(10), axes, train_fraction=0.8)
    by_count = SweepSpec(Addition(10), axes, train_size=44)
    assert by_share == by_count and hash(by_share) == hash(by_count)
    assert by_share.to_json() == by_count.to_json()
    assert [a.cell_id for a in by_share.cells()] == [b.cell_id for b in by_count.cells()]
    assert SweepSpec(Addition(10), axes).train_size == 45
    assert dataclasses.replace(by_share, lag=5).train_size == 44
    # 30.25 and 27.5 of 55 samples: the nearest, of two as near the even one.
    assert SweepSpec(Addition(10), axes, train_fraction=0.55).train_size == 30
    assert SweepSpec(Addition(10), axes, train_fraction=0.5).train_size == 28


def test_shares_of_training_samples_are_an_axis_of_counts() -> None:
    axes = {"width": [50], "train_fraction": [0.2, 0.4, 0.6], "decoder_lr": [1e-3]}
    spec = SweepSpec(Addition(10), axes)
    assert list(spec.grid) == ["width", "train_size", "decoder_lr"]
    assert spec.grid["train_size"] == Axis((11, 22, 33), "linear")
    assert spec == SweepSpec.from_json(spec.to_json())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"train_fraction": 0.8, "train_size": 45}, "train_size and train_fraction are both given"),
        ({"train_fraction": 80}, "train_fraction is a fraction and must be at most 1"),
        ({"train_fraction": 0.999}, "train_fraction 0.999 is 55 of 55 samples; choose one"),
        ({"train_fraction": 1e-3}, "train_fraction 0.001 is 0 of 55 samples; choose one"),
        ({"axes": {"train_fraction": [0.4, 0.401]}}, "are the same number of 55 samples"),
        ({"axes": {"train_fraction": [0.4], "train_size": [3]}}, "are both axes; leave one out"),
    ],
)
def test_shares_that_make_no_training_set_are_named(
    options: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        SweepSpec(**{"task": Addition(10), "axes": {"decoder_lr": [1e-3]}, **options})  # type: ignore[arg-type]
