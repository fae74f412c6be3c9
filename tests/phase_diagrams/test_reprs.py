"""What is printed is for people; what a session echoes is short."""

import numpy as np
import pytest

from effective_theory import Addition, ToyModel
from phase_diagrams import SweepSpec, advise, compare, preset
from tests.phase_diagrams.labelled import labelled

LABELS = np.random.default_rng(0).integers(0, 4, (30, 30, 6))
AXES = {"decoder_lr": np.geomspace(1e-5, 1e-2, 30), "decoder_weight_decay": range(30)}


@pytest.fixture(scope="module")
def results() -> dict[str, object]:
    diagram = labelled(LABELS, AXES, range(6))
    other = labelled(LABELS[::-1], AXES, range(6))
    return {
        "diagram": diagram,
        "spec": diagram.spec,
        "advice": advise(diagram, decoder_lr=1e-3, decoder_weight_decay=4),
        "comparison": compare(diagram, other),
        "majority": diagram.majority(),
        "probability": diagram.probability("grokking"),
        "boundary": diagram.boundary("decoder_lr", rng=0, resamples=9),
        "ideal": diagram.ideal_test_accuracy,
        "run": diagram.spec.cell((0, 0, 0)),
    }


@pytest.mark.parametrize(
    "name",
    ["diagram", "spec", "advice", "comparison", "majority", "probability", "boundary", "ideal"],
)
def test_what_a_session_echoes_fits_two_lines(results: dict[str, object], name: str) -> None:
    text = repr(results[name])
    assert "\n" not in text and len(text) < 200
    assert text.startswith(type(results[name]).__name__ + "(")


def test_what_is_printed_says_what_was_found(results: dict[str, object]) -> None:
    assert "distance 1: one decade of decoder_lr, 1 of decoder_weight_decay" in str(
        results["advice"]
    )
    assert "edges of generalisation along decoder_lr: " in str(results["comparison"])
    assert str(results["majority"]).startswith("majority of 6 seeds: 900 cells, ")
    assert str(results["boundary"]).count("\n") == 29
    assert str(results["ideal"]).count("ideal test accuracy of seed ") == 6


def test_a_specification_prints_what_it_sweeps_and_what_is_not_usual() -> None:
    assert str(preset("released-5b")) == (
        "task Addition(p=10), train_size 45, start released, steps 10000, lag 1000, seed 58; "
        "swept: decoder_lr 1e-05 to 0.01 (10 values); decoder_weight_decay 0 to 10 (11 values)"
    )
    spec = SweepSpec(Addition(7), {"width": [50]}, ToyModel(loss="cross_entropy"), 10, (0, (1, 2)))
    assert "loss cross_entropy" in str(spec) and "seeds 0, 1/2; swept: width 50" in str(spec)
