"""The MLP on images: its scale, its groups of weights, its sweeps."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra [validation]")
pytest.importorskip("sklearn", reason="scikit-learn is absent; install the extra [images]")

from effective_theory import Dataset, InputError, ModularOperation  # noqa: E402
from phase_diagrams import SweepSpec, load, sweep  # noqa: E402
from tests.images.idx_files import write_pair  # noqa: E402
from validation import systems  # noqa: E402
from validation.cli import main  # noqa: E402
from validation.data.images import Digits, IdxImages  # noqa: E402
from validation.networks.image_mlp import ImageMLP  # noqa: E402
from validation.systems.settings import ImageSettings, OneLayerSettings  # noqa: E402
from validation.training.loop import begun, train_network  # noqa: E402

assert systems
SMALL = ImageSettings(lr=1e-2, width=16, steps=200, evaluate_every=50, init_scale=2.0)


def test_the_digits_are_scikit_learns() -> None:
    task = Digits()
    assert task.images.shape == (1797, 64) and task.images.min() == 0 and task.images.max() == 1
    assert task.classes == 10 and np.bincount(task.labels).min() > 170


def test_every_parameter_is_scaled_at_the_start() -> None:
    plain = begun(lambda: ImageMLP(64, 10), 3)
    scaled = dataclasses.replace(ImageSettings(), init_scale=9.0).network(Digits(), 3)
    for one, other in zip(plain.parameters(), scaled.parameters(), strict=True):
        torch.testing.assert_close(9 * one, other)
    # Of networks on symbols the matrices alone.
    task = ModularOperation("x+y", 5)
    biased = dataclasses.replace(OneLayerSettings(initialisation="torch"), init_scale=3.0)
    first, network = (
        OneLayerSettings(initialisation="torch").network(task, 0),
        biased.network(task, 0),
    )
    torch.testing.assert_close(first.inner.bias, network.inner.bias)


def test_a_training_is_that_of_a_plain_loop() -> None:
    """Mean square error of one-hot labels, AdamW with a rate of its own for the last layer."""
    dataset = Dataset.split(Digits(), 200, rng=0)
    settings = dataclasses.replace(SMALL, steps=20, evaluate_every=10, stop_when="never")
    run = train_network(
        settings.network(dataset.task, 1).double(), dataset, settings.optimisation, settings.plan,
        seed=1,
    )  # fmt: skip
    plain = settings.network(dataset.task, 1).double()
    groups = [
        {"params": plain.hidden.parameters(), "lr": 1e-3},
        {"params": plain.last.parameters(), "lr": 1e-2},
    ]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.1)
    inputs = torch.tensor(dataset.task.images[dataset.train]).double()
    target = torch.eye(10, dtype=torch.float64)[torch.tensor(dataset.task.labels[dataset.train])]
    for _ in range(20):
        optimiser.zero_grad()
        torch.nn.functional.mse_loss(plain(inputs), target).backward()
        optimiser.step()
    for found, expected in zip(run.network.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)
    loss = torch.nn.functional.mse_loss(plain(inputs), target).detach()
    assert run.curve["train_loss"][-1] == pytest.approx(float(loss), rel=1e-9)
    assert run.strict_samples is None and run.crossings.test_step == run.crossings.plain_test_step


def test_images_are_swept_kept_and_read_back(tmp_path: Path) -> None:
    store = tmp_path / "runs.sqlite"
    axes = {"weight_decay": [0.1, 1.0], "train_size": [50, 200]}
    spec = SweepSpec(Digits(), axes, SMALL, seeds=(0,), lag=100)
    diagram = sweep(spec, store=store, n_jobs=1, progress=False)
    again = load(store)
    assert again.spec == spec and again.rows() == diagram.rows()
    run = again.run(weight_decay=0.1, train_size=200)
    assert run.summary.state.shape == (10, 16)
    run.plot().draw_without_rendering()
    diagram.plot().draw_without_rendering()
    files = IdxImages(*map(str, write_pair(tmp_path)), count=30)
    other = sweep(
        SweepSpec(files, {"lr": [1e-2]}, SMALL, train_size=20), store=store, name="idx",
        n_jobs=1, progress=False,
    )  # fmt: skip
    assert load(store, "idx").rows() == other.rows()


def test_the_shell_sweeps_digits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--system", "image_mlp", "--axis", "lr=1e-3,1e-2", "--train-size", "50"]
    options += ["--width", "8", "--steps", "100", "--jobs", "1", "--out", str(tmp_path)]
    assert main(["sweep", *options]) == 0
    assert "system image_mlp" in capsys.readouterr().out


def test_the_diagram_of_mnist_is_one_command_given_the_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["run", "mnist-phases", "--jobs", "1", "--out", str(tmp_path / "out")]
    assert main(command) == 2
    assert "name MNIST's IDX files, as by --images" in capsys.readouterr().err
    images, labels = write_pair(tmp_path, 200, zipped=True)
    assert main([*command, "--quick", "--images", str(images), "--labels", str(labels)]) == 0
    assert load(tmp_path / "out" / "runs.sqlite", "mnist-phases-0.6").spec.task.count == 200
    capsys.readouterr()
    labels.write_bytes(b"")
    assert main([*command, "--images", str(images), "--labels", str(labels)]) == 2
    assert "labels.idx is no IDX file" in capsys.readouterr().err


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(InputError, match="images such as"):
        ImageMLP(64, 10).inputs_of(ModularOperation("x+y", 5))
    with pytest.raises(InputError, match="network has 4 inputs and 10 classes"):
        ImageMLP(4, 10).inputs_of(Digits())
    with pytest.raises(InputError, match="loss must be one of"):
        ImageSettings(loss="hinge")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="exact_tail is for the cross-entropy"):
        ImageSettings(exact_tail=True)
    with pytest.raises(InputError, match="images such as Digits"):
        SweepSpec(ModularOperation("x+y", 5), {"lr": [1e-3]}, ImageSettings())
