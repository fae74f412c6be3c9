"""Networks as systems of sweeps: kept, resumed, refined, compared, advised on, shown."""

import dataclasses
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra [validation]")

from effective_theory import Addition, InputError, ModularOperation  # noqa: E402
from phase_diagrams import (  # noqa: E402
    Cell,
    PhaseDiagram,
    RunSummary,
    Source,
    SweepSpec,
    Trained,
    advise,
    compare,
    load,
    preset,
    refine,
    register_trainer,
    sweep,
)
from phase_diagrams.cli import main  # noqa: E402
from phase_diagrams.runs.engines import OneByOne  # noqa: E402
from phase_diagrams.sweeps import presets  # noqa: E402
from phase_diagrams.sweeps.registry import SYSTEMS  # noqa: E402
from phase_diagrams.sweeps.splits import few_strict_samples  # noqa: E402
from phase_diagrams.text.summary import summary  # noqa: E402
from tests.stores import stored_rows  # noqa: E402
from validation.cli import main as torch_main  # noqa: E402
from validation.systems import engine  # noqa: E402
from validation.systems.engine import (  # noqa: E402
    FURTHER,
    checkpoint_of,
    network_engine,
    train_cell,
    usual_curve,
)
from validation.systems.entries import register_networks  # noqa: E402
from validation.systems.settings import SETTINGS, MLPSettings, OneLayerSettings  # noqa: E402
from validation.training import loop  # noqa: E402
from validation.training.loop import train_network  # noqa: E402
from validation.training.threads import one_thread  # noqa: E402

ROOT = Path(__file__).parents[2]
TASK = ModularOperation("x+y", 5)
TINY = OneLayerSettings(dimension=8, heads=2, hidden=16, steps=60, lr=1e-2)


@pytest.fixture(autouse=True)
def networks() -> Iterator[None]:
    """The networks, known to these tests alone."""
    with mock.patch.dict(SYSTEMS), mock.patch.dict(presets._PRESETS):
        register_networks()
        yield


@pytest.fixture
def spec() -> SweepSpec:
    axes = {"lr": [1e-3, 1e-2, 1e-1], "weight_decay": [0.0, 1.0]}
    return SweepSpec(TASK, axes, TINY, train_fraction=0.6, seeds=(0, 1), lag=20)


@pytest.mark.parametrize("name", SETTINGS)
def test_each_network_is_swept_and_read_back(name: str, tmp_path: Path) -> None:
    settings = SETTINGS[name](steps=20)
    spec = SweepSpec(TASK, {"lr": [1e-3, 1e-2]}, settings, train_fraction=0.6, seeds=(3,))
    store = tmp_path / "runs.sqlite"
    found = sweep(spec, store=store, n_jobs=1, progress=False)
    again = load(store)
    assert again.spec == spec and again.rows() == found.rows()
    run = again.run(lr=1e-2)
    settings, dataset, seed = again.cell(lr=1e-2)
    assert dataset.train_size == 15 and seed == 3
    trained = train_network(
        settings.network(TASK, seed), dataset, settings.optimisation, settings.plan, seed=seed
    )
    np.testing.assert_array_equal(run.summary.state, trained.network.embeddings.detach().numpy())
    expected = usual_curve(trained)
    kept = np.isin(expected[:, 0], run.summary.curve[:, 0])
    np.testing.assert_array_equal(run.summary.curve, expected[kept])
    assert list(run.to_frame())[-1] == FURTHER[0]


def test_the_strict_accuracy_decides_and_the_plain_one_stands_beside(spec: SweepSpec) -> None:
    cell = spec.cell((2, 1, 0))
    summary = train_cell(cell, spec.registered_start.recipe)
    plain, strict = summary.curve[:, 6], summary.curve[:, 4]
    assert (plain != strict).any()
    # Its first crossing is a row of the curve, whatever rows are left out.
    subtraction = dataclasses.replace(spec, task=ModularOperation("x-y", 5))
    other = train_cell(subtraction.cell((2, 1, 0)), spec.registered_start.recipe)
    np.testing.assert_array_equal(other.curve[:, 6], other.curve[:, 4])


