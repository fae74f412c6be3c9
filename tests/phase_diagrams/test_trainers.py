"""A user's own function is swept: seeds, store, resume, workers, refinement, pictures, advice."""

import dataclasses
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

from effective_theory import Addition, InputError
from effective_theory.checks import RunError
from phase_diagrams import (
    Field,
    Source,
    Store,
    SweepSpec,
    advise,
    compare,
    load,
    refine,
    register_trainer,
    sweep,
)
from phase_diagrams.sweeps.registry import SYSTEMS
from phase_diagrams.sweeps.systems import UnknownSystem


@dataclass(frozen=True)
class Walk:
    """Hyper-parameters of a walk uphill."""

    lr: float = 0.1
    damping: float = 1.0
    steps: int = 400
    train_threshold: float = 0.9


def walk(settings: Walk, seed: int) -> tuple[Any, ...]:
    """Reach the training samples' height after 1/lr steps, the others' later by the damping."""
    train = round(2 / settings.lr) + seed
    test = round(train * settings.damping)
    steps = [step if step <= settings.steps else None for step in (train, test)]
    updates = np.arange(0, settings.steps + 1, 20)
    curve = {"update": updates, "train_accuracy": np.minimum(1, 0.9 * updates / train)}
    return *steps, "finished", curve


AXES = {"lr": [0.001, 0.01, 0.1], "damping": [1.0, 2.0, 4.0]}


@pytest.fixture(autouse=True)
def own_systems() -> Iterator[None]:
    """Systems that a test registers are gone after it."""
    with mock.patch.dict(SYSTEMS):
        yield


@pytest.fixture
def spec() -> SweepSpec:
    register_trainer("walk", Walk, walk, fields={"lr": Field("rate", "log"), "damping": Field()})
    return SweepSpec(None, AXES, Walk(), seeds=[0, 1, 2], lag=50)


def test_it_is_swept_kept_and_resumed(spec: SweepSpec, tmp_path: Path) -> None:
    store = tmp_path / "runs.sqlite"
    found = sweep(spec, store=store, name="walks", n_jobs=1, progress=False)
    assert found.train_step[2, 1].tolist() == [20, 21, 22]
    assert found.test_step[2, 1].tolist() == [40, 42, 44]
    assert found.train_step.mask[0].all() and found.test_step.mask[1, 2].all()
    with mock.patch.object(type(spec.system.engine(1)), "run", lambda self, cells: iter(cells)):
        again = sweep(spec, store=store, name="walks", n_jobs=1, progress=False)
    assert again.rows() == found.rows() == load(store).rows()
    assert str(spec).startswith("system walk, version 1, steps 400, lag 50, seeds 0, 1, 2; swept: ")
    run = load(store).run(lr=0.1, damping=2.0, seed=1)
    assert "train accuracy >= 0.9: at update 21" in str(run)
    assert run.to_frame()["train_accuracy"].iloc[-1] == 1.0
    assert run.to_frame()["test_loss"].isna().all()


@dataclass(frozen=True)
class Named:
    """Fields that are called as columns of pictures' tables might be."""

    step: float = 1.0
    position: float = 1.0
    threshold: float = 1.0
    steps: int = 9


def at_once(settings: Named, seed: int) -> tuple[int, int]:
    return 3, 5


@pytest.mark.parametrize("axes", [("position", "threshold"), ("step", "position")])
def test_fields_may_have_any_name_in_pictures(axes: tuple[str, str]) -> None:
    register_trainer("named", Named, at_once)
    spec = SweepSpec(None, dict.fromkeys(axes, [1.0, 2.0]), Named(), seeds=[0])
    figure = sweep(spec, n_jobs=1, progress=False).plot.against(axes[0])
    for panel in figure.axes:
        drawn = [line.get_ydata().tolist() for line in panel.get_lines() if len(line.get_ydata())]
        assert drawn == [pytest.approx([3, 3]), pytest.approx([5, 5])]


