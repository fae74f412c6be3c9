"""The training loop: measure state k, stop or record, make update k + 1."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from effective_theory.kernels.compilation import kernel
from effective_theory.kernels.decoder import backward, forward
from effective_theory.kernels.embeddings import add_penalty, combine, combine_backward
from effective_theory.kernels.layout import activations, aligned_zeros, layers, matrix
from effective_theory.kernels.losses import (
    CROSS_ENTROPY,
    centred,
    count_equal,
    highest,
    loss,
    nearest,
)
from effective_theory.kernels.optimiser import adamw
from effective_theory.kernels.parallelograms import quality_index

Array = NDArray[np.float32]
Indices = NDArray[np.int64]
Measurements = NDArray[np.float64]
Layers = tuple[Array, Array, Array]

RUNNING, FINISHED, STOPPED, DIVERGED = 0, 1, 2, 3
STOP_NEVER, STOP_ACCURACIES, STOP_ALL = 0, 1, 2
#: What `Outcome.measured` and the columns of `Records.measurements` hold.
TRAIN_LOSS, TEST_LOSS, TRAIN_ACCURACY, TEST_ACCURACY, RQI = 0, 1, 2, 3, 4
#: What `Outcome.first_steps` holds.
TRAIN_STEP, TEST_STEP, RQI_STEP = 0, 1, 2


class State(NamedTuple):
    """What training changes in place: (p, d), (2, p d), decoder in `layout`'s form (n,), (2, n)."""

    embeddings: Array
    embedding_moments: Array
    decoder: Array
    decoder_moments: Array


class Samples(NamedTuple):
    """Left symbol, right symbol and label of each sample."""

    left: Indices
    right: Indices
    labels: Indices


class Parallelograms(NamedTuple):
    """All samples sorted by label, as `quality_index` takes them; empty where RQI is undefined."""

    left: Indices
    right: Indices
    class_starts: Indices


class Problem(NamedTuple):
    """What is learned, and by which network.

    ``targets`` are vectors (classes, target_dim); for cross-entropy (classes, classes) of any
    content. ``width`` is that of both hidden layers, ``side`` that of the matrices that embeddings
    are; 0 where they add.
    """

    train: Samples
    test: Samples
    parallelograms: Parallelograms
    targets: Array
    loss: int
    width: int
    side: int


class Rates(NamedTuple):
    """Learning rates and weight decays, the factor of mean |E|, and AdamW's epsilon."""

    embedding_lr: float
    embedding_weight_decay: float
    embedding_penalty: float
    decoder_lr: float
    decoder_weight_decay: float
    epsilon: float


class Goal(NamedTuple):
    """When a run ends: its budget, what it waits for, and thresholds (RQI: strictly above).

    ``residual`` is the mean square below which RQI counts a parallelogram.
    """

    steps: int
    stop_when: int
    train_accuracy: float
    test_accuracy: float
    rqi: float
    residual: float


class Outcome(NamedTuple):
    """What is found, changed in place.

    First crossings (-1 before), best train and test accuracy, measurements of the last state.
    """

    first_steps: Indices
    best: Measurements
    measured: Measurements


class Records(NamedTuple):
    """Sorted updates to record, and where to: (records, 5) and (records, p, d)."""

    at: Indices
    measurements: Measurements
    embeddings: Array


class Workspace(NamedTuple):
    """Arrays that every update uses again; train samples come first, then the test samples."""

    left: Indices
    right: Indices
    labels: Indices
    x: Array
    h1: Array
    h2: Array
    out: Array
    #: Transposes of h1, h2 and the derivative with respect to h1.
    sample_major: Layers
    d_x: Array
    d_hidden: tuple[Array, Array]
    d_out: Array
    parameters: Layers
    gradient: Array
    gradients: Layers
    embedding_gradient: Array
    expected: Array
    losses: Array
    #: Weight of each sample in the loss that is differentiated.
    share: Array
    predicted: Indices
    centre: Measurements
    centred_targets: Measurements
    apart: Measurements


@kernel
def workspace(state: State, problem: Problem) -> Workspace:
    """Return the arrays in which `advance` works."""
    train, test, targets, width = problem.train, problem.test, problem.targets, problem.width
    inputs, outputs = state.embeddings.shape[1], targets.shape[1]
    samples = train.left.size
    total = samples + test.left.size
    labels = np.concatenate((train.labels, test.labels))
    out, expected = matrix(outputs, total), matrix(outputs, total)[:outputs]
    expected[:, :total] = targets[labels].T
    columns = out.shape[1]
    share = np.zeros(columns, np.float32)
    share[:samples] = 1.0 / samples
    gradient = aligned_zeros(state.decoder.size)
    centre, centred_targets = centred(targets)
    return Workspace(
        np.concatenate((train.left, test.left)),
        np.concatenate((train.right, test.right)),
        labels,
        activations(inputs, total),
        activations(width, total),
        activations(width, total),
        out,
        (matrix(samples, width + 1), matrix(samples, width + 1), matrix(samples, width)),
        matrix(inputs, samples),
        (matrix(width, samples), matrix(width, samples)),
        matrix(outputs, total),
        layers(state.decoder, inputs, width, outputs),
        gradient,
        layers(gradient, inputs, width, outputs),
        np.empty_like(state.embeddings),
        expected,
        np.zeros(columns, np.float32),
        share,
        np.zeros(columns, np.int64),
        centre,
        centred_targets,
        np.empty((outputs, columns)),
    )


