"""A task of the user's own is trained, swept and kept like those of the project."""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from numpy.typing import NDArray

from effective_theory import (
    BinaryOperation,
    Dataset,
    InputError,
    ToyModel,
    register_task,
    task_registry,
    train,
)
from phase_diagrams import Source, SweepSpec, load, sweep

AXES = {"decoder_lr": [1e-3, 1e-2]}
MODEL = ToyModel(width=8, target_dim=4, steps=30)


@dataclass(frozen=True)
class Subtraction(BinaryOperation):
    """a - b modulo p."""

    p: int = 5

    @cached_property
    def pairs(self) -> NDArray[np.int64]:
        return np.argwhere(np.ones((self.p, self.p)))

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        labels: NDArray[np.int64] = (self.pairs[:, 0] - self.pairs[:, 1]) % self.p
        return labels


@pytest.fixture(autouse=True)
def own_tasks() -> Iterator[None]:
    """Tasks that a test registers are gone after it."""
    with mock.patch.dict(task_registry._TASKS):
        yield


def test_what_it_does_not_say_has_a_default() -> None:
    task = Subtraction()
    assert (task.name, task.size, task.symbols, task.classes) == ("subtraction", 25, 5, 5)
    assert task.configuration() == {"name": "subtraction", "p": 5}
    assert train(MODEL, Dataset.split(task, 20, rng=0), rng=0).status == "finished"


def test_it_is_swept_kept_and_read(tmp_path: Path) -> None:
    register_task(Subtraction)
    store = tmp_path / "runs.sqlite"
    spec = SweepSpec(Subtraction(7), AXES, MODEL, train_size=30)
    found = sweep(spec, store=store, n_jobs=1, progress=False)
    assert load(store).spec == spec and load(store).rows() == found.rows()
    assert (found.source == Source.MEASURED).all() and found.rqi_step.mask.all()
    run = found.run(decoder_lr=1e-3)
    trained = train(*found.cell(decoder_lr=1e-3))
    np.testing.assert_array_equal(run.summary.state, trained.embeddings)
    assert "ideal test accuracy: not defined" in str(run) and "RQI" not in str(run)
    run.plot().draw_without_rendering()


def test_another_process_that_does_not_know_it_says_so(tmp_path: Path) -> None:
    register_task(Subtraction)
    store = tmp_path / "runs.sqlite"
    spec = SweepSpec(Subtraction(5), AXES, MODEL, train_size=20)
    sweep(spec, store=store, n_jobs=1, progress=False)
    command = [sys.executable, "-m", "phase_diagrams", "show", str(store)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert re.search("task 'subtraction' is unknown; .*register_task", done.stderr)
    assert done.stderr.count("\n") == 1


def test_one_that_is_not_registered_is_refused_before_anything_runs() -> None:
    with pytest.raises(InputError, match="task subtraction is not registered.*@register_task"):
        SweepSpec(Subtraction(5), AXES, MODEL, train_size=20)


class Plain(BinaryOperation):
    """No dataclass."""

    pairs = np.array([[0, 1], [1, 0], [1, 1]])
    labels = np.array([0, 1, 1])


@dataclass(frozen=True, eq=False)
class Unequal(BinaryOperation):
    """Equal fields mean no equal task."""

    pairs = np.array([[0, 1], [1, 0], [1, 1]])
    labels = np.array([0, 1, 1])


@dataclass(frozen=True)
class Listed(Subtraction):
    """A field that comes back as a list."""

    digits: tuple[int, ...] = (1, 2)


@dataclass(frozen=True)
class Unkept(Subtraction):
    """A field that no store keeps."""

    rest: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Wrong(Subtraction):
    """Its labels are no labels."""

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        return np.full(self.size, -1)

    @property
    def size(self) -> int:
        return self.p**2


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Plain, "task plain must be a frozen dataclass"),
        (Unequal, "task unequal is not what its fields make again"),
        (Listed, "task listed is not what its fields make again.* make lists what they are to be"),
        (Unkept, "task unkept has a field that is no number, text or list of them"),
        (Wrong, "labels of task wrong must be from 0"),
    ],
)
def test_what_no_store_could_make_again_is_refused(
    kind: type[BinaryOperation], message: str
) -> None:
    register_task(kind)
    with pytest.raises(InputError, match=message):
        SweepSpec(kind(), AXES, MODEL, train_size=2)


PAIRS, LABELS = np.array([[0, 1], [1, 0]]), np.array([1, 0])


@pytest.mark.parametrize(
    ("pairs", "labels", "message"),
    [
        (PAIRS, [1, 0], r"labels of task given must be an int64 array of shape \(N,\)"),
        (PAIRS, None, "labels of task given must be an int64 array"),
        (PAIRS, LABELS.astype(float), "labels of task given must be an int64 array"),
        (PAIRS[:0], LABELS[:0], "labels of task given .* with at least one sample"),
        (PAIRS.tolist(), LABELS, r"pairs of task given must be an int64 array of shape \(N, 2\)"),
        (PAIRS[:1], LABELS, "pairs of task given must be an int64 array"),
        (PAIRS, -LABELS, "labels of task given must be from 0"),
    ],
)
def test_samples_that_are_no_arrays_of_whole_numbers_are_refused(
    pairs: object, labels: object, message: str
) -> None:
    given = type("Given", (BinaryOperation,), {"pairs": pairs, "labels": labels})
    with pytest.raises(InputError, match=message):
        Dataset(given(), [0])


def test_a_taken_name_and_what_is_no_task_are_refused() -> None:
    @dataclass(frozen=True)
    class Addition(Subtraction):
        pass

    with pytest.raises(InputError, match="task 'addition' is registered already"):
        register_task(Addition)
    with pytest.raises(InputError, match="task must be a class such as Addition, not 3"):
        register_task(3)  # type: ignore[type-var]
