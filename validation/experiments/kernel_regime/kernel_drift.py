"""The empirical kernel of the toy model and of a one-layer transformer along their runs."""

from typing import TYPE_CHECKING, Any

import numpy as np

from effective_theory import Dataset, ModularOperation
from effective_theory.figures import Picture
from phase_diagrams import preset
from validation.experiments.experiment import Experiment, Findings, Run
from validation.experiments.kernel_regime.drift_panels import draw_drifts, put_legend
from validation.experiments.trainings import trained
from validation.systems.settings import OneLayerSettings

if TYPE_CHECKING:
    import torch
    from torch import nn

    from validation.kernel_regime.tangent_kernel import KernelDrift


#: Train accuracy of a training set that is fit.
_FIT = 0.99


class _Drift:
    """The drift of a module's kernel on a few inputs from what it was at first."""

    def __init__(self, module: "nn.Module", inputs: "torch.Tensor") -> None:
        self.inputs = inputs
        self.first = self._kernel(module)

    def _kernel(self, module: "nn.Module") -> "torch.Tensor":
        from validation.kernel_regime.tangent_kernel import empirical_kernel

        inputs = self.inputs.to(next(module.parameters()).device)
        return empirical_kernel(module, inputs).double()

    def of(self, module: "nn.Module") -> "KernelDrift":
        """Return the drift of the module as it is now."""
        from validation.kernel_regime.tangent_kernel import KernelDrift

        kernel = self._kernel(module)
        norms = self.first.norm() * kernel.norm()
        return KernelDrift(
            float((kernel - self.first).norm() / self.first.norm()),
            float(1 - (kernel * self.first).sum() / norms),
        )


def toy_model(updates: int) -> dict[str, list[float]]:
    """Return the drift of the toy model along the published run of the released start's third row.

    It is one that groks: decoder learning rate 4.6e-5, no weight decay.
    """
    import torch

    from validation.judge.plain_training import plain_training

    cell = preset("released-5b").cell((2, 0, 0))
    dataset, state = cell.draw()
    wanted = set(np.unique(np.geomspace(1, updates, 40).astype(int)).tolist())
    columns: dict[str, list[float]] = {name: [] for name in _COLUMNS}
    drift: _Drift | None = None
    snapshots = plain_training(cell.model, dataset, state, updates=updates, dtype=torch.float32)
    for snapshot in snapshots:
        if drift is None:
            pairs = np.asarray(dataset.operation.pairs)[dataset.train[:8]]
            drift = _Drift(snapshot.network, torch.tensor(pairs))
        # The crossing is looked at wherever it comes.
        fits_now = snapshot.train_accuracy >= _FIT and max(columns["train"], default=0.0) < _FIT
        if snapshot.update in wanted or fits_now:
            found = drift.of(snapshot.network)
            values = (
                *(snapshot.update, snapshot.train_accuracy, snapshot.test_accuracy),
                *(found.relative, found.turned),
            )
            for name, value in zip(_COLUMNS, values, strict=True):
                columns[name].append(float(value))
    return columns


def transformer(run: Run) -> dict[str, list[float]]:
    """Return the drift of the one-layer transformer at CI size, as columns."""
    import torch

    from validation.kernel_regime.measures import as_measures

    p, settings = (
        31,
        OneLayerSettings(
            lr=3e-3, dimension=64, hidden=256, steps=2000, evaluate_every=10, stop_when="never"
        ),
    )
    if run.quick:
        p, settings = 5, OneLayerSettings(dimension=8, hidden=16, steps=100, evaluate_every=50)
    dataset = Dataset.split(ModularOperation("x+y", p), rng=0, train_fraction=0.5)
    pairs = torch.tensor(np.asarray(dataset.operation.pairs)[dataset.train[:8]])

    def measures(network: Any) -> dict[str, Any]:
        drift = _Drift(network, pairs)
        return as_measures(drift.of)

    curve = trained(run, "transformer", settings, dataset, measures=measures).curve
    names = ("update", "train_accuracy", "strict_test_accuracy", *_COLUMNS[3:])
    return {
        column: [float(v) for v in curve[name]]
        for column, name in zip(_COLUMNS, names, strict=True)
    }


_COLUMNS = ("update", "train", "test", "kernel_drift", "kernel_turned")


def measure(run: Run) -> Findings:
    """Train both, and compare the kernel when the training set is fit with that at the end."""
    curves = {"toy model": toy_model(40 if run.quick else 10_000), "transformer": transformer(run)}
    fits = {name: _at_the_fit(columns) for name, columns in curves.items()}
    holds = all(each is not None and each["turned"] <= 0.05 for each in fits.values())
    told = [
        f"{name}: "
        + (
            "never fits"
            if each is None
            else f"fits at {each['update']:g}, drift then {each['drift']:.2g}, 1 - cos "
            f"{each['turned']:.2g}"
        )
        + f", at the end {curves[name]['kernel_drift'][-1]:.2g} and "
        + f"{curves[name]['kernel_turned'][-1]:.2g}, test {curves[name]['test'][-1]:.2f}"
        for name, each in fits.items()
    ]
    return Findings(
        verdict=run.verdict(holds),
        measured="; ".join(told),
        numbers={"curves": curves, "fits": fits},
        figures=(("Accuracies and the kernel's two drifts", _picture(curves)),),
    )


def _at_the_fit(columns: dict[str, list[float]]) -> dict[str, float] | None:
    """Return the first look at a training set that is fit."""
    for place, train in enumerate(columns["train"]):
        if train >= _FIT:
            return {
                "update": columns["update"][place],
                "drift": columns["kernel_drift"][place],
                "turned": columns["kernel_turned"][place],
            }
    return None


def _picture(curves: dict[str, dict[str, list[float]]]) -> Picture:
    figure = Picture(figsize=(10, 3.6), layout="constrained")
    accuracies = {"train": ("train", "C0-"), "test": ("test", "C1-")}
    for axes, (name, columns) in zip(figure.subplots(1, len(curves)), curves.items(), strict=True):
        lines = draw_drifts(axes, name, columns, accuracies)
        axes.set_xlabel("updates")
    put_legend(figure, lines)
    return figure


EXPERIMENT = Experiment(
    name="kernel-drift",
    claim="networks fit their training set in the kernel regime, and leave it to generalise",
    source="Mohamadi et al. 2024, of quadratic networks; here of other networks",
    settings="kernel on eight training inputs: toy model, released start of figure 5b, decoder "
    "4.6e-5 without decay, float32, 10 000 updates; one-layer transformer at CI size (p = 31, "
    "d 64), AdamW 3e-3, decay 1, 2000 updates, looked at every ten, seed 0 (its test "
    "accuracy: strict)",
    bound="in both the kernel has turned by at most .05, 1 - cos(K, K_0), when train accuracy is "
    "at .99",
    measure=measure,
    quick="40 and 100 updates, p = 5",
)
