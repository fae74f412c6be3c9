# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # From grokking to comprehension
#
# A run that groks, what its diagram advises, and whether the advice helps on starts that the
# diagram has not seen.

# %%
import warnings

import numpy as np

from effective_theory import Addition, ToyModel, train
from phase_diagrams import Axis, SweepSpec, advise, sweep

warnings.simplefilter("ignore", UserWarning)

rates, decays = (2e-5, 5e-5, 1e-4, 2e-4, 5e-4), (0.0, 1.0, 2.0)
spec = SweepSpec(
    Addition(10),
    {"decoder_lr": Axis(rates, "log"), "decoder_weight_decay": decays},
    ToyModel(width=100, steps=8000),
    seeds=(5,),
)
diagram = sweep(spec, progress=False)
diagram

# %%
advice = advise(diagram, decoder_lr=2e-5, decoder_weight_decay=0.0)
print(advice)

# %% [markdown]
# Both settings on ten other seeds: the first update with test accuracy at 0.9, and how often the
# advised setting was the faster one. Seeds whose split does not allow generalisation are left
# out.

# %%
from dataclasses import replace

setting = advice.settings[-1].values
seeds = range(100, 110)
steps = {}
for name, values in (
    ("before", {"decoder_lr": 2e-5, "decoder_weight_decay": 0.0}),
    ("advised", setting),
):
    tried = replace(spec, axes={k: [v] for k, v in values.items()}, seeds=tuple(seeds))
    found = sweep(tried, progress=False)
    able = np.array([value >= 0.9 for value in found.ideal_test_accuracy.values.values()])
    steps[name] = found.test_step.filled(spec.model.steps).ravel()[able]
steps

# %%
factor = steps["before"] / steps["advised"]
f"median factor {np.median(factor):.2g}, faster in {(factor > 1).sum()} of {len(factor)}"

# %% [markdown]
# The two runs of the first seed:

# %%
train(*diagram.cell(decoder_lr=2e-5, decoder_weight_decay=0.0), record_every=50)

# %%
train(*diagram.cell(**setting), record_every=50)