def test_splits_with_few_unseen_mirrors_are_named() -> None:
    """Of 17 x 17 pairs at fraction .95, by seed, 0, 3, 1 and 0 test samples have one."""
    axes = {"train_size": [100, 275], "lr": [1e-3]}
    settings = dataclasses.replace(TINY, steps=10)
    spec = SweepSpec(ModularOperation("x+y", 17), axes, settings, seeds=(0, 1, 2, 3))
    sentence = "few strict test samples: 4 of 8 splits .*, as few as 0 .training sizes 275.; .* not"
    with pytest.warns(UserWarning, match=sentence):
        diagram = sweep(spec, n_jobs=1, progress=False)
    assert re.search(sentence, summary(diagram))
    assert not few_strict_samples(dataclasses.replace(spec, axes={"lr": [1e-3]}, train_size=100))
    assert not few_strict_samples(SweepSpec(Addition(10), {"decoder_lr": [1e-3]}))


def test_budgets_of_one_training_have_states_of_their_own(tmp_path: Path) -> None:
    """As where the cells of an axis of steps are trained beside each other."""
    settings = dataclasses.replace(TINY, stop_when="never")
    spec = SweepSpec(TASK, {"steps": [40, 80]}, settings, train_fraction=0.6)
    short, long = spec.cells()
    recipe = spec.registered_start.recipe
    for cell in (long, short):
        beside, alone = (
            train_cell(cell, recipe, checkpoints=folder) for folder in (tmp_path, None)
        )
        assert beside.steps_run == cell.budget.steps
        np.testing.assert_array_equal(beside.curve, alone.curve)


def test_the_best_plain_accuracy_is_kept(spec: SweepSpec) -> None:
    cell = spec.cell((2, 1, 0))
    settings, dataset, seed = cell.model, *cell.draw()
    trained = train_network(
        settings.network(TASK, seed), dataset, settings.optimisation, settings.plan, seed=seed
    )
    kept = train_cell(cell, spec.registered_start.recipe).curve[:, 6]
    assert kept.max() == trained.curve["plain_test_accuracy"].max()


#: Sweeps with that many workers and threads, and prints every number that a store keeps.
SWEPT = """
import sys
import torch
from phase_diagrams import SweepSpec
import validation.systems
torch.set_num_threads(int(sys.argv[2]))
spec = SweepSpec.from_json(sys.argv[3])
found = {cell.index: run for cell, run in spec.system.engine(int(sys.argv[1])).run(spec.cells())}
for index in sorted(found):
    print(index, found[index].state.tobytes().hex(), found[index].curve.tobytes().hex())
assert torch.get_num_threads() == int(sys.argv[2])
"""


@pytest.mark.networks
def test_bits_do_not_depend_on_workers_and_threads(spec: SweepSpec) -> None:
    few = dataclasses.replace(spec, axes={"lr": [1e-3, 1e-2]}, seeds=(0,)).to_json()
    said = []
    for workers, threads in ((1, 1), (1, 2), (2, 1)):
        command = [sys.executable, "-c", SWEPT, str(workers), str(threads), few]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
    assert said[0] == said[1] == said[2] and said[0].count("\n") == 2


KILLED = """
import os, signal, sys
from phase_diagrams import Store, SweepSpec, sweep
import validation.systems
add, count = Store.add, 0
def dying(self, *run):
    global count
    add(self, *run)
    count += 1
    if count == 5:
        self.commit()
        os.kill(os.getpid(), signal.SIGKILL)
Store.add = dying
sweep(SweepSpec.from_json(sys.argv[2]), store=sys.argv[1], n_jobs=1, progress=False)
"""


