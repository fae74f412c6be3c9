# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # A phase diagram, from sweep to boundary
#
# A coarse sweep, refined where its phases meet, then more seeds and what they agree on. The
# budgets are small, to be run in a minute; `preset("fig6b")` is the paper's.

# %%
import warnings

from effective_theory import Addition, ToyModel
from phase_diagrams import Axis, SweepSpec, refine, sweep

warnings.simplefilter("ignore", UserWarning)  # of seeds that cannot generalise; see below

spec = SweepSpec(
    Addition(10),
    {
        "decoder_lr": Axis((1e-4, 3e-4, 1e-3, 3e-3, 1e-2), "log"),
        "decoder_weight_decay": [0.0, 2.0, 4.0, 6.0, 8.0],
    },
    ToyModel(width=50, steps=3000),
    seeds=(5,),
    lag=300,
)
coarse = sweep(spec, store="phase_diagram.sqlite", progress=False)
coarse

# %% [markdown]
# Four times as fine, by runs where neighbouring cells disagree. Pale cells lie between agreeing
# ones and were not run.

# %%
fine = refine(coarse, to=4, store="phase_diagram.sqlite", progress=False)
fine

# %% [markdown]
# One cell, as the store has it:

# %%
coarse.run(decoder_lr=3e-4, decoder_weight_decay=2.0)

# %% [markdown]
# One seed is one split and one start. With five of them each cell has a majority, and how sure it
# is:

# %%
several = sweep(spec.with_more_seeds([1, 2, 3, 4]), store="phase_diagram.sqlite", progress=False)
several.plot.majority()

# %%
print(several.majority())
print(several.ideal_test_accuracy)

# %% [markdown]
# Where memorization or confusion begins along the learning rate, with a bootstrap band over the
# seeds:

# %%
several.plot.boundary("decoder_lr", of=("memorization", "confusion"), rng=0)
