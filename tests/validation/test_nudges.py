"""Nudged starts differ by one unit in the last place, in embeddings alone."""

import dataclasses
import pickle
from pathlib import Path

import numpy as np
import pytest

from effective_theory import Addition, InputError, ToyModel
from phase_diagrams import SweepSpec, load, numba_engine, sweep
from phase_diagrams.sweeps import starts
from phase_diagrams.toy.published_starts import released_start
from phase_diagrams.toy.system import TOY

pytest.importorskip("torch", reason="needs the extra [validation]")

pytestmark = pytest.mark.usefixtures("own_starts")
MODEL = ToyModel(width=4, steps=20)


def test_each_embedding_moves_by_one_ulp() -> None:
    from validation import nudged_starts

    dataset, plain = released_start(MODEL, Addition(10), 45, (58, 58))
    patterns = []
    for name in nudged_starts("released", 3):
        recipe = starts.start(TOY, name).recipe
        split, nudged = recipe(MODEL, Addition(10), 45, (58, 58))
        steps = nudged.embeddings.view(np.int32) - plain.embeddings.view(np.int32)
        assert (np.abs(steps) == 1).all() and set(np.unique(steps)) == {-1, 1}
        patterns.append(tuple(steps.ravel()))
        again = recipe(MODEL, Addition(10), 45, (58, 58))[1]
        np.testing.assert_array_equal(again.embeddings, nudged.embeddings)
        np.testing.assert_array_equal(split.train, dataset.train)
        for ours, theirs in zip(nudged.weights, plain.weights, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert len(set(patterns)) == 3


def test_a_nudge_is_another_cell(tmp_path: Path) -> None:
    from validation import nudged_starts

    store = tmp_path / "runs.sqlite"
    spec = SweepSpec(Addition(10), {"decoder_lr": [1e-3]}, MODEL, seeds=(58,), start="released")
    nudged = dataclasses.replace(spec, start=nudged_starts("released", 1)[0])
    assert spec.cell((0, 0)).cell_id != nudged.cell((0, 0)).cell_id
    for name, each in (("plain", spec), ("nudged", nudged)):
        sweep(each, store=store, name=name, engine=numba_engine(1), progress=False)
    assert load(store, "nudged").spec.start == "released-nudged-1"
    assert pickle.loads(pickle.dumps(starts.start(TOY, "released-nudged-1"))).name


def test_the_base_keeps_its_rules() -> None:
    from validation import nudged_starts

    (name,) = nudged_starts("released", 1)
    assert nudged_starts("released", 1) == [name]
    with pytest.raises(InputError, match="embedding_scale is fixed"):
        SweepSpec(Addition(10), {"embedding_scale": [0.1, 1.0]}, MODEL, start=name)
    with pytest.raises(InputError, match="is not nudged"):
        nudged_starts(name, 1)
    with pytest.raises(InputError, match="start 'freed' is unknown"):
        nudged_starts("freed", 1)
