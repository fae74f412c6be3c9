# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Bring your own trainer
#
# Whatever has hyper-parameters and learns can be swept: here a network of scikit-learn on its
# digits.

# %%
from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

from phase_diagrams import Field, SweepSpec, register_trainer, sweep


@dataclass(frozen=True)
class DigitSettings:
    learning_rate: float = 1e-3
    penalty: float = 1e-4
    train_images: int = 200
    steps: int = 40
    train_threshold: float = 0.95
    test_threshold: float = 0.9


# %% [markdown]
# A function of settings and seed that returns the two first crossings:


# %%
def learn(settings, seed):
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(images))
    train, test = order[: settings.train_images], order[settings.train_images :]
    network = MLPClassifier(
        alpha=settings.penalty, learning_rate_init=settings.learning_rate, random_state=seed
    )
    first = {"train": None, "test": None}
    for epoch in range(1, settings.steps + 1):
        network.partial_fit(images[train], labels[train], classes=range(10))
        for side, chosen in (("train", train), ("test", test)):
            reached = network.score(images[chosen], labels[chosen]) >= getattr(
                settings, f"{side}_threshold"
            )
            if first[side] is None and reached:
                first[side] = epoch
    return first["train"], first["test"]


fields = {"learning_rate": Field(scale="log"), "penalty": Field("L2 penalty", "log")}
register_trainer(
    "my_digits", DigitSettings, learn, fields=fields, unit="epoch", packages=["scikit-learn"]
)

# %%
axes = {"learning_rate": [1e-3, 1e-2, 1e-1], "penalty": [1e-3, 1e-1, 1e1]}
diagram = sweep(SweepSpec(None, axes, DigitSettings(), lag=10), progress=False)
diagram