@pytest.mark.networks
def test_a_transformers_diagram_survives_a_kill_and_has_all_that_diagrams_have(
    spec: SweepSpec, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "runs.sqlite"
    command = [sys.executable, "-c", KILLED, str(store), spec.to_json()]
    assert subprocess.run(command, cwd=ROOT).returncode == -9
    assert int((load(store).source == Source.MEASURED).sum()) == 5
    diagram = sweep(spec, store=store, n_jobs=1, progress=False)
    assert diagram.rows() == sweep(spec, n_jobs=1, progress=False).rows()
    fine = refine(diagram, {"lr": 2}, store=store, n_jobs=1, progress=False)
    assert fine.spec.shape == (5, 2, 2)
    seeds = compare(diagram.sel(seed=0), diagram.sel(seed=1), by="place", names=("0", "1"))
    assert seeds.shared == 6
    advice = advise(diagram, lr=1e-3, weight_decay=0.0)
    assert "lr=0.001, weight_decay=0" in str(advice)
    diagram.plot.page(tmp_path / "page.html")
    assert "Phases over learning rate, weight decay" in (tmp_path / "page.html").read_text()
    diagram.plot().draw_without_rendering()
    diagram.run(lr=1e-2, weight_decay=1.0, seed=0).plot().draw_without_rendering()
    place = "lr=1e-2,weight_decay=1,seed=0"
    assert main(["show", str(store), "--name", "sweep", "--cell", place]) == 0
    assert "plain test accuracy >= 0.95: " in capsys.readouterr().out


def test_a_run_goes_on_within_a_cell_from_its_checkpoint(
    spec: SweepSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = dataclasses.replace(TINY, steps=1200, evaluate_every=100, stop_when="never")
    one = dataclasses.replace(spec, axes={"lr": [1e-3]}, model=settings, seeds=(0,))
    checkpoints = tmp_path / "runs-checkpoints"

    def swept() -> PhaseDiagram:
        return sweep(one, store=tmp_path / "runs.sqlite", n_jobs=1, progress=False)

    begun: list[int] = []
    resume = loop._Training.resume
    save = loop._Training.save

    def resumed(self: loop._Training, path: Path) -> None:
        resume(self, path)
        begun.append(self.update)

    def interrupted(self: loop._Training, path: Path) -> None:
        save(self, path)
        raise KeyboardInterrupt

    monkeypatch.setattr(loop._Training, "resume", resumed)
    with monkeypatch.context() as patch:
        patch.setattr(loop._Training, "save", interrupted)
        with pytest.raises(KeyboardInterrupt):
            swept()
    assert len(list(checkpoints.iterdir())) == 1
    found = swept().run(lr=1e-3, seed=0).summary
    assert begun == [1000] and not checkpoints.exists()
    # Without checkpoints it is the same run.
    ((_, alone),) = network_engine(1).run(one.cells())
    np.testing.assert_array_equal(found.state, alone.state)
    np.testing.assert_array_equal(found.curve, alone.curve)


def test_states_of_two_engines_are_apart(spec: SweepSpec, tmp_path: Path) -> None:
    """One engine's run never goes on from another one's state, nor from an older version's."""
    cell = next(iter(spec.cells()))
    files = {checkpoint_of(cell, tmp_path, device).name for device in ("cpu", "cuda")}
    with mock.patch.object(engine, "ENGINE_VERSION", engine.ENGINE_VERSION + 1):
        files.add(checkpoint_of(cell, tmp_path, "cpu").name)
    assert len(files) == 3
    assert checkpoint_of(cell, tmp_path, "cuda:1") == checkpoint_of(cell, tmp_path, "cuda")


def test_a_state_is_removed_when_its_run_is_on_the_disk(
    spec: SweepSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where several runs end together and the next takes its time."""
    store, recipe = tmp_path / "runs.sqlite", spec.registered_start.recipe
    seen: list[tuple[int, int]] = []

    def ended_together(
        self: engine.NetworkEngine, cells: Iterable[Cell]
    ) -> Iterator[tuple[Cell, RunSummary]]:
        folder = self.checkpoints
        assert folder is not None
        yield from [(cell, train_cell(cell, recipe, checkpoints=folder)) for cell in cells]
        seen.append((len(stored_rows(store)), len(list(folder.iterdir()))))

    monkeypatch.setattr(OneByOne, "run", ended_together)
    sweep(spec, store=store, n_jobs=1, progress=False)
    assert seen == [(spec.size, 0)]


def test_a_training_has_one_thread_and_no_numbers_below_the_normal_ones() -> None:
    def tiny() -> float:
        return float((torch.full((2,), 1e-39) * 1.0)[0])

    threads = torch.get_num_threads()
    with one_thread():
        assert torch.get_num_threads() == 1 and tiny() == 0
    assert torch.get_num_threads() == threads and tiny() > 0


def test_networks_are_submitted_to_clusters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("submitit", reason="needs the extra [cluster]")
    store, here = tmp_path / "runs.sqlite", tmp_path / "here.sqlite"
    options = ["--system", "mlp", "--p", "5", "--train-size", "10", "--steps", "20"]
    options += ["--task", "modular_addition", "--axis", "lr=1e-3,1e-2", "--width", "8"]
    command = ["submit", *options, "--store", str(store), "--allow-dirty"]
    assert torch_main([*command, "--cluster", "debug", "--elements", "2"]) == 0
    assert torch_main(["collect", str(store)]) == 0
    assert "lr, networks-cpu-float32: 2 of 2 runs are stored" in capsys.readouterr().out
    assert main(["sweep", *options, "--out", str(tmp_path), "--store", str(here)]) == 0
    assert stored_rows(store) == stored_rows(here)
    assert torch_main([*command, "--cluster", "debug", "--engine", "torch"]) == 2
    assert "engine torch is for toy models" in capsys.readouterr().err
    assert torch_main([*command, "--cluster", "debug", "--gpus", "1"]) == 2
    assert "networks of the kind mlp run on CPUs here" in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir() if "checkpoints" in path.name} == set()


def test_a_system_that_elements_would_not_know_is_not_submitted(tmp_path: Path) -> None:
    submitting = pytest.importorskip(
        "validation.cluster.submitting", reason="needs the extra [cluster]"
    )
    settings = dataclasses.make_dataclass("OwnSettings", [("steps", int, 5)], frozen=True)
    register_trainer("own_trainer", settings, lambda settings, seed: Trained())
    spec = SweepSpec(None, {"steps": [5, 10]}, settings())
    with pytest.raises(InputError, match='"own_trainer" is not known to other processes'):
        submitting.submit(spec, tmp_path / "runs.sqlite", "own", cluster="debug", allow_dirty=True)
    assert list(tmp_path.iterdir()) == []


def test_what_the_engine_cannot_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match='device must be "cpu" or "cuda"'):
        network_engine(device="gpu")
    toy = SweepSpec(Addition(5), {"decoder_lr": [1e-3]}, train_size=10).cells()
    with pytest.raises(InputError, match='networks-cpu-float32 cannot run system "toy"'):
        next(network_engine().run(toy))
    (tmp_path / "runs-checkpoints").write_text("")
    with pytest.raises(InputError, match="runs-checkpoints"):
        next(network_engine(1).beside(tmp_path / "runs.sqlite").run([]))


def test_the_command_line_has_the_options_of_a_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--task", "modular_addition", "--p", "5", "--train-size", "10", "--steps", "20"]
    own = ["--system", "mlp", "--axis", "lr=1e-3,1e-2", "--width", "8", "--jobs", "1"]
    assert main(["sweep", *own, *options, "--out", str(tmp_path / "out")]) == 0
    assert "system mlp" in capsys.readouterr().out
    assert main(["sweep", *own, *options, "--decoder-lr", "1"]) == 2
    assert "option --decoder-lr is unknown" in capsys.readouterr().err


def test_the_preset_is_that_of_the_issue() -> None:
    spec = preset("transformer-phases")
    assert spec.shape == (10, 10, 1) and spec.model.steps == 4000 and spec.train_size == 480
    assert isinstance(spec.model, OneLayerSettings) and spec.model.dimension == 64


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: OneLayerSettings(steps=15), "steps 15 must be a multiple of evaluate_every, 10"),
        (lambda: MLPSettings(stop_when="all"), "stop_when must be one of"),  # type: ignore[arg-type]
        (lambda: MLPSettings(lr=-1), "lr must"),
        (lambda: MLPSettings(init_scale=-1), "init_scale must"),
        (lambda: SETTINGS["power_transformer"](dropout=1.5), "dropout"),
        (
            lambda: SweepSpec(TASK, {"batch_size": [16]}, TINY, train_size=15),
            "batch_size must be at most the train_size 15",
        ),
        # What a network is made of, before any cell has trained.
        (
            lambda: SweepSpec(TASK, {"heads": [1, 3]}, TINY, train_size=12),
            "dimension 8 must be a multiple of h",
        ),
        (
            lambda: SweepSpec(
                TASK, {"heads": [1, 4]}, SETTINGS["power_transformer"](dimension=12), train_size=12
            ),
            "dimension 12 must be a multiple of twice heads, 4",
        ),
        (
            lambda: SweepSpec(TASK, {"width": [0, 8]}, MLPSettings(), train_size=12),
            "width must be at least 1",
        ),
        (
            lambda: SweepSpec(TASK, {"width": [8, 8.5]}, MLPSettings(), train_size=12),
            "width must be an integer",
        ),
        (
            lambda: SweepSpec(TASK, {"inputs": ["summed", "what"]}, MLPSettings(), train_size=12),
            "inputs must be",
        ),
        (lambda: MLPSettings(optimiser="sgd", momentum=None), "momentum must be a number"),
    ],
)
def test_wrong_settings_are_named(make, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=message):
        make()


def test_a_diagram_saved_and_loaded_is_the_same(spec: SweepSpec, tmp_path: Path) -> None:
    one = dataclasses.replace(spec, axes={"lr": [1e-2]}, seeds=(0,))
    diagram = sweep(one, n_jobs=1, progress=False)
    diagram.save(tmp_path / "diagram.npz")
    assert PhaseDiagram.load(tmp_path / "diagram.npz").rows() == diagram.rows()