def test_it_has_all_that_sweeps_have(spec: SweepSpec, tmp_path: Path) -> None:
    store = tmp_path / "runs.sqlite"
    diagram = sweep(spec, store=store, n_jobs=1, progress=False)
    fine = refine(diagram, {"lr": 4}, store=store, n_jobs=1, progress=False)
    assert fine.spec.shape == (9, 3, 3) and (fine.source == Source.INFERRED).any()
    assert diagram.plot().axes[0].get_ylabel() == "rate"
    for figure in (
        *(diagram.plot.steps(), diagram.plot.majority(), diagram.plot.lags(), diagram.plot.order()),
        *(diagram.plot.against("lr"), diagram.run(lr=0.1, damping=2.0, seed=0).plot()),
        diagram.plot.boundary("lr", rng=0),
    ):
        figure.draw_without_rendering()
    diagram.plot.page(tmp_path / "page.html")
    assert str(compare(diagram, fine.sel())).startswith("27 runs shared by cell")
    advice = advise(diagram, lr=0.001, damping=1.0)
    assert advice.settings and "updates" in str(advice)
    assert set(diagram.to_frame()) >= {"lr", "damping", "train_step", "test_step"}
    assert "rqi_step" not in diagram.to_frame()
    probability = diagram.probability("comprehension")
    assert probability.value[2, 0] == 1.0


def test_a_longer_budget_runs_again_and_a_shorter_one_does_not(
    spec: SweepSpec, tmp_path: Path
) -> None:
    store = tmp_path / "runs.sqlite"
    sweep(spec, store=store, n_jobs=1, progress=False)
    shorter = dataclasses.replace(spec, model=Walk(steps=100))
    with mock.patch.object(type(spec.system.engine(1)), "run", lambda self, cells: iter(cells)):
        found = sweep(shorter, store=store, name="shorter", n_jobs=1, progress=False)
    fresh = sweep(shorter, n_jobs=1, progress=False)
    assert found.rows() == fresh.rows()


def test_its_version_is_another_run_and_a_changed_source_is_said(
    spec: SweepSpec, tmp_path: Path
) -> None:
    store = tmp_path / "runs.sqlite"
    sweep(spec, store=store, n_jobs=1, progress=False)
    before = spec.cell((0, 0, 0)).cell_id

    def changed(settings: Walk, seed: int) -> tuple[Any, ...]:
        return walk(settings, seed + 1)

    register_trainer("walk", Walk, changed)
    again = SweepSpec(None, AXES, Walk(), seeds=[0, 1, 2], lag=50)
    assert again.cell((0, 0, 0)).cell_id == before
    with pytest.warns(UserWarning, match="27 runs of system 'walk' were made by another source"):
        load(store)
    register_trainer("walk", Walk, changed, version=2)
    later = SweepSpec(None, AXES, Walk(), seeds=[0, 1, 2], lag=50)
    assert later.cell((0, 0, 0)).cell_id != before
    with pytest.raises(UnknownSystem, match='system "walk" in version 1, and version 2'):
        load(store)
    found = sweep(later, store=store, name="later", n_jobs=1, progress=False)
    assert found.train_step[2, 1].tolist() == [21, 22, 23]
    # Of two versions each is read by who has it.
    register_trainer("walk", Walk, walk)
    assert load(store, "sweep").train_step[2, 1].tolist() == [20, 21, 22]


#: A script as users have them: what it defines lies in __main__ and travels to the workers.
SCRIPT = """
from dataclasses import dataclass

from phase_diagrams import SweepSpec, register_trainer, sweep
from phase_diagrams.runs.dask_workers import dask_workers

@dataclass(frozen=True)
class Settings:
    lr: float = 0.1
    steps: int = 100

OFFSET = 3

def train(settings, seed):
    step = round(1 / settings.lr) + seed + OFFSET
    return step, 2 * step

if __name__ == "__main__":
    import sys
    register_trainer("mine", Settings, train, stop_when="never")
    spec = SweepSpec(None, {"lr": [0.05, 0.1, 0.5]}, Settings(), seeds=[0, 1], lag=5)
    if sys.argv[1] == "dask":
        with dask_workers("local", 2):
            found = sweep(spec, store=sys.argv[2], progress=False)
    else:
        found = sweep(spec, store=sys.argv[2], n_jobs=2, progress=False)
    print(found.test_step.tolist())
"""


@pytest.mark.parametrize("workers", ["joblib", "dask"])
def test_a_function_of_a_script_travels_to_the_workers(workers: str, tmp_path: Path) -> None:
    if workers == "dask":
        pytest.importorskip("distributed", reason="Dask is not installed")
    script, store = tmp_path / "script.py", tmp_path / "runs.sqlite"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), workers, str(store)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[[46, 48], [26, 28], [10, 12]]\n"
    # Another process does not know it, and says what would make it known.
    with pytest.raises(UnknownSystem, match="run the code that registers it"):
        load(store)
    with Store(store) as kept:
        assert list(kept.sweeps()) == ["sweep"]


