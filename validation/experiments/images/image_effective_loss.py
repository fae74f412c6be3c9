"""The effective loss for classes: where it leads, and what training does to it."""

from typing import TYPE_CHECKING, Any

import numpy as np

from effective_theory import Dataset, class_effective_loss, class_effective_trajectory
from effective_theory.figures import Picture
from validation.data.images import Digits
from validation.experiments.experiment import Experiment, Findings, Run
from validation.experiments.trainings import trained
from validation.systems.settings import ImageSettings

if TYPE_CHECKING:
    from validation.networks.image_mlp import ImageMLP


def representation(network: "ImageMLP", dataset: Dataset, samples: Any) -> Any:
    """Return what the last layer reads of some samples, less its mean, shape (n, width)."""
    import torch

    with torch.no_grad():
        inputs = network.inputs_of(dataset.task)[torch.tensor(samples)].to(network.last.weight)
        values = network.representation(inputs).double().cpu().numpy()
    return values - values.mean(axis=0)


def measure(run: Run) -> Findings:
    """Follow the flow from a network's start, and the loss along its training."""
    dataset = Dataset.split(Digits(), 200, rng=0)
    labels = {
        name: dataset.task.labels[samples]
        for name, samples in (("train", dataset.train), ("test", dataset.test))
    }
    settings = ImageSettings(
        lr=1e-3, weight_decay=0.5, steps=200 if run.quick else 10_000, stop_when="never",
        train_threshold=0.95, test_threshold=0.8,
    )  # fmt: skip
    start = representation(settings.network(dataset.task, 0), dataset, dataset.train)
    theory = flow(start, labels["train"])
    training = trained(
        run, "digits", settings, dataset,
        measures=lambda network: {
            "effective_loss_train": lambda n: class_effective_loss(
                representation(n, dataset, dataset.train), labels["train"]
            ),
            "effective_loss_test": lambda n: class_effective_loss(
                representation(n, dataset, dataset.test), labels["test"]
            ),
        },
    )  # fmt: skip
    curve = training.curve
    falls = {
        name: float(curve[f"effective_loss_{name}"][-1] / curve[f"effective_loss_{name}"][0])
        for name in labels
    }
    holds = (
        theory["norm_change"] < 1e-10
        and theory["within"] < 1e-10
        and theory["nearest"] > 0.1
        and falls["train"] <= 0.1
    )
    return Findings(
        verdict=run.verdict(holds),
        measured=f"flow: sum |f|^2 changes by {theory['norm_change']:.1e}, within classes "
        f"{theory['within']:.1e} of it is left, the nearest two of ten classes are "
        f"{theory['nearest']:.2f} of their root mean square apart; training: the effective loss "
        f"falls to {falls['train']:.3f} of its start on training and to {falls['test']:.3f} on "
        f"test images, train .95 at {training.crossings.train_step}, test .8 at "
        f"{training.crossings.test_step}",
        numbers={"theory": theory, "falls": falls},
        figures=(("The effective loss for classes along a training", _picture(curve)),),
    )


def flow(start: Any, labels: Any) -> dict[str, float]:
    """Return where the effective loss for classes leads from a start."""
    (end,) = class_effective_trajectory(start, labels, [np.inf])
    means = np.array([end[labels == label].mean(axis=0) for label in np.unique(labels)])
    spread = sum(
        ((end[labels == label] - mean) ** 2).sum()
        for label, mean in zip(np.unique(labels), means, strict=True)
    )
    apart = np.linalg.norm(means[:, None] - means[None], axis=2)
    nearest = float(apart[~np.eye(len(means), dtype=bool)].min())
    return {
        "norm_change": float(abs((end**2).sum() / (start**2).sum() - 1)),
        "within": float(spread / (end**2).sum()),
        "nearest": nearest / float(np.sqrt((means**2).sum(axis=1).mean())),
    }


def _picture(curve: Any) -> Picture:
    figure = Picture(figsize=(7, 3.6), layout="constrained")
    axes = figure.subplots()
    updates = np.maximum(curve["update"], 1)
    axes.plot(updates, curve["train_accuracy"], color="C0", label="train accuracy")
    axes.plot(updates, curve["plain_test_accuracy"], color="C1", label="test accuracy")
    axes.set(xlabel="updates", xscale="log", ylim=(-0.02, 1.02))
    other = axes.twinx()
    for place, name in enumerate(("train", "test")):
        other.plot(updates, curve[f"effective_loss_{name}"], "--", color=f"C{place}")
    other.set(yscale="log", ylabel="effective loss (dashed)")
    axes.legend(frameon=False)
    return figure


EXPERIMENT = Experiment(
    name="image-effective-loss",
    claim="under the effective loss for classes representations collapse to distinct class means, "
    "with sum |f|^2 conserved, as those of a trained network do",
    source="Liu et al. 2022, appendix I",
    settings="200 of scikit-learn's digits, what the last layer of the 64-200-200-10 network "
    "reads, less its mean: the flow from the network's start of scale 9 to its end, and a training "
    "with AdamW 1e-3, weight decay .5, 10 000 updates, seed 0",
    bound="the flow keeps sum |f|^2 and leaves nothing within classes (1e-10), all class means "
    "are at least .1 of their root mean square apart; along the training the effective loss on "
    "training images falls to a tenth",
    measure=measure,
    quick="200 updates",
)
