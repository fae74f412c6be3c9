"""Swapped and wrong arguments are told in one sentence that names the argument."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from effective_theory import Addition, InputError, ToyModel
from phase_diagrams import (
    Axis,
    Cell,
    PhaseDiagram,
    RunSummary,
    SweepSpec,
    advise,
    compare,
    load,
    numba_engine,
    preset,
    random_start,
    refine,
    register_start,
    sweep,
)
from phase_diagrams.toy.engine import NumbaEngine

pytestmark = pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")
AXES = {"decoder_lr": [1e-3, 1e-2]}
MODEL, TASK = ToyModel(width=4, steps=2), Addition(5)
SPEC = SweepSpec(TASK, AXES, MODEL, train_size=10)
DIAGRAM = PhaseDiagram(SPEC)
WRONG = (
    *(3, 1.5, "torch", b"x", None, True, float("nan"), [1, "a"], {"a": 1}, {1, 2}, object()),
    *(MODEL, TASK, SPEC, DIAGRAM, SweepSpec, numba_engine, NumbaEngine),
    *(np.zeros(3), np.zeros((2, 2)), pd.DataFrame({"a": [1]})),
)


def allowed(*values: object) -> Callable[[object], bool]:
    return lambda wrong: any(wrong is value for value in values)


Call = Callable[[Any], object]
#: A call with one argument that is wrong, the argument, and those of WRONG that suit it.
CALLS: dict[str, tuple[Call, str, Callable[[object], bool]]] = {
    "sweep": (lambda x: sweep(x), "spec", allowed(SPEC)),
    "sweep engine": (lambda x: sweep(SPEC, engine=x), "engine", allowed(None)),
    "sweep n_jobs": (lambda x: sweep(SPEC, n_jobs=x), "n_jobs", allowed(None, 3)),
    "sweep progress": (lambda x: sweep(SPEC, n_jobs=1, progress=x), "progress", allowed(True)),
    "sweep store": (lambda x: sweep(SPEC, n_jobs=1, store=x), "store", allowed(None, "torch")),
    "sweep name": (lambda x: sweep(SPEC, n_jobs=1, name=x), "name", allowed("torch")),
    "refine": (lambda x: refine(x), "diagram", allowed(DIAGRAM)),
    "refine to": (lambda x: refine(DIAGRAM, x), "to", allowed()),
    "refine engine": (lambda x: refine(DIAGRAM, engine=x), "engine", allowed(None)),
    "load": (lambda x: load(x), "store", allowed()),
    "advise": (lambda x: advise(x, decoder_lr=1e-3), "diagram", allowed(DIAGRAM)),
    "advise seed": (lambda x: advise(DIAGRAM, x, decoder_lr=1e-3), "seed", allowed(None)),
    "compare": (lambda x: compare(x, DIAGRAM), "a must be", allowed(DIAGRAM)),
    "compare by": (lambda x: compare(DIAGRAM, DIAGRAM, by=x), "by", allowed()),
    "task": (lambda x: SweepSpec(x, AXES), "task", allowed(TASK)),
    "axes": (lambda x: SweepSpec(TASK, x), "ax[ei]s", allowed()),
    "axis": (lambda x: SweepSpec(TASK, {"width": x}), "axis width", lambda x: is_values(x)),
    "model": (lambda x: SweepSpec(TASK, AXES, x), "model", allowed(MODEL)),
    "train_size": (lambda x: SweepSpec(TASK, AXES, MODEL, x), "train_size", allowed(3, None)),
    "fraction": (
        lambda x: SweepSpec(TASK, AXES, MODEL, train_fraction=x),
        "train_fraction",
        allowed(None),
    ),
    "seeds": (lambda x: SweepSpec(TASK, AXES, MODEL, 10, seeds=x), "seed", allowed()),
    "start": (lambda x: SweepSpec(TASK, AXES, MODEL, 10, start=x), "start", allowed()),
    "lag": (lambda x: SweepSpec(TASK, AXES, MODEL, 10, lag=x), "lag", allowed(3)),
    "refined": (lambda x: SweepSpec(TASK, AXES, MODEL, 10, refined=x), "refined", allowed()),
    "Axis": (lambda x: Axis(x), "axis values", lambda x: is_values(x)),
    "scale": (lambda x: Axis((1, 2), x), "axis scale", allowed(None)),
    "preset": (lambda x: preset(x), "preset", allowed()),
    "diagram": (lambda x: PhaseDiagram(x), "spec", allowed(SPEC)),
    "load diagram": (lambda x: PhaseDiagram.load(x), "path", allowed()),
    "save diagram": (lambda x: DIAGRAM.save(x), "path", allowed("torch")),
    "find": (lambda x: DIAGRAM.find(decoder_lr=x), "decoder_lr", allowed()),
    "boundary": (lambda x: DIAGRAM.boundary(x, rng=0), "along", allowed()),
    "start's name": (lambda x: register_start(x, random_start), "name", allowed("torch")),
    "recipe": (lambda x: register_start("mine", x), "recipe", lambda x: callable(x)),
    "start's model": (lambda x: random_start(x, TASK, 10, (0, 0)), "model", allowed(MODEL)),
    "start's task": (lambda x: random_start(MODEL, x, 10, (0, 0)), "task", allowed(TASK)),
    "start's seed": (lambda x: random_start(MODEL, TASK, 10, x), "seed", allowed()),
}


def is_values(x: object) -> bool:
    """Whether it can be the values of some axis."""
    return isinstance(x, list | dict | set | bytes | np.ndarray | pd.DataFrame | PhaseDiagram)


@pytest.mark.parametrize("call", CALLS)
def test_a_wrong_argument_is_named(call: str, tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    run, argument, suits = CALLS[call]
    for wrong in WRONG:
        if suits(wrong):
            continue
        with pytest.raises(InputError, match=argument):
            run(wrong)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: sweep(SPEC, engine="torch"),  # type: ignore[arg-type]
            r"engine must be an Engine such as numba_engine\(\) or validation.torch_engine\(\), "
            "not 'torch'.",
        ),
        (
            lambda: sweep(SPEC, engine=numba_engine(1), n_jobs=2),
            "n_jobs is for the system's own engine; leave n_jobs or engine out.",
        ),
        (
            lambda: refine(DIAGRAM, engine=numba_engine(1), n_jobs=2),
            "n_jobs is for the system's own engine; leave n_jobs or engine out.",
        ),
        (
            lambda: SweepSpec(TASK, AXES, MODEL, seeds="0"),
            r"seeds must be a sequence such as \(0, 1, 2\), not '0'.",
        ),
        (
            lambda: SweepSpec(MODEL, AXES, TASK),  # type: ignore[arg-type]
            r"model must be settings of a system \(ToyModel.*\), not Addition\(p=5\).",
        ),
        (lambda: load(3), "store must be the path of a file, not 3."),  # type: ignore[arg-type]
    ],
)
def test_the_sentence_says_what_is_meant(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(InputError, match=f"^{sentence}$"):
        call()


def test_n_jobs_chooses_how_many_runs_go_on_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int | None] = []
    run = NumbaEngine.run

    def noted(self: NumbaEngine, cells: Iterable[Cell]) -> Iterator[tuple[Cell, RunSummary]]:
        asked.append(self.n_jobs)
        return run(NumbaEngine(1), cells)

    monkeypatch.setattr(NumbaEngine, "run", noted)
    rows = sweep(SPEC, n_jobs=3, progress=False).rows()
    assert rows == sweep(SPEC, progress=False).rows()
    assert rows == sweep(SPEC, engine=numba_engine(1), progress=False).rows()
    assert asked == [3, None, 1]
