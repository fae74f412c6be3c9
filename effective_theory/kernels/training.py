"""The training loop: measure state k, stop or record, make update k + 1."""

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

RUNNING, FINISHED, STOPPED, DIVERGED = 0, 1, 2, 3
STOP_NEVER, STOP_ACCURACIES, STOP_ALL = 0, 1, 2
#: What `measured` and the columns of `recorded` hold.
TRAIN_LOSS, TEST_LOSS, TRAIN_ACCURACY, TEST_ACCURACY, RQI = 0, 1, 2, 3, 4
#: What `first_steps` holds.
TRAIN_STEP, TEST_STEP, RQI_STEP = 0, 1, 2


@kernel
def advance(
    embeddings: Array,
    embedding_moments: Array,
    decoder: Array,
    decoder_moments: Array,
    width: int,
    side: int,
    train: tuple[Indices, Indices, Indices],
    test: tuple[Indices, Indices, Indices],
    parallelograms: tuple[Indices, Indices, Indices],
    targets: Array,
    loss_kind: int,
    embedding_rates: tuple[float, float, float],
    decoder_rates: tuple[float, float],
    epsilon: float,
    batches: Indices,
    update: int,
    until: int,
    steps: int,
    stop_when: int,
    thresholds: tuple[float, float, float, float],
    first_steps: Indices,
    best: Measurements,
    measured: Measurements,
    record_at: Indices,
    recorded: Measurements,
    recorded_embeddings: Array,
) -> tuple[int, int]:
    """Go from ``update`` completed updates to at most ``until``; return the status and where it is.

    Parameters
    ----------
    embeddings, embedding_moments, decoder, decoder_moments
        The state, changed in place: (p, d), (2, p d), decoder in `layout`'s form (n,), (2, n).
    width
        Width of both hidden layers.
    side
        Side of the matrices that embeddings are; 0 where they add.
    train, test
        Left symbol, right symbol and label of each sample.
    parallelograms
        Left, right and class starts of all samples sorted by label, as `quality_index` takes them;
        empty where RQI is not defined.
    targets
        Target vectors (classes, target_dim); for cross-entropy (classes, classes) of any content.
    embedding_rates, decoder_rates
        Learning rate and weight decay; for embeddings also the penalty on mean |E|.
    epsilon
        What AdamW adds to the root of its second moment.
    batches
        Training samples of each update from ``update`` to ``until``, (updates, batch size); (0, 0)
        for the full batch.
    steps
        The budget: state ``steps`` is measured and the run has finished.
    thresholds
        Train accuracy, test accuracy, RQI (strictly above), mean square residual of RQI.
    first_steps, best, measured
        Changed in place: first crossings (-1 before), best train and test accuracy, and the
        measurements of the last state.
    record_at, recorded, recorded_embeddings
        Sorted updates to record, and where to: (records, 5) and (records, p, d).

    Returns
    -------
    tuple of int
        RUNNING, FINISHED, STOPPED or DIVERGED, and the number of completed updates: for RUNNING the
        state that is to be measured next, otherwise the last state.
    """
    inputs, outputs = embeddings.shape[1], targets.shape[1]
    samples, test_samples = train[0].size, test[0].size
    total = samples + test_samples
    left, right = np.concatenate((train[0], test[0])), np.concatenate((train[1], test[1]))
    labels = np.concatenate((train[2], test[2]))
    x, h1, h2 = activations(inputs, total), activations(width, total), activations(width, total)
    out = matrix(outputs, total)
    # Transposes of h1, h2 and the derivative by h1.
    sample_major = (
        matrix(samples, width + 1),
        matrix(samples, width + 1),
        matrix(samples, width),
    )
    d_x, d_out = matrix(inputs, samples), matrix(outputs, total)
    d_hidden = matrix(width, samples), matrix(width, samples)
    parameters = layers(decoder, inputs, width, outputs)
    gradient = aligned_zeros(decoder.size)
    gradients = layers(gradient, inputs, width, outputs)
    embedding_gradient = np.empty_like(embeddings)
    expected = matrix(outputs, total)[:outputs]
    expected[:, :total] = targets[labels].T
    columns = out.shape[1]
    losses, share = np.zeros(columns, np.float32), np.zeros(columns, np.float32)
    share[:samples] = 1.0 / samples
    predicted = np.zeros(columns, np.int64)
    (centre, centred_targets), apart = centred(targets), np.empty((outputs, columns))
    start = update
    next_record = np.searchsorted(record_at, update)

    while update < until:
        # Measure state k = update.
        combine(embeddings, left, right, side, x[:inputs, :total])
        forward(parameters, x, h1, h2, out)
        if batches.shape[0] > 0:
            share[:] = 0.0
            for sample in batches[update - start]:
                share[sample] = 1.0 / batches.shape[1]
        loss(loss_kind, out, labels, expected, share, d_out[:outputs], losses)
        measured[TRAIN_LOSS] = losses[:samples].astype(np.float64).mean()
        measured[TEST_LOSS] = losses[samples:total].astype(np.float64).mean()
        if not np.isfinite(measured[TRAIN_LOSS]):
            measured[:] = np.nan
            return DIVERGED, update
        if loss_kind == CROSS_ENTROPY:
            highest(out[:outputs], predicted)
        else:
            nearest(out, centre, centred_targets, apart, predicted)
        measured[TRAIN_ACCURACY] = count_equal(predicted, labels[:samples]) / samples
        measured[TEST_ACCURACY] = count_equal(predicted[samples:], labels[samples:]) / test_samples
        best[0] = max(best[0], measured[TRAIN_ACCURACY])
        best[1] = max(best[1], measured[TEST_ACCURACY])
        if first_steps[TRAIN_STEP] < 0 and measured[TRAIN_ACCURACY] >= thresholds[0]:
            first_steps[TRAIN_STEP] = update
        if first_steps[TEST_STEP] < 0 and measured[TEST_ACCURACY] >= thresholds[1]:
            first_steps[TEST_STEP] = update

        # RQI costs time: every update until it is first crossed, then only where it is asked for.
        is_recorded = next_record < record_at.size and record_at[next_record] == update
        if first_steps[RQI_STEP] < 0 or is_recorded:
            measured[RQI] = measure_rqi(embeddings, parallelograms, side, thresholds[3])
            if first_steps[RQI_STEP] < 0 and measured[RQI] > thresholds[2]:
                first_steps[RQI_STEP] = update
        if is_recorded:
            recorded[next_record] = measured
            recorded_embeddings[next_record] = embeddings
            next_record += 1

        knows_accuracies = first_steps[TRAIN_STEP] >= 0 and first_steps[TEST_STEP] >= 0
        stops = (stop_when == STOP_ACCURACIES and knows_accuracies) or (
            stop_when == STOP_ALL and knows_accuracies and first_steps[RQI_STEP] >= 0
        )
        if stops or update == steps:
            measured[RQI] = measure_rqi(embeddings, parallelograms, side, thresholds[3])
            return (STOPPED if stops else FINISHED), update

        # Make update k + 1.
        backward(parameters, (x, h1, h2), sample_major, samples, d_out, d_hidden, d_x, gradients)
        combine_backward(
            embeddings, d_x[:inputs, :samples], train[0], train[1], side, embedding_gradient
        )
        if embedding_rates[2] > 0.0:
            add_penalty(embeddings, embedding_rates[2], embedding_gradient)
        update += 1
        embeddings_finite = adamw(
            embeddings.reshape(-1),
            embedding_gradient.reshape(-1),
            embedding_moments,
            update,
            embedding_rates[0],
            embedding_rates[1],
            epsilon,
        )
        decoder_finite = adamw(
            decoder, gradient, decoder_moments, update, decoder_rates[0], decoder_rates[1], epsilon
        )
        if not (embeddings_finite and decoder_finite):
            measured[:] = np.nan
            return DIVERGED, update
    return RUNNING, update


@kernel
def measure_rqi(
    embeddings: Array,
    parallelograms: tuple[Indices, Indices, Indices],
    side: int,
    threshold: float,
) -> float:
    """Return the RQI of float32 embeddings, computed in float64; NaN where it is not defined."""
    left, right, class_starts = parallelograms
    return quality_index(embeddings.astype(np.float64), left, right, class_starts, side, threshold)
