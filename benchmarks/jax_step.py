"""The training step in JAX: compiled as a whole, and scanned over updates."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from effective_theory import Dataset, InitialState, ToyModel
from effective_theory.kernels.optimiser import BETA1, BETA2

Tree = Any
EPSILON = ToyModel().adam_epsilon


def jax_scan(
    model: ToyModel, dataset: Dataset, state: InitialState, updates: int
) -> Callable[[], int]:
    """Return a function that goes on for ``updates`` updates each time it is called."""
    step = training_step(dataset, state)
    rates = rates_of(model)
    run = jax.jit(
        lambda carry: lax.scan(lambda c, _: step(c, rates), carry, length=updates), donate_argnums=0
    )
    carry = beginning(state)

    def steps() -> int:
        nonlocal carry
        carry, measured = run(carry)
        jax.block_until_ready(measured)
        return updates

    return steps


def jax_grid(
    models: Sequence[ToyModel], dataset: Dataset, state: InitialState, updates: int
) -> Callable[[], int]:
    """Return a function that goes on for ``updates`` updates of all models at once.

    They share the split and the start, and differ in their rates.
    """
    step = training_step(dataset, state)
    rates = jax.tree.map(lambda *each: jnp.asarray(each), *(rates_of(model) for model in models))

    @partial(jax.jit, donate_argnums=0)
    @partial(jax.vmap, in_axes=(0, 0))
    def run(carry: Tree, rates: Tree) -> tuple[Tree, Tree]:
        after: tuple[Tree, Tree] = lax.scan(lambda c, _: step(c, rates), carry, length=updates)
        return after

    cells = len(models)
    carry = jax.tree.map(lambda x: jnp.repeat(x[None], cells, axis=0), beginning(state))

    def steps() -> int:
        nonlocal carry
        # GPUs would multiply in TF32.
        with jax.default_matmul_precision("highest"):
            carry, measured = run(carry, rates)
        jax.block_until_ready(measured)
        return updates

    return steps


def rates_of(model: ToyModel) -> Tree:
    """Learning rate and weight decay of the embeddings and of the decoder."""
    return [
        (model.embedding_lr, model.embedding_weight_decay),
        (model.decoder_lr, model.decoder_weight_decay),
    ]


def beginning(state: InitialState) -> Tree:
    """Parameters, both moments and the number of updates before the first one."""
    parameters = (
        jnp.asarray(state.embeddings),
        [
            (jnp.asarray(w), jnp.asarray(b))
            for w, b in zip(state.weights, state.biases, strict=True)
        ],
    )
    zeros = jax.tree.map(jnp.zeros_like, parameters)
    return parameters, zeros, jax.tree.map(jnp.zeros_like, zeros), jnp.asarray(0)


def training_step(dataset: Dataset, state: InitialState) -> Callable[[Tree, Tree], tuple[Any, Any]]:
    """Return the step: carry and rates to the next carry and what was measured before it."""
    order = [*dataset.train, *dataset.test]
    left, right = jnp.asarray(dataset.operation.pairs[order].T)
    labels = jnp.asarray(dataset.task.labels[order])
    samples = dataset.train_size
    # A product, as in PyTorch: on a GPU, the derivative of gathering would add up atomically.
    symbols = dataset.operation.symbols
    both = jax.nn.one_hot(left, symbols) + jax.nn.one_hot(right, symbols)
    targets = None if state.targets is None else jnp.asarray(state.targets)

    def loss_and_accuracies(parameters: Tree) -> tuple[jax.Array, jax.Array]:
        embeddings, layers = parameters
        h = both @ embeddings
        for weights, bias in layers[:-1]:
            h = jnp.tanh(h @ weights.T + bias)
        weights, bias = layers[-1]
        outputs = h @ weights.T + bias
        if targets is None:
            chosen = jnp.take_along_axis(outputs, labels[:, None], axis=1)[:, 0]
            loss = (jax.nn.logsumexp(outputs, axis=1) - chosen)[:samples].mean()
            scores = outputs
        else:
            loss = jnp.square(outputs[:samples] - targets[labels[:samples]]).mean()
            # The nearest target; |outputs|^2 is common to all.
            scores = outputs @ targets.T - 0.5 * jnp.square(targets).sum(axis=1)
        right_answers = scores.argmax(axis=1) == labels
        return loss, jnp.stack([right_answers[:samples].mean(), right_answers[samples:].mean()])

    def adamw(parameter: Any, m: Any, v: Any, g: Any, time: Any, rates: Any) -> Any:
        rate, decay = rates
        m = m + (1 - BETA1) * (g - m)
        v = BETA2 * v + (1 - BETA2) * g * g
        root = jnp.sqrt(v) / jnp.sqrt(1 - BETA2**time) + EPSILON
        return parameter * (1 - rate * decay) - rate / (1 - BETA1**time) * m / root, m, v

    def step(carry: Tree, all_rates: Tree) -> tuple[Tree, Tree]:
        parameters, first, second, update = carry
        measured, gradient = jax.value_and_grad(loss_and_accuracies, has_aux=True)(parameters)
        time = (update + 1).astype(jnp.float32)
        trees = (parameters, first, second, gradient)
        groups = [
            jax.tree.map(lambda p, m, v, g, rates=rates: adamw(p, m, v, g, time, rates), *parts)
            for rates, *parts in zip(all_rates, *trees, strict=True)
        ]
        new = jax.tree.transpose(
            jax.tree.structure(list(parameters)), jax.tree.structure((0, 0, 0)), groups
        )
        return (*(tuple(part) for part in new), update + 1), measured

    return step