def test_a_function_within_a_function_travels_too(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Local:
        lr: float = 0.1
        steps: int = 10

    register_trainer("local", Local, lambda settings, seed: (seed, None), unit="epoch")
    spec = SweepSpec(None, {"lr": [0.1, 0.2]}, Local(), seeds=[1, 2])
    found = sweep(spec, store=tmp_path / "runs.sqlite", n_jobs=2, progress=False)
    assert found.train_step.tolist() == [[1, 2], [1, 2]]
    assert "at epoch 1" in str(found.run(lr=0.1, seed=1))
    assert "not within 10 epochs" in str(found.run(lr=0.1, seed=1))


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (None, "it must be a tuple"),
        ((1,), "it must be a tuple"),
        ((1, 2, "done"), "status must be one of"),
        ((1.5, 2), "train_step must be an integer"),
        ((1, 401), "test_step must be (at most|from 0 to) 400|test_step"),
        ((1, 2, "stopped"), 'a run has "stopped" where both steps are reached'),
        ((1, None, "finished", [1, 2]), "curve must be a dictionary or frame"),
        ((1, None, "finished", {"update": [0, 1], "accuracy": [0, 1]}), "curve must be"),
        ((1, None, "finished", {"update": [0, 1], "test_loss": [0]}), "must have 2 values"),
        ((1, None, "finished", {"update": [1, 0]}), "curve update"),
        ((1, None, "finished", {"update": [0, 500]}), "curve update"),
        ((1, 400, "diverged"), "contradicts a state after the last step"),
        ((1, 2, "finished", {"update": [0], "train_accuracy": [97.5]}), "an accuracy that is none"),
    ],
)
def test_what_no_trainer_may_return_is_named(returned: Any, message: str) -> None:
    register_trainer("walk", Walk, lambda settings, seed: returned)
    with pytest.raises(InputError, match=f"trainer 'walk' returned what it must not: .*{message}"):
        sweep(SweepSpec(None, {"lr": [0.1]}, Walk()), n_jobs=1, progress=False)


def test_a_run_that_stops_at_both_thresholds_ends_before_it_could_diverge() -> None:
    returned = (1, 2, "diverged")
    register_trainer("walk", Walk, lambda settings, seed: returned, stop_when="accuracies")
    with pytest.raises(InputError, match="status is 'diverged'; a run has \"stopped\" where both"):
        sweep(SweepSpec(None, {"lr": [0.1]}, Walk()), n_jobs=1, progress=False)


def test_a_trainer_that_fails_is_named_and_loses_nothing(tmp_path: Path) -> None:
    def fails(settings: Walk, seed: int) -> tuple[Any, ...]:
        if settings.lr > 0.05:
            raise ZeroDivisionError("no way")
        return walk(settings, seed)

    register_trainer("walk", Walk, fails)
    store = tmp_path / "runs.sqlite"
    spec = SweepSpec(None, AXES, Walk())
    with pytest.raises(
        RunError, match=r"trainer 'walk' failed with seed 0 .*ZeroDivisionError: no"
    ):
        sweep(spec, store=store, n_jobs=1, progress=False)
    assert 0 < (load(store).source == Source.MEASURED).sum() < spec.size


@dataclass
class NotFrozen:
    """Settings that may change under way."""

    steps: int = 1


@dataclass(frozen=True)
class NoBudget:
    """Settings without a budget."""

    lr: float = 1.0


@dataclass(frozen=True)
class Seeded:
    """Settings with a name that tables use."""

    steps: int = 1
    seed: int = 0


