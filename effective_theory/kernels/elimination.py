"""Exact null space of the parallelogram equations, one training sample after another.

Numbers are integers modulo a prime, so that a zero is a zero: no tolerance decides a rank.
"""

import numpy as np
from numpy.typing import NDArray

from effective_theory.kernels.compilation import kernel

Indices = NDArray[np.int64]
Residues = NDArray[np.int32]

#: The Mersenne prime 2^31 - 1: a product of two residues fits an int64, a remainder needs no
#: division. A rank modulo a prime is never too large, and too small only if the prime divides a
#: minor. Rows have norm at most sqrt(6), so that no minor reaches the prime for p <= 25; above, the
#: chance is about one in 2e9 for each equation that decides.
PRIME = 2**31 - 1


@kernel
def remainder(number: int) -> int:
    """Return ``number`` modulo the prime, for 0 <= number < 2^62."""
    number = (number & PRIME) + (number >> 31)
    number = (number & PRIME) + (number >> 31)
    return number - PRIME if number >= PRIME else number


@kernel
def inverse(number: int) -> int:
    """Return 1 / number modulo the prime, that is number^(prime - 2) (Fermat)."""
    result, power, exponent = 1, number, PRIME - 2
    while exponent > 0:
        if exponent & 1:
            result = remainder(result * power)
        power = remainder(power * power)
        exponent >>= 1
    return result


@kernel
def gap(vector: Residues, left: int, right: int, other_left: int, other_right: int) -> int:
    """Return v_left + v_right - v_other_left - v_other_right modulo the prime."""
    total = int(vector[left]) + int(vector[right])
    total -= int(vector[other_left]) + int(vector[other_right])
    return remainder(total + 2 * PRIME)


@kernel
def null_space(
    order: Indices,
    left: Indices,
    right: Indices,
    labels: Indices,
    symbols: int,
    classes: int,
    least: int,
) -> tuple[Residues, int]:
    """Return a basis of the embeddings that satisfy all parallelograms of the samples.

    The first sample of a label says what the label's sum is; each further one adds the equation
    that its own sum equals it. One basis vector that breaks the equation is used to mend the others
    and dropped. Samples are read until ``least`` vectors are left.

    Parameters
    ----------
    order
        Which samples are read, in this order.
    left, right, labels
        Symbols and label of every sample.
    symbols, classes
        Number of symbols p and of labels.
    least
        Dimension of the null space of all samples: for addition 2, the line.

    Returns
    -------
    basis : (n0, p)
        Independent vectors modulo the prime.
    read : int
        The number of samples that leave ``least`` vectors, if they do; else all of them.
    """
    basis = np.zeros((symbols, symbols), np.int32)
    weights = np.ones(symbols, np.int64)
    for symbol in range(symbols):
        basis[symbol, symbol] = 1
    free = symbols
    gaps = np.empty(symbols, np.int64)
    support = np.empty(symbols, np.int64)
    first = np.full(classes, -1, np.int64)
    if free <= least:
        return basis[:free], 0
    for read in range(order.size):
        sample = order[read]
        known = first[labels[sample]]
        if known < 0:
            first[labels[sample]] = sample
            continue
        pivot = -1
        for k in range(free):
            gaps[k] = gap(basis[k], left[sample], right[sample], left[known], right[known])
            # The sparsest vector costs least and keeps the others sparse.
            if gaps[k] != 0 and (pivot < 0 or weights[k] < weights[pivot]):
                pivot = k
        if pivot < 0:
            continue
        eliminate(basis, weights, gaps, free, pivot, support)
        free -= 1
        if free == least:
            return basis[:free], read + 1
    return basis[:free], order.size


@kernel
def eliminate(
    basis: Residues, weights: Indices, gaps: Indices, free: int, pivot: int, support: Indices
) -> None:
    """Close the gaps of the first ``free`` vectors with the pivot's; put the last in its place.

    ``weights`` holds the number of non-zeros of each vector, ``support`` is work space.
    """
    row = basis[pivot]
    size = 0
    for symbol in range(row.size):
        if row[symbol] != 0:
            support[size] = symbol
            size += 1
    scale = inverse(gaps[pivot])
    dense = 4 * size > row.size
    for k in range(free):
        if gaps[k] == 0 or k == pivot:
            continue
        factor = PRIME - remainder(gaps[k] * scale)
        if dense:
            add_multiple(basis[k], row, factor)
            weights[k] = count_nonzero(basis[k])
        else:
            for position in range(size):
                symbol = support[position]
                before = basis[k, symbol]
                after = remainder(int(before) + factor * int(row[symbol]))
                basis[k, symbol] = after
                weights[k] += int(after != 0) - int(before != 0)
    basis[pivot] = basis[free - 1]
    weights[pivot] = weights[free - 1]


@kernel
def add_multiple(vector: Residues, other: Residues, factor: int) -> None:
    """Add factor * other to the vector, modulo the prime."""
    for symbol in range(vector.size):
        vector[symbol] = remainder(int(vector[symbol]) + factor * int(other[symbol]))


@kernel
def count_nonzero(vector: Residues) -> int:
    """Return the number of non-zeros."""
    count = 0
    for symbol in range(vector.size):
        count += vector[symbol] != 0
    return count


@kernel
def critical_sizes(
    orders: Indices,
    left: Indices,
    right: Indices,
    labels: Indices,
    symbols: int,
    classes: int,
    least: int,
) -> Indices:
    """Return for each order how many of its samples it takes until ``least`` vectors are left.

    ``orders`` holds permutations of all samples, shape (orders, N).
    """
    sizes = np.empty(orders.shape[0], np.int64)
    for row in range(orders.shape[0]):
        sizes[row] = null_space(orders[row], left, right, labels, symbols, classes, least)[1]
    return sizes


@kernel
def are_implied(
    basis: Residues, left: Indices, right: Indices, other_left: Indices, other_right: Indices
) -> NDArray[np.bool_]:
    """Return which parallelograms {(left, right), (other_left, other_right)} the basis closes."""
    implied = np.ones(left.size, np.bool_)
    for k in range(left.size):
        for vector in range(basis.shape[0]):
            gap_k = gap(basis[vector], left[k], right[k], other_left[k], other_right[k])
            if gap_k != 0:
                implied[k] = False
                break
    return implied
