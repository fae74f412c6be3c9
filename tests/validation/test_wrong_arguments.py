"""Arguments of validation's public functions that cannot be: one sentence, before any work."""

from collections.abc import Callable
from typing import Any

import pytest

from effective_theory import Addition, Dataset, InitialState, InputError, ToyModel
from phase_diagrams import PhaseDiagram, SweepSpec

torch = pytest.importorskip("torch", reason="needs the extra [validation]")

import validation  # noqa: E402

TASK, MODEL = Addition(5), ToyModel(width=4, steps=5)
DATASET = Dataset.split(TASK, 8, rng=0)
STATE = InitialState.random(MODEL, TASK, rng=0)
SPEC = SweepSpec(TASK, {"decoder_lr": [1e-3, 1e-2]}, MODEL, train_size=8, seeds=(5,))
ANY: Any = validation


@pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ANY.agreement(PhaseDiagram(SPEC)), "spec must be a SweepSpec such as preset"),
        (lambda: ANY.agreement("fig6b"), "spec must be a SweepSpec such as preset"),
        (lambda: ANY.agreement(SPEC, stable=["decoder_lr"]), "stable must be a dictionary such"),
        (lambda: ANY.agreement(SPEC, stable={"decoder_lr": "a"}), "stable: decoder_lr must be a"),
        (lambda: ANY.cross_check(SPEC, DATASET, STATE), "model must be a ToyModel, not SweepSpec"),
        (lambda: ANY.cross_check(MODEL, TASK, STATE), "dataset must be a Dataset such as"),
        (lambda: ANY.cross_check(MODEL, DATASET, DATASET), "state must be an InitialState, not"),
        (lambda: ANY.cross_check(MODEL, DATASET, STATE, points=1), "points must be at least 2"),
        (lambda: ANY.torch_engine("gpu"), 'device must be "cpu" or "cuda", not \'gpu\'.'),
        (lambda: ANY.torch_engine(["cpu"]), 'device must be "cpu" or "cuda", not'),
        (
            lambda: ANY.torch_engine("cpu", "float32"),
            "dtype must be torch.float32 or torch.float64",
        ),
        (lambda: ANY.torch_engine("cpu", [1]), "dtype must be torch.float32 or torch.float64"),
        (lambda: ANY.nudged_starts(SPEC, 2), "is unknown; known starts: random"),
        (lambda: ANY.nudged_starts("random", "two"), "count must be an integer, not 'two'."),
        (lambda: ANY.plain_training(MODEL, TASK, STATE, updates=2), "dataset must be a Dataset"),
        (lambda: ANY.plain_training(MODEL, DATASET, STATE, updates=-1), "updates must be at least"),
        (
            lambda: ANY.plain_training(MODEL, DATASET, STATE, updates=1, dtype="float32"),
            "dtype must be torch.float32 or torch.float64, not 'float32'.",
        ),
        (
            lambda: ANY.plain_training(MODEL, DATASET, STATE, updates=2, batches=[[0]]),
            "batches must be a sequence for each of the 2 updates.",
        ),
        (
            lambda: ANY.plain_training(MODEL, DATASET, STATE, updates=1, batches=[[8]]),
            "batches[0] must hold positions from 0 to 7 in the training set, not [8].",
        ),
        (
            lambda: ANY.plain_training(ToyModel(width=5), DATASET, STATE, updates=1),
            "initial_state.weights[0] must have shape (5, 1)",
        ),
        (
            lambda: ANY.PlainToyModel(MODEL, DATASET, STATE, torch.float32),
            "task must be a task such as Addition(10), not",
        ),
        (lambda: ANY.typical_cells(SPEC), "diagram must be a PhaseDiagram such as sweep"),
        (
            lambda: ANY.write_report(PhaseDiagram(SPEC), "report"),
            "agreement must be what validation.agreement() returned, not",
        ),
    ],
)
def test_a_wrong_argument_is_named_in_one_sentence(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError) as failure:
        call()
    assert message in str(failure.value) and "\n" not in str(failure.value)