@dataclass(frozen=True)
class Stopping:
    """Settings with a name that says when runs stop, which is no part of what is run."""

    steps: int = 1
    stop_when: str = "plateau"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: register_trainer("w", Stopping, walk), "settings.stop_when has a name that"),
        (lambda: register_trainer("w", NotFrozen, walk), "decorate it with @dataclass.frozen=True"),
        (lambda: register_trainer("w", NoBudget, walk), "settings must have a field steps"),
        (lambda: register_trainer("w", Seeded, walk), "settings.seed has a name that sweeps"),
        (lambda: register_trainer("w", Walk, "walk"), "trainer must be a function"),  # type: ignore[arg-type]
        (lambda: register_trainer("w", Walk, walk, stop_when="all"), "stop_when must be"),
        (lambda: register_trainer("w w", Walk, walk), "name must be a word"),
        (lambda: register_trainer("w", Walk, walk, version=-1), "version must be"),
        (lambda: register_trainer("w", Walk, walk, packages="numpy"), "packages must be a list"),
        (lambda: register_trainer("toy", Walk, walk), 'system "toy" is registered already'),
    ],
)
def test_what_is_no_trainer_is_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": Addition(10)}, "task, train_size and train_fraction must be None"),
        ({"seeds": [(0, 1)]}, "seeds of runs of walk are whole numbers"),
        ({"axes": {"train_size": [3]}}, "axis 'train_size' is unknown; choose one of lr, damping"),
    ],
)
def test_what_is_no_sweep_of_a_trainer_is_refused(
    spec: SweepSpec, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        dataclasses.replace(spec, **changes)


def test_settings_whose_class_was_defined_again_are_named(spec: SweepSpec) -> None:
    old = Walk()
    again = dataclasses.make_dataclass("Walk", [("steps", int, 3)], frozen=True)
    again.__module__ = Walk.__module__
    register_trainer("walk", again, walk)
    with pytest.raises(InputError, match="its class was defined again: make the settings anew"):
        SweepSpec(None, {"steps": [1]}, old)


@dataclass(frozen=True)
class Headed:
    """Settings of which one value goes with some of another alone."""

    hidden: int = 60
    heads: int = 4
    steps: int = 10

    def __post_init__(self) -> None:
        if self.hidden % self.heads:
            raise InputError(f"heads {self.heads} must divide hidden {self.hidden}.")


def test_values_that_do_not_go_together_are_refused_before_anything_runs(tmp_path: Path) -> None:
    register_trainer("headed", Headed, walk)
    assert SweepSpec(None, {"hidden": [60, 120], "heads": [4, 6]}, Headed()).size == 4
    store = tmp_path / "runs.sqlite"
    impossible = SweepSpec(None, {"hidden": [60, 64], "heads": [4, 6]}, Headed())
    with pytest.raises(InputError, match="hidden=64, heads=6: heads 6 must divide hidden 64"):
        sweep(impossible, store=store, n_jobs=1, progress=False)
    with Store(store) as kept:
        assert kept.sweeps() == {}
        # What an earlier version has stored is read.
        kept.add_sweep("mine", impossible)
    assert load(store).spec == impossible


@dataclass(frozen=True)
class Layered:
    """Settings with layers, a choice and something that follows from them."""

    layers: tuple[int, ...] = (8,)
    bias: bool = True
    activation: str = "tanh"
    steps: int = 10

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", sum(self.layers))


def test_settings_of_any_plain_kind_are_swept_and_read(tmp_path: Path) -> None:
    def count(settings: Any, seed: int) -> tuple[int, int]:
        return settings.units % 10, len(settings.activation) + settings.bias

    register_trainer("layered", Layered, count)
    axes = {"layers": [(2,), (3, 4)], "bias": [False, True], "activation": ["relu", "tanhh"]}
    spec = SweepSpec(None, axes, Layered(), seeds=[0])
    store = tmp_path / "runs.sqlite"
    found = sweep(spec, store=store, n_jobs=1, progress=False)
    assert found.train_step.filled(-1).tolist() == [[[[2], [2]]] * 2, [[[7], [7]]] * 2]
    assert found.test_step.filled(-1)[0, :, :, 0].tolist() == [[4, 5], [5, 6]]
    again = load(store)
    assert again.spec == spec and again.rows() == found.rows()
    assert again.sel(bias=True, activation="relu").spec.grid["layers"].values == ((2,), (3, 4))
    assert found.to_xarray().coords["layers"].values.tolist() == ["(2,)", "(3, 4)"]
    found.save(tmp_path / "diagram.npz")
    assert type(found).load(tmp_path / "diagram.npz").rows() == found.rows()


@pytest.mark.parametrize(
    "value", [[1], np.zeros(2), {"a": 1}, (1, [2]), np.bool_(True), float("nan")]
)
def test_settings_that_no_store_could_keep_are_named(value: Any) -> None:
    register_trainer("layered", Layered, walk)
    model = dataclasses.replace(Layered())
    object.__setattr__(model, "layers", value)
    with pytest.raises(InputError, match="layers must be a number, a text, True, False, None or"):
        SweepSpec(None, {"steps": [1]}, model)


@pytest.mark.parametrize("steps", [float("nan"), float("inf"), 0, 2.5, 10**400])
def test_a_budget_that_is_none_is_named(spec: SweepSpec, steps: Any) -> None:
    with pytest.raises(InputError, match="steps must be"):
        SweepSpec(None, {"lr": [0.1]}, Walk(steps=steps))
