"""The tables of the authors' released code, from their seeded start."""

import dataclasses
from pathlib import Path

import pytest

from phase_diagrams import PhaseDiagram, SweepSpec, preset, sweep
from phase_diagrams.comparison.published import published_agreement
from phase_diagrams.comparison.published_tables import PublishedCell, read_table
from phase_diagrams.sweeps.axes import Axis
from tests.conftest import published_table

STABLE_RATE, STABLE_DECAY = 2.2e-4, 6.0


def is_stable(cell: PublishedCell) -> bool:
    """Cells where rounding does not decide: float32, float64 and perturbed starts agree."""
    values = cell.values
    return values["decoder_lr"] <= STABLE_RATE and values["decoder_weight_decay"] <= STABLE_DECAY


def stable_part(spec: SweepSpec) -> SweepSpec:
    rates = spec.grid["decoder_lr"].values
    decays = spec.grid["decoder_weight_decay"].values
    axes = {
        "decoder_lr": Axis(tuple(r for r in rates if r <= STABLE_RATE), "log"),
        "decoder_weight_decay": Axis(tuple(d for d in decays if d <= STABLE_DECAY), "linear"),
    }
    return dataclasses.replace(spec, axes=axes)


@pytest.mark.networks
def test_the_stable_cells_of_released_5b_are_met_within_one_update() -> None:
    path = published_table("fig5b_mse_eta_dec_x_weight_decay.csv")
    spec = stable_part(preset("released-5b"))
    table = [cell for cell in read_table(path, spec) if is_stable(cell)]
    assert len(table) == spec.size == 35
    found = published_agreement(sweep(spec, progress=False), table, tolerance=1)
    assert (found.labels, found.steps) == (35, 35)


def whole_table(name: str, path: Path) -> tuple[PhaseDiagram, list[PublishedCell]]:
    spec = preset(name)
    return sweep(spec, progress=False), read_table(path, spec)


@pytest.mark.slow
def test_released_5b_as_a_whole() -> None:
    path = published_table("fig5b_mse_eta_dec_x_weight_decay.csv")
    found = published_agreement(*whole_table("released-5b", path), tolerance=2)
    assert found.cells == 110 and found.labels >= 100 and found.steps >= 80


@pytest.mark.slow
def test_released_5a_as_a_whole() -> None:
    path = published_table("fig5a_mse_eta_repr_x_eta_dec.csv")
    found = published_agreement(*whole_table("released-5a", path))
    assert found.cells == 100 and found.labels >= 90
