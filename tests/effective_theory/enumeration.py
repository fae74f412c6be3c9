"""The definitions of the theory, spelled out: every parallelogram listed, every rank a float SVD.

Slow and independent of the package's fast paths, which it is the oracle of.
"""

import itertools

import numpy as np


def parallelograms(task, samples):
    """P0 of some samples: unordered pairs of different samples with the same label."""
    return [
        (a, b)
        for a, b in itertools.combinations([int(s) for s in samples], 2)
        if task.labels[a] == task.labels[b]
    ]


def equation(task, parallelogram):
    row = np.zeros(task.symbols)
    for sample, sign in zip(parallelogram, (1.0, -1.0), strict=True):
        for symbol in task.pairs[sample]:
            row[symbol] += sign
    return row


def matrix(task, samples):
    """A(P0), one row for each parallelogram."""
    rows = [equation(task, q) for q in parallelograms(task, samples)]
    return np.array(rows).reshape(-1, task.symbols)


def rank(rows):
    return int(np.linalg.matrix_rank(rows)) if rows.size else 0


def degrees_of_freedom(dataset):
    return dataset.task.symbols - rank(matrix(dataset.task, dataset.train))


def implied(dataset):
    """P(D): P0(D) and each parallelogram of P0 whose equation does not raise the rank."""
    task = dataset.task
    rows = matrix(task, dataset.train)
    base = rank(rows)
    return {
        q
        for q in parallelograms(task, range(task.size))
        if rank(np.vstack([rows, equation(task, q)])) == base
    }


def closure(dataset, known_parallelograms):
    """Dbar(D, P): D and every sample that forms a parallelogram of P with a sample of D."""
    train = {int(sample) for sample in dataset.train}
    reached = set(train)
    for a, b in known_parallelograms:
        if a in train or b in train:
            reached |= {a, b}
    return reached


def accuracy(dataset, reached, on):
    chosen = range(dataset.task.size) if on == "all" else dataset.test.tolist()
    return sum(sample in reached for sample in chosen) / len(chosen) if len(chosen) else np.nan


def standardised(embeddings):
    embeddings = np.asarray(embeddings, float)
    return (embeddings - embeddings.mean(axis=0)) / embeddings.std(axis=0, ddof=1)


def small(task, embeddings, samples, threshold=0.01):
    """The parallelograms with a mean square residual below the threshold."""
    standard = standardised(embeddings)
    return {
        q
        for q in parallelograms(task, samples)
        if np.mean((equation(task, q) @ standard) ** 2) < threshold
    }


def summed_loss(task, embeddings, samples):
    return sum(
        float(((equation(task, q) @ embeddings) ** 2).sum()) for q in parallelograms(task, samples)
    )
