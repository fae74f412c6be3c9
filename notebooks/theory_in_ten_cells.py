# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # The effective theory in ten cells
#
# From a training set alone: what can be learned, how long its representation takes to form, and
# then a network that does it.

# %%
import matplotlib.pyplot as plt
import numpy as np

from effective_theory import (
    Addition,
    Dataset,
    ToyModel,
    critical_training_sizes,
    degrees_of_freedom,
    effective_loss,
    effective_trajectory,
    grokking_rate,
    grokking_steps,
    ideal_accuracy,
    predicted_accuracy,
    rqi,
    standardise,
    train,
    unique_line_probability,
)

dataset = Dataset.split(Addition(10), train_size=45, rng=5)
dataset

# %% [markdown]
# Only the line satisfies all parallelograms of this training set (2 degrees of freedom: a shift
# and a factor), and the parallelograms it implies put 90 % of the test samples within reach.

# %%
degrees_of_freedom(dataset), ideal_accuracy(dataset, on="test")

# %% [markdown]
# At an embedding learning rate of 1e-3 the slowest departure from the line needs this many updates
# to fall to 1/e:

# %%
round(grokking_steps(dataset, embedding_lr=1e-3))

# %% [markdown]
# Under the effective loss alone, ten embeddings that begin anywhere end on a line:

# %%
start = standardise(np.random.default_rng(0).uniform(-0.5, 0.5, (10, 1)))
times = np.linspace(0, 60, 200)
path = effective_trajectory(start, dataset, times)
figure, axes = plt.subplots(figsize=(5, 3))
axes.plot(times, path[..., 0])
axes.set(xlabel="time", ylabel="embeddings")

# %% [markdown]
# Departures from the line fall like exp(-t lambda_3) in the end, lambda_3 being the grokking rate,
# and their squares, which the effective loss adds up, at twice that rate (dashed):

# %%
losses = np.array([effective_loss(embeddings, dataset) for embeddings in path])
figure, axes = plt.subplots(figsize=(5, 3))
axes.semilogy(times, losses)
axes.semilogy(times, losses[-1] * np.exp(2 * grokking_rate(dataset) * (times[-1] - times)), "--")
axes.set(xlabel="time", ylabel="effective loss")

# %% [markdown]
# A network on the same training set: AdamW on embeddings and decoder.

# %%
run = train(ToyModel(decoder_lr=1e-4, steps=4000), dataset, rng=1, record_every=20)
run

# %%
run.plot()

# %% [markdown]
# The share of parallelograms that its embeddings close (RQI), and the test accuracy that this
# representation allows, beside the one that was reached:

# %%
(
    rqi(run.embeddings, dataset.operation),
    predicted_accuracy(run.embeddings, dataset, on="test"),
    run.test_accuracy,
)

# %% [markdown]
# How many training samples the line needs: the probability that it is the only solution, over
# random orders of the samples.

# %%
curve = unique_line_probability(10, range(10, 46), orders=2000, rng=0)
figure, axes = plt.subplots(figsize=(5, 3))
axes.fill_between(curve.sizes, curve.low, curve.high, alpha=0.3)
axes.plot(curve.sizes, curve.probability)
axes.set(xlabel="training samples of 55", ylabel="probability")

# %% [markdown]
# As a share of all samples it shrinks when there are more symbols: medians over 20 orders.

# %%
{
    p: round(float(np.median(critical_training_sizes(p, orders=20, rng=0))) / Addition(p).size, 3)
    for p in (10, 30, 100)
}
