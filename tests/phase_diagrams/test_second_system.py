"""A system that no package knows is swept, kept, refined, drawn, compared and advised on."""

import csv
import dataclasses
import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from unittest import mock

import numpy as np
import pytest

from effective_theory import Addition, InputError, ToyModel, task_registry
from phase_diagrams import (
    Phase,
    PhaseDiagram,
    Source,
    Store,
    SweepSpec,
    advise,
    compare,
    load,
    numba_engine,
    refine,
    register_system,
    sweep,
)
from phase_diagrams.cli import main
from phase_diagrams.sweeps import presets
from phase_diagrams.sweeps.registry import SYSTEMS
from phase_diagrams.sweeps.systems import Field, Measure, UnknownSystem

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")


@pytest.fixture(scope="module")
def second() -> Iterator[ModuleType]:
    """The second system, known to this module's tests alone."""
    known = (SYSTEMS, presets._PRESETS, task_registry._TASKS)
    with mock.patch.dict(known[0]), mock.patch.dict(known[1]), mock.patch.dict(known[2]):
        module = importlib.import_module("tests.second_system")
        module.register()
        yield module


@pytest.fixture(scope="module")
def spec(second: ModuleType) -> SweepSpec:
    found: SweepSpec = second.spec()
    return found


@pytest.fixture
def store(spec: SweepSpec, tmp_path: Path) -> Path:
    path = tmp_path / "runs.sqlite"
    sweep(spec, store=path, name="perceptrons", n_jobs=1, progress=False)
    return path


def test_its_sweep_says_what_it_is(spec: SweepSpec) -> None:
    assert str(spec) == (
        "system perceptron, task UpperPart(count=60, first=20), train_size 20, start random, "
        "steps 200, lag 10, seeds 0, 1; swept: rate 0.01, 0.1, 1; scale 0.1, 1, 10"
    )
    assert SweepSpec.from_json(spec.to_json()) == spec
    assert spec.grid["rate"].scale == "log"


def test_its_name_is_part_of_the_identity_of_its_runs_and_of_no_toy_run(spec: SweepSpec) -> None:
    content = spec.cell((0, 0, 0)).content
    assert content["system"] == "perceptron"
    toy = SweepSpec(Addition(10), {"width": [4]}).cell((0, 0))
    assert "system" not in toy.content
    # The ids that cells get all at once are those that each has by itself.
    cells = list(spec.cells())
    assert [cell.cell_id for cell in cells] == [spec.cell(c.index).cell_id for c in cells]
    assert len({cell.cell_id for cell in cells}) == spec.size


def test_runs_are_what_the_system_gives_for_settings_data_and_start(
    second: ModuleType, spec: SweepSpec, store: Path
) -> None:
    diagram = load(store)
    settings, dataset, weights = diagram.cell(rate=0.1, scale=10, seed=1)
    assert settings == second.Perceptron(rate=0.1, scale=10.0) and len(dataset.train) == 20
    np.testing.assert_array_equal(weights, second.start(settings, spec.task, 20, (1, 1))[1])
    run = diagram.run(rate=0.1, scale=10, seed=1)
    np.testing.assert_array_equal(run.summary.state, second.learn(run.cell, second.start).state)
    assert "train accuracy >= 0.9: at update" in str(run) and "RQI" not in str(run)
    assert {Phase(int(phase)) for phase in diagram.phases.ravel()} >= {Phase.GROKKING}


KILLED = """
import os, signal, sys
import tests.second_system as second
from phase_diagrams import Store, sweep
add, count = Store.add, 0
def dying(self, *run):
    global count
    add(self, *run)
    count += 1
    if count == 7:
        self.commit()
        os.kill(os.getpid(), signal.SIGKILL)
Store.add = dying
sweep(second.spec(), store=sys.argv[1], name="perceptrons", n_jobs=1, progress=False)
"""


def test_a_killed_sweep_goes_on_where_it_was(spec: SweepSpec, store: Path, tmp_path: Path) -> None:
    path = tmp_path / "killed.sqlite"
    killed = subprocess.run([sys.executable, "-c", KILLED, str(path)], cwd=ROOT)
    assert killed.returncode == -9
    before = load(path)
    assert int((before.source == Source.MEASURED).sum()) == 7
    ran: list[object] = []
    engine = spec.system.engine(1)
    with mock.patch.object(type(engine), "run", noting(type(engine).run, ran)):
        found = sweep(spec, store=path, name="perceptrons", engine=engine, progress=False)
    assert len(ran) == spec.size - 7
    assert found.rows() == load(store).rows()


