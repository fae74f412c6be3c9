"""Axes that differ by rounding: a stored sweep keeps its own; the last bit parts nothing."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from effective_theory import InputError
from phase_diagrams import Axis, SweepSpec, advise, compare, numba_engine, refine, sweep
from phase_diagrams.commands.estimate import estimate
from phase_diagrams.text.summary import phase_map
from phase_diagrams.wording import describe, place_name
from tests.phase_diagrams.label_engine import LabelEngine, grid
from tests.phase_diagrams.labelled import labelled


def moved(spec: SweepSpec, bits: int) -> SweepSpec:
    """The sweep with each rate so many floats away."""
    rates = np.array(spec.grid["decoder_lr"].values)
    for _ in range(bits):
        rates = np.nextafter(rates, 0.0)
    return dataclasses.replace(spec, axes={**spec.axes, "decoder_lr": Axis(tuple(rates), "log")})


@pytest.mark.parametrize("bits", [1, 3])
def test_a_stored_sweep_goes_on_with_its_own_axis(bits: int, tmp_path: Path) -> None:
    store, spec = tmp_path / "runs.sqlite", grid(4, 3)
    first, again = LabelEngine(lambda x, y: x > y), LabelEngine(lambda x, y: x > y)
    sweep(moved(spec, bits), store=store, name="old", engine=first)
    found = sweep(spec, store=store, name="old", engine=again)
    assert len(first.ran) == 12 and again.ran == []
    assert found.spec.grid["decoder_lr"].values == moved(spec, bits).grid["decoder_lr"].values

    # Extended, it keeps the values that it has and runs the others alone.
    longer = grid(6, 3)
    found = sweep(longer, store=store, name="old", engine=again)
    assert len(again.ran) == 6
    assert found.spec.grid["decoder_lr"].values[:4] == moved(spec, bits).grid["decoder_lr"].values

    # Another name is another sweep, with the values that it is asked for.
    assert sweep(spec, store=store, name="new", engine=again).spec == spec


def test_a_dry_run_counts_what_a_stored_axis_holds(tmp_path: Path) -> None:
    store, spec = tmp_path / "runs.sqlite", grid(4, 3)
    model = dataclasses.replace(spec.model, steps=3)
    spec = dataclasses.replace(spec, model=model)
    sweep(moved(spec, 1), store=store, name="old", engine=numba_engine(1), progress=False)
    assert estimate(spec, store, "old", numba_engine(1)) == "12 runs: all done."
    assert estimate(spec, store, "new", numba_engine(1)).startswith("12 runs: 0 done")


def test_a_stored_refined_sweep_goes_on_with_its_own_axis(tmp_path: Path) -> None:
    store = tmp_path / "runs.sqlite"
    coarse = sweep(grid(4, 4), engine=LabelEngine(lambda x, y: x > y))
    first, again = LabelEngine(lambda x, y: x > y), LabelEngine(lambda x, y: x > y)
    fine = refine(coarse, to=4, store=store, name="fine", engine=first)
    stored = moved(fine.spec, 1)
    sweep_of_other_bits = tmp_path / "other.sqlite"
    sweep(stored, store=sweep_of_other_bits, name="fine", engine=first)
    resumed = refine(coarse, to=4, store=sweep_of_other_bits, name="fine", engine=again)
    assert resumed.spec.grid["decoder_lr"].values == stored.grid["decoder_lr"].values
    assert (resumed.phases == fine.phases).all()
    assert again.ran == []


@pytest.mark.parametrize("by", ["cell", "place"])
def test_runs_are_joined_over_rounding(by: str) -> None:
    spec = grid(4, 3)
    labels = np.arange(12).reshape(4, 3, 1) % 4
    here = labelled(labels, spec.grid, (5,))
    there = labelled(labels, moved(spec, 2).grid, (5,))
    found = compare(here, there, by=by)  # type: ignore[arg-type]
    assert (found.shared, found.agreeing) == (12, 12)
    # A fixed rate of one sweep may be a swept one of the other.
    far = {**spec.grid, "decoder_lr": Axis((1e-5 * (1 + 1e-6), 1.0), "log")}
    with pytest.raises(InputError, match="share no run"):
        compare(here, labelled(labels[:2], far, (5,)), by=by)  # type: ignore[arg-type]


@given(st.floats(1e-6, 1e6), st.integers(1, 4))
def test_values_are_shown_apart(value: float, bits: int) -> None:
    other = value
    for _ in range(bits):
        other = float(np.nextafter(other, np.inf))
    axis = Axis((value, other, 2 * other), "log")
    assert len(set(axis.texts)) == 3
    for text, known in zip(axis.texts, axis.values, strict=True):
        assert axis.text(known) == text and axis.index(known) == axis.values.index(known)
    assert describe([value, other]).count(",") == 1
    assert len(set(describe([value, other]).split(", "))) == 2


def test_six_digits_are_shown_where_they_suffice() -> None:
    assert Axis((0.1234561, 0.2, 1e-5 + 1.0)).texts == ("0.123456", "0.2", "1.00001")
    assert Axis((0.1234561, 0.1234562)).texts == ("0.1234561", "0.1234562")


def test_maps_and_places_show_values_apart() -> None:
    axes = {"decoder_lr": Axis((1e-3, 1.0000001e-3), "log"), "decoder_weight_decay": Axis((0, 1))}
    diagram = labelled(np.zeros((2, 2, 1), int), axes, (5,))
    assert place_name(diagram.spec.texts_at((0, 0))) != place_name(diagram.spec.texts_at((1, 0)))
    rows = [line.split()[0] for line in phase_map(diagram).splitlines()[1:3]]
    assert sorted(rows) == ["0.001", "0.0010000001"]
    assert diagram.find(decoder_lr=0.0010000001, decoder_weight_decay=0).index == (1, 0, 0)


def test_advice_shows_values_apart() -> None:
    axes = {"decoder_lr": Axis((1e-3, 1.0000001e-3), "log"), "decoder_weight_decay": Axis((0, 1))}
    diagram = labelled([[[1], [1]], [[0], [0]]], axes, (5,))
    text = str(advise(diagram, decoder_lr=1e-3, decoder_weight_decay=0))
    assert "decoder_lr=0.001, decoder_weight_decay=0: grokking" in text
    assert "nearest that comprehends: decoder_lr=0.0010000001, decoder_weight_decay=0" in text
