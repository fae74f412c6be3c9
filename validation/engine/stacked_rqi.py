"""RQI of stacked embeddings, in float64."""

import math

import numpy as np
import torch
from torch import Tensor

from effective_theory import BinaryOperation


def combined(left: Tensor, right: Tensor, side: int) -> Tensor:
    """Return E_left + E_right, or for matrices of a ``side`` the products; (cells, samples, d)."""
    if side == 0:
        return left + right
    matrices = (*left.shape[:2], side, side)
    return (left.view(matrices) @ right.view(matrices)).flatten(2)


class StackedRqi:
    """Share of the possible parallelograms that are small under each cell's embeddings.

    Parameters
    ----------
    task
        The task.
    embedding_dim
        Dimension d of the embeddings.
    device
        Where the embeddings lie.
    """

    def __init__(self, task: BinaryOperation, embedding_dim: int, device: torch.device) -> None:
        self.threshold, self.side = task.residual_threshold, task.matrix_side(embedding_dim)
        if self.threshold is None:
            return
        a, b = np.triu_indices(task.size, 1)
        same = task.labels[a] == task.labels[b]
        columns = (*task.pairs.T, a[same], b[same])
        self._left, self._right, self._first, self._second = (
            torch.tensor(column, device=device) for column in columns
        )

    def __call__(self, embeddings: Tensor) -> Tensor:
        """Return the RQI of embeddings (cells, p, d), (cells,); NaN where it is not defined."""
        if self.threshold is None:
            return embeddings.new_full((len(embeddings),), math.nan, dtype=torch.float64)
        normal, exists = self._normal(embeddings.double())
        sums = combined(
            normal.index_select(1, self._left), normal.index_select(1, self._right), self.side
        )
        residuals = sums.index_select(1, self._first) - sums.index_select(1, self._second)
        is_small = residuals.square().sum(dim=2) < self.threshold * residuals.shape[2]
        share = is_small.sum(dim=1, dtype=torch.float64) / is_small.shape[1]
        return share.masked_fill(~exists, math.nan)

    def _normal(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Return standardised vectors, or matrices of common root mean square 1, and if they exist.

        They do not where symbols do not differ or a number is not finite.
        """
        differ = (values.amax(dim=1) > values.amin(dim=1))[:, None]
        if self.side > 0:
            scale = values.square().mean(dim=(1, 2), keepdim=True).sqrt()
            exists = differ.any(dim=2) & ((scale > 0.0) & (scale < math.inf))[:, :, 0]
            return values / scale, exists[:, 0]
        centred = values - values.mean(dim=1, keepdim=True)
        scale = (centred.square().sum(dim=1, keepdim=True) / (values.shape[1] - 1)).sqrt()
        exists = (differ & (scale > 0.0) & (scale < math.inf)).all(dim=2)
        return centred / scale, exists[:, 0]