def noting(run: object, ran: list[object]) -> object:
    def noted(self: object, cells: object) -> object:
        listed = list(cells)  # type: ignore[call-overload]
        ran.extend(listed)
        return run(self, listed)  # type: ignore[operator]

    return noted


def test_it_is_refined_where_its_phases_meet(spec: SweepSpec, store: Path) -> None:
    fine = refine(load(store), 4, store=store, n_jobs=1, progress=False)
    assert fine.spec.shape == (9, 9, 2)
    measured = fine.source == Source.MEASURED
    assert measured[::4, ::4].all() and 18 < measured.sum() < fine.spec.size
    whole = sweep(dataclasses.replace(fine.spec, refined={}), n_jobs=1, progress=False)
    np.testing.assert_array_equal(fine.phases[measured], whole.phases[measured])
    assert load(store, "refined").rows() == fine.rows()


def test_it_is_drawn_in_its_own_words(store: Path, tmp_path: Path) -> None:
    diagram = load(store)
    figure = diagram.plot()
    assert figure.axes[0].get_ylabel() == "learning rate"
    assert figure.axes[-1].get_xlabel() == "initial scale"
    titles = [axes.get_title() for axes in diagram.plot.steps().axes]
    assert "seed 0, train accuracy ≥ 0.9" in titles
    order = diagram.plot.order().axes[0]
    assert {label.get_text() for label in order.get_yticklabels()} <= {
        *("train = test", "train < test", "test < train", "train", "test", "none"),
    }
    for figure in (diagram.plot.majority(), diagram.plot.lags(), diagram.plot.against("rate")):
        figure.draw_without_rendering()
    run = diagram.run(rate=1, scale=1, seed=0).plot()
    state = next(axes for axes in run.axes if "weights after update" in axes.get_title())
    assert (state.get_xlabel(), state.get_ylabel()) == ("input", "weights")
    diagram.plot.page(tmp_path / "page.html")
    assert "learning rate" in (tmp_path / "page.html").read_text()


def test_it_is_compared_and_advised_on(spec: SweepSpec, store: Path) -> None:
    diagram = load(store)
    other = sweep(dataclasses.replace(spec, lag=1000), n_jobs=1, progress=False)
    found = compare(diagram, other)
    assert found.shared == spec.size and set(found.steps) == {"train", "test"}
    assert found.steps["test"].largest_difference == 0
    advice = advise(diagram, rate=0.01, scale=1, seed=0)
    assert advice.phase is Phase.CONFUSION
    assert advice.settings[0].values == {"rate": 1.0, "scale": 1.0}


def test_toy_models_and_it_lie_in_one_store_and_are_compared_by_place(
    spec: SweepSpec, store: Path
) -> None:
    toys = SweepSpec(Addition(5), {"width": [4]}, ToyModel(steps=5), train_size=10)
    sweep(toys, store=store, name="toys", engine=numba_engine(1), progress=False)
    assert load(store, "toys").spec == toys and load(store, "perceptrons").spec == spec
    with pytest.raises(InputError, match="different systems .perceptron and toy."):
        compare(load(store, "perceptrons"), load(store, "toys"))


def test_an_engine_of_another_system_is_refused(spec: SweepSpec) -> None:
    with pytest.raises(InputError, match='engine numba-float32 cannot run system "perceptron"'):
        sweep(spec, engine=numba_engine(1), progress=False)


def test_it_is_exported_and_saved(spec: SweepSpec, store: Path, tmp_path: Path) -> None:
    diagram = load(store)
    diagram.save(tmp_path / "diagram.npz")
    assert PhaseDiagram.load(tmp_path / "diagram.npz").rows() == diagram.rows()
    assert set(diagram.to_xarray().data_vars) >= {"phase", "train_step", "test_step"}
    assert main(["export", str(store), str(tmp_path / "runs.csv")]) == 0
    with open(tmp_path / "runs.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == spec.size and {row["system"] for row in rows} == {"perceptron"}
    assert "rqi_step" not in rows[0]


def test_none_on_an_axis_is_written_in_its_words(second: ModuleType, spec: SweepSpec) -> None:
    swept = dataclasses.replace(spec, axes={"shrink": [None, 0.1]}, seeds=(0,))
    frame = sweep(swept, n_jobs=1, progress=False).to_frame()
    assert frame["shrink"].tolist() == ["no shrinking", 0.1]


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """The environment of a process in which the second system comes with an installed package."""
    info = tmp_path / "site" / "perceptrons-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: perceptrons\nVersion: 1.0\n")
    entries = "[grokking.systems]\nbroken = there.is.none\nperceptron = tests.second_system\n"
    (info / "entry_points.txt").write_text(entries)
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(info.parent), str(ROOT)])}


