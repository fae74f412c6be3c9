import itertools
import json

import numpy as np
import pytest

from effective_theory import (
    Dataset,
    FiniteGroup,
    InputError,
    ToyModel,
    critical_fraction,
    critical_training_sizes,
    degrees_of_freedom,
    permutation_group,
    predicted_accuracy,
    rqi,
    train,
    unique_line_probability,
)
from effective_theory.critical_size.equations import critical_equations
from effective_theory.kernels import elimination
from effective_theory.task_registry import task_from_configuration
from tests.effective_theory import enumeration


def cyclic(order):
    return FiniteGroup([[(a + b) % order for b in range(order)] for a in range(order)])


def test_permutations_are_composed_first_factor_first() -> None:
    group = permutation_group(3)
    elements = list(itertools.permutations(range(3)))
    assert (group.size, group.symbols, group.classes) == (36, 6, 6)
    assert group.pairs.tolist() == [[a, b] for a in range(6) for b in range(6)]
    for (a, b), label in zip(group.pairs, group.labels, strict=True):
        assert elements[label] == tuple(elements[b][x] for x in elements[a])


def test_a_group_is_stored_and_compared_by_its_table() -> None:
    group = permutation_group(3)
    stored = json.loads(json.dumps(group.configuration()))
    assert task_from_configuration(stored) == group != cyclic(6)
    assert hash(group) == hash(permutation_group(3))
    assert repr(group) == "FiniteGroup(order 6)"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([], "square"),
        (3, "square"),
        ([[0, 1]], "square"),
        ([[0, 1], [1]], "square"),
        ([[0.0]], "integers"),
        ([[0, 1], [0, 1]], "once in every row and column"),
        ([[0, 2], [2, 0]], "each element 0 to 1"),
        # Subtraction modulo 3: a Latin square that is not associative.
        ([[0, 2, 1], [1, 0, 2], [2, 1, 0]], "associative"),
    ],
)
def test_tables_of_no_group_are_refused(table, message) -> None:
    with pytest.raises(InputError, match=message):
        FiniteGroup(table)


def test_theory_of_the_line_and_embeddings_that_are_no_matrices_are_refused() -> None:
    group = permutation_group(3)
    with pytest.raises(InputError, match="use Addition"):
        degrees_of_freedom(Dataset.split(group, 24, rng=0))
    with pytest.raises(InputError, match="embedding_dim must be a square"):
        train(ToyModel(embedding_dim=8, steps=1), Dataset.split(group, 24, rng=0), rng=0)
    with pytest.raises(InputError, match="embedding_dim must be a square"):
        rqi(np.zeros((6, 8)), group)
    for n in (0, 6):
        with pytest.raises(InputError, match="n must be"):
            permutation_group(n)


def small_parallelograms(group, embeddings, side, threshold=0.5):
    """The generalised parallelograms of SPEC's definition, matrix by matrix."""
    matrices = np.asarray(embeddings, float).reshape(-1, side, side)
    matrices = matrices / np.sqrt(np.mean(matrices**2))
    return {
        (s, t)
        for s, t in enumeration.parallelograms(group, range(group.size))
        if np.mean(
            (
                matrices[group.pairs[s, 0]] @ matrices[group.pairs[s, 1]]
                - matrices[group.pairs[t, 0]] @ matrices[group.pairs[t, 1]]
            )
            ** 2
        )
        < threshold
    }


@pytest.mark.parametrize("noise", [0.05, 0.2, 0.5])
def test_parallelograms_of_a_group_agree_with_enumeration(noise: float) -> None:
    group, rng = permutation_group(3), np.random.default_rng(0)
    exact = np.array([np.eye(3)[list(e)] for e in itertools.permutations(range(3))])
    assert len(enumeration.parallelograms(group, range(36))) == 90
    assert rqi(exact.reshape(6, 9), group) == 1.0
    dataset = Dataset.split(group, 12, rng)
    embeddings = 7.0 * (exact + noise * rng.standard_normal(exact.shape)).reshape(6, 9)
    known = small_parallelograms(group, embeddings, 3)
    assert rqi(embeddings, group) == len(known) / 90
    reached = enumeration.closure(dataset, known)
    for on in ("all", "test"):
        expected = enumeration.accuracy(dataset, reached, on)
        assert predicted_accuracy(embeddings, dataset, on=on) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("same", [0.0, 2.0, np.nan])
def test_equal_matrices_have_no_quality(same: float) -> None:
    assert np.isnan(rqi(np.full((6, 4), same), permutation_group(3)))


def nullity(group, matrices, samples):
    """Free directions of E_a and C_s at the exact representation, by the SVD's rank."""
    size = matrices.shape[1]
    block, identity = size * size, np.eye(size)
    rows = []
    for sample in samples:
        (a, b), label = group.pairs[sample], group.labels[sample]
        row = np.zeros((block, 2 * group.symbols, block))
        row[:, a] += np.kron(identity, matrices[b].T)
        row[:, b] += np.kron(matrices[a], identity)
        row[:, group.symbols + label] -= np.identity(block)
        rows.append(row.reshape(block, -1))
    present = len(np.unique(group.labels[samples])) if len(samples) else 0
    rank = np.linalg.matrix_rank(np.vstack(rows)) if rows else 0
    return (group.symbols + present) * block - rank


def test_critical_size_of_permutations_is_where_their_matrices_are_locally_unique() -> None:
    group = permutation_group(3)
    elements = list(itertools.permutations(range(3)))
    # Their products with each other hold every irreducible representation of the group.
    matrices = np.array([np.eye(3)[list(element)] for element in elements])
    for (a, b), label in zip(group.pairs, group.labels, strict=True):
        assert (matrices[a] @ matrices[b] == matrices[label]).all()
    least = nullity(group, matrices, np.arange(36))
    equations = critical_equations(group)
    rng = np.random.default_rng(0)
    for _ in range(5):
        order = rng.permutation(36)
        free = [nullity(group, matrices, order[:size]) for size in range(37)]
        read = elimination.null_space(
            equations.in_order(order),
            equations.left,
            equations.right,
            equations.labels,
            equations.symbols,
            equations.classes,
            equations.least,
        )[1]
        assert -(-read // 6) == free.index(least)


def test_critical_fraction_of_the_permutations_of_three_things() -> None:
    group = permutation_group(3)
    sizes = critical_training_sizes(group, orders=2000, rng=0)
    assert critical_fraction(group, sizes).value == pytest.approx(0.345, abs=0.02)
    curve = unique_line_probability(group, [0, 36], orders=20, rng=0)
    assert curve.probability.tolist() == [0.0, 1.0]


def test_a_group_too_large_for_exact_ranks_is_refused() -> None:
    with pytest.raises(InputError, match="order 121 .* at most 120"):
        critical_training_sizes(cyclic(121), orders=1, rng=0)


def test_trivial_group() -> None:
    assert (critical_training_sizes(FiniteGroup([[0]]), orders=3, rng=0) == 0).all()
