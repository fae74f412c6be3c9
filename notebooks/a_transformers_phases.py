# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # The phases of a transformer
#
# Networks are swept as toy models are: here a one-layer transformer on addition modulo 11, over
# learning rate and weight decay. Test accuracy is strict: over the test pairs (x, y) whose mirror
# (y, x) was not trained on.

# %%
from effective_theory import ModularOperation
from phase_diagrams import SweepSpec, sweep
from validation.systems.settings import OneLayerSettings

spec = SweepSpec(
    ModularOperation("x+y", 11),
    {"lr": [1e-3, 3e-3, 1e-2], "weight_decay": [0.0, 0.5, 2.0]},
    OneLayerSettings(dimension=32, hidden=64, heads=2, steps=1500),
    train_fraction=0.6,
    lag=300,
)
diagram = sweep(spec, progress=False)
diagram

# %% [markdown]
# One cell and its learning curve, with the plain test accuracy beside the strict one:

# %%
sweep(spec, store="transformer.sqlite", progress=False).run(lr=1e-2, weight_decay=2.0)
