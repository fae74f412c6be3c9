"""Where phases meet: the rule by which a grid of labels is refined, on plain arrays.

A block is the box between neighbouring points of a lattice, borders included. A block with measured
labels that disagree is *split*, and so are the blocks around it (the margin): the lattice of half
the spacing is measured in it. That is done on every lattice from the coarse one to single cells,
and again whenever a new label brings a new disagreement, so that a boundary is followed wherever it
goes. The last halving, to single cells, has no margin: it could only find single cells, and would
take half of all runs. What is measured never depends on the order of runs: a further label can only
add to what is wanted, so the rule has one least result.
"""

from itertools import product

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Labels = NDArray[np.integer]
Mask = NDArray[np.bool_]
Spacing = tuple[int, ...]

#: Label of a cell that was not measured; all others are greater.
UNKNOWN = -1


def spacings(factors: Spacing) -> list[Spacing]:
    """Return the spacings of the lattices in fine cells, from the coarse one to single cells.

    Examples
    --------
    >>> spacings((4, 2))
    [(4, 2), (2, 1), (1, 1)]
    """
    spacings = [tuple(factors)]
    while max(spacings[-1]) > 1:
        spacings.append(tuple(max(1, spacing // 2) for spacing in spacings[-1]))
    return spacings


def wanted(labels: Labels, factors: Spacing) -> Mask:
    """Return which cells the rule wants to be measured, as far as the labels say.

    Parameters
    ----------
    labels
        Labels of the measured cells, UNKNOWN elsewhere. Each length is a multiple of the axis'
        factor, plus 1.
    factors
        Powers of two: fine cells in each step of the coarse lattice.
    """
    # Its import changes the warning filters, which is not for an import of ours to do.
    from scipy import ndimage

    mask = np.zeros(labels.shape, bool)
    mask[tuple(slice(None, None, factor) for factor in factors)] = True
    lattices = spacings(factors)
    for spacing, half in zip(lattices[:-1], lattices[1:], strict=True):
        low, high = _extremes(labels, spacing)
        split = low < high
        if max(half) > 1:
            split = ndimage.binary_dilation(split, np.ones((3,) * labels.ndim, bool))
        for corner in product(*(range(0, s + 1, h) for s, h in zip(spacing, half, strict=True))):
            mask[_points(corner, spacing, split.shape)] |= split
    return mask


def filled(labels: Labels, factors: Spacing) -> Labels:
    """Return the labels with those of the cells between agreeing measured ones filled in.

    A cell takes the label of a block around it whose corners were all measured, if all measured
    labels in that block agree; otherwise it stays UNKNOWN. Two such blocks share a measured corner,
    or one lies in the other: they say the same.
    """
    inferred = np.full_like(labels, UNKNOWN)
    for spacing in spacings(factors):
        low, high = _extremes(labels, spacing)
        corners = [
            labels[_points(corner, spacing, low.shape)] != UNKNOWN
            for corner in product(*((0, s) for s in spacing))
        ]
        agree = np.logical_and.reduce(corners) & (low == high)
        for inner in product(*(range(s + 1) for s in spacing)):
            points = _points(inner, spacing, low.shape)
            inferred[points] = np.where(agree, high, inferred[points])
    return np.where(labels != UNKNOWN, labels, inferred)


def _extremes(labels: Labels, spacing: Spacing) -> tuple[Labels, Labels]:
    """Return the least and the greatest measured label of each block, borders included."""
    box = tuple(s + 1 for s in spacing)
    steps = tuple(slice(None, None, s) for s in spacing)
    inside = tuple(range(-labels.ndim, 0))
    filled = np.where(labels == UNKNOWN, np.iinfo(labels.dtype).max, labels)
    low = sliding_window_view(filled, box)[steps].min(axis=inside)
    high = sliding_window_view(labels, box)[steps].max(axis=inside)
    return low, high


def _points(offset: Spacing, spacing: Spacing, blocks: tuple[int, ...]) -> tuple[slice, ...]:
    """Return the cells at this offset from the lowest corner of each block."""
    return tuple(
        slice(o, o + (n - 1) * s + 1, s) for o, s, n in zip(offset, spacing, blocks, strict=True)
    )