@kernel
def advance(
    state: State,
    problem: Problem,
    rates: Rates,
    batches: Indices,
    update: int,
    until: int,
    goal: Goal,
    outcome: Outcome,
    records: Records,
) -> tuple[int, int]:
    """Go from ``update`` completed updates to at most ``until``; return the status and where it is.

    Parameters
    ----------
    state, problem, rates, goal, outcome, records
        See there; the state, the outcome and the records are changed in place.
    batches
        Training samples of each update from ``update`` to ``until``, (updates, batch size); (0, 0)
        for the full batch.
    update, until
        Completed updates, and those after which to return at the latest.

    Returns
    -------
    tuple of int
        RUNNING, FINISHED, STOPPED or DIVERGED, and the number of completed updates: for RUNNING the
        state that is to be measured next, otherwise the last state.
    """
    work, embeddings, side = workspace(state, problem), state.embeddings, problem.side
    train, samples, inputs = problem.train, problem.train.left.size, embeddings.shape[1]
    first_steps, measured = outcome.first_steps, outcome.measured
    start = update
    next_record = np.searchsorted(records.at, update)

    while update < until:
        # Measure state k = update.
        if batches.shape[0] > 0:
            work.share[:] = 0.0
            for sample in batches[update - start]:
                work.share[sample] = 1.0 / batches.shape[1]
        if not measure(work, state, problem, measured):
            measured[:] = np.nan
            return DIVERGED, update
        outcome.best[0] = max(outcome.best[0], measured[TRAIN_ACCURACY])
        outcome.best[1] = max(outcome.best[1], measured[TEST_ACCURACY])
        if first_steps[TRAIN_STEP] < 0 and measured[TRAIN_ACCURACY] >= goal.train_accuracy:
            first_steps[TRAIN_STEP] = update
        if first_steps[TEST_STEP] < 0 and measured[TEST_ACCURACY] >= goal.test_accuracy:
            first_steps[TEST_STEP] = update

        # RQI costs time: every update until it is first crossed, then only where it is asked for.
        is_recorded = next_record < records.at.size and records.at[next_record] == update
        if first_steps[RQI_STEP] < 0 or is_recorded:
            measured[RQI] = measure_rqi(embeddings, problem.parallelograms, side, goal.residual)
            if first_steps[RQI_STEP] < 0 and measured[RQI] > goal.rqi:
                first_steps[RQI_STEP] = update
        if is_recorded:
            records.measurements[next_record] = measured
            records.embeddings[next_record] = embeddings
            next_record += 1

        knows_accuracies = first_steps[TRAIN_STEP] >= 0 and first_steps[TEST_STEP] >= 0
        stops = (goal.stop_when == STOP_ACCURACIES and knows_accuracies) or (
            goal.stop_when == STOP_ALL and knows_accuracies and first_steps[RQI_STEP] >= 0
        )
        if stops or update == goal.steps:
            measured[RQI] = measure_rqi(embeddings, problem.parallelograms, side, goal.residual)
            return (STOPPED if stops else FINISHED), update

        # Make update k + 1.
        backward(
            work.parameters, (work.x, work.h1, work.h2), work.sample_major, samples, work.d_out,
            work.d_hidden, work.d_x, work.gradients,
        )  # fmt: skip
        combine_backward(
            embeddings, work.d_x[:inputs, :samples], train.left, train.right, side,
            work.embedding_gradient,
        )  # fmt: skip
        if rates.embedding_penalty > 0.0:
            add_penalty(embeddings, rates.embedding_penalty, work.embedding_gradient)
        update += 1
        embeddings_finite = adamw(
            embeddings.reshape(-1), work.embedding_gradient.reshape(-1), state.embedding_moments,
            update, rates.embedding_lr, rates.embedding_weight_decay, rates.epsilon,
        )  # fmt: skip
        decoder_finite = adamw(
            state.decoder, work.gradient, state.decoder_moments, update, rates.decoder_lr,
            rates.decoder_weight_decay, rates.epsilon,
        )  # fmt: skip
        if not (embeddings_finite and decoder_finite):
            measured[:] = np.nan
            return DIVERGED, update
    return RUNNING, update


@kernel
def measure(work: Workspace, state: State, problem: Problem, measured: Measurements) -> bool:
    """Measure losses and accuracies of a state; return whether the train loss is finite.

    The derivative of the loss with respect to the outputs stays in the workspace.
    """
    samples, test_samples = problem.train.left.size, problem.test.left.size
    total, inputs = samples + test_samples, state.embeddings.shape[1]
    outputs = problem.targets.shape[1]
    combine(state.embeddings, work.left, work.right, problem.side, work.x[:inputs, :total])
    forward(work.parameters, work.x, work.h1, work.h2, work.out)
    loss(
        problem.loss, work.out, work.labels, work.expected, work.share, work.d_out[:outputs],
        work.losses,
    )  # fmt: skip
    measured[TRAIN_LOSS] = work.losses[:samples].astype(np.float64).mean()
    measured[TEST_LOSS] = work.losses[samples:total].astype(np.float64).mean()
    if not np.isfinite(measured[TRAIN_LOSS]):
        return False
    predicted, labels = work.predicted, work.labels
    if problem.loss == CROSS_ENTROPY:
        highest(work.out[:outputs], predicted)
    else:
        nearest(work.out, work.centre, work.centred_targets, work.apart, predicted)
    right = count_equal(predicted, labels[:samples])
    measured[TRAIN_ACCURACY] = right / samples
    right = count_equal(predicted[samples:], labels[samples:])
    measured[TEST_ACCURACY] = right / test_samples
    return True


@kernel
def measure_rqi(
    embeddings: Array, parallelograms: Parallelograms, side: int, threshold: float
) -> float:
    """Return the RQI of float32 embeddings, computed in float64; NaN where it is not defined."""
    left, right, class_starts = parallelograms
    return quality_index(embeddings.astype(np.float64), left, right, class_starts, side, threshold)