def said(package: str, *arguments: object, folder: Path, environment: dict[str, str]) -> str:
    """What a command line prints, which must end well."""
    command = [sys.executable, "-m", package, *map(str, arguments)]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_installed_package_brings_it_to_the_command_lines(
    installed: dict[str, str], tmp_path: Path
) -> None:
    def grokking(*arguments: object, package: str = "phase_diagrams") -> str:
        return said(package, *arguments, folder=tmp_path, environment=installed)

    assert "perceptrons" in grokking("presets")
    help_ = grokking("sweep", "--system", "perceptron", "--help")
    assert "--rate" in help_ and "--train-size" in help_
    assert "--decoder-lr" not in help_ and "--p " not in help_
    out = grokking("sweep", "--preset", "perceptrons", "--jobs", 1)
    assert "C comprehension 12" in out and "G grokking 3" in out
    store = tmp_path / "results" / "perceptrons" / "runs.sqlite"
    assert (store.parent / "phases.png").exists() and (store.parent / "runs.csv").exists()
    own = ("--system", "perceptron", "--axis", "rate=0.1,1", "--scale", 10, "--train-size", 20)
    swept = grokking("sweep", *own, "--lag", 10, "--jobs", 1, "--out", "own", package="validation")
    assert "system perceptron" in swept and "scale 10" in swept
    assert grokking("sweep", *own, "--lag", 10, "--dry-run") == "2 runs: 0 done, 2 to do.\n"
    asked = ("--rate", 0.01, "--scale", 1, "--seed", 0)
    assert "nearest that comprehends: rate=1" in grokking("advise", store, *asked)
    assert "grokking" in grokking("show", store, "--cell", "rate=0.1,scale=1,seed=0")
    refined = grokking("refine", store, "--to", "rate=2", "--jobs", 1)
    assert "perceptrons-x2" in refined or "rate-x2" in refined


def test_a_store_of_an_unknown_system_opens_and_says_what_brings_it(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    toys = SweepSpec(Addition(5), {"decoder_lr": [1e-3, 1e-2]}, ToyModel(steps=5), train_size=10)
    sweep(toys, store=store, name="toys", engine=numba_engine(1), progress=False)
    with mock.patch.dict(SYSTEMS):
        del SYSTEMS["perceptron"]
        assert main(["show", str(store), "--name", "perceptrons"]) == 0
        shown = capsys.readouterr().out
        assert shown == (
            "sweep 'perceptrons' cannot be read: system 'perceptron' is not known here; install "
            "the package that has perceptrons.\n"
        )
        with pytest.raises(UnknownSystem, match="install the package that has perceptrons"):
            load(store, "perceptrons")
        with Store(store) as kept:
            assert set(kept.sweeps()) == {"perceptrons", "toys"}
        assert load(store, "toys").spec == toys
        assert main(["refine", str(store), "--dry-run"]) == 0  # the only one that can be read


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "two words"}, "name must be a word"),
        ({"name": "toy"}, 'system "toy" is registered already, by effective_theory.toy_model'),
        ({"settings": ToyModel, "stops_when": None}, 'settings ToyModel are those of system "toy"'),
        ({"settings": dict}, "settings must be a frozen dataclass"),
        ({"fields": {"width": Field()}}, "fields name .'width'.; the settings have rate"),
        ({"measures": {"loss": Measure("loss")}}, "measures name .'loss'.; choose from train"),
        ({"measures": {"train": Measure("train")}}, "samples need measures with the thresholds"),
    ],
)
def test_what_is_no_system_is_refused(
    second: ModuleType, changes: dict[str, object], message: str
) -> None:
    fields = {"name": "other", "fields": {}, **changes}
    with pytest.raises(InputError, match=message), mock.patch.dict(SYSTEMS):
        register_system(dataclasses.replace(second.PERCEPTRON, **fields))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": Addition(10)}, "task must be a task such as UpperPart.60., not Addition"),
        ({"axes": {"width": [3]}}, "axis 'width' is unknown; choose train_size"),
        ({"axes": {"rate": [0.1, -1]}}, "must increase|rate must be from 0"),
        ({"start": "released"}, "start 'released' is unknown; known starts: random"),
    ],
)
def test_what_is_no_sweep_of_it_is_refused(
    spec: SweepSpec, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        dataclasses.replace(spec, **changes)
