"""The transformer of Liu et al. (2022), section 4.2: two tokens, no positions."""

import math

import torch
from torch import Tensor, nn

from effective_theory.checks import integer, non_negative
from validation.networks.pair_network import PairNetwork


class LiuTransformer(PairNetwork):
    """Pre-norm encoder layers with one head on the tokens x and y; their outputs are concatenated.

    No operator token, no positions, no mask (Liu et al. 2022, section 4.2). Weights begin as
    torch.nn.TransformerEncoderLayer does, embeddings as N(0, ``embedding_scale``^2).

    Parameters
    ----------
    symbols, classes
        As for every network on pairs.
    dimension
        Width d of embeddings and stream.
    hidden
        Units of each layer's MLP.
    layers
        Number of encoder layers.
    dropout
        Dropout probability of torch's encoder layers.
    embedding_scale
        Standard deviation of the initial embeddings.
    """

    has_fold = True

    def __init__(
        self,
        symbols: int,
        classes: int,
        *,
        dimension: int = 256,
        hidden: int = 256,
        layers: int = 2,
        dropout: float = 0.0,
        embedding_scale: float = 1.0,
    ) -> None:
        super().__init__(symbols, classes)
        self.embedding = nn.Embedding(symbols, integer("dimension", dimension, 1))
        with torch.no_grad():
            self.embedding.weight.mul_(non_negative("embedding_scale", embedding_scale))
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                dimension, 1, hidden, dropout, batch_first=True, norm_first=True
            )
            for _ in range(integer("layers", layers, 1))
        )
        self.output = nn.Linear(2 * dimension, classes)

    @property
    def embeddings(self) -> Tensor:
        """The symbols' embeddings."""
        return self.embedding.weight

    def forward(self, pairs: Tensor) -> Tensor:
        """Return logits (n, classes) of pairs (n, 2)."""
        stream = self.embedding(pairs)  # (n, 2, d)
        for layer in self.layers:
            stream = layer(stream)
        logits: Tensor = self.output(stream.flatten(1))
        return logits

    def folded(self, pairs: Tensor) -> Tensor:
        """Return the same logits from one grid of states.

        Without positions the state of x beside y is that of the second token in (y, x): the p^2
        states serve both tokens of all pairs. Of few pairs it is the plain pass that costs less.
        """
        p = self.symbols
        if 2 * len(pairs) < p * p:
            return self.forward(pairs)
        # grid[x, y]: the state of x where the other token is y.
        grid = self.embedding.weight.unsqueeze(1).expand(p, p, -1)
        for depth, layer in enumerate(self.layers):
            grid = _on_grid(layer, grid, is_first=depth == 0)
        left, right = self.output.weight.chunk(2, dim=1)
        grids = grid @ left.T + (grid @ right.T).transpose(0, 1)
        return grids[pairs[:, 0], pairs[:, 1]] + self.output.bias


def _on_grid(layer: nn.Module, grid: Tensor, *, is_first: bool) -> Tensor:
    """Return the grid of states (p, p, d) behind an encoder layer.

    Before the first layer the state of x is the same beside every y, so that its queries, keys and
    values are made once.
    """
    assert isinstance(layer, nn.TransformerEncoderLayer)
    attention = layer.self_attn
    states = grid[:, :1] if is_first else grid
    rows = nn.functional.linear(
        layer.norm1(states), attention.in_proj_weight, attention.in_proj_bias
    )
    queries, keys, values = rows.chunk(3, dim=2)
    other_keys, other_values = keys.transpose(0, 1), values.transpose(0, 1)
    own = (queries * keys).sum(dim=2)
    if is_first:
        other = queries[:, 0] @ keys[:, 0].T
    else:
        other = (queries * other_keys).sum(dim=2)
    # A softmax over two scores.
    share = torch.sigmoid((other - own) / math.sqrt(grid.shape[2])).unsqueeze(2)
    mixed = values + share * (other_values - values)
    grid = grid + attention.out_proj(mixed)
    inner = layer.linear1(layer.norm2(grid)).relu()
    added: Tensor = layer.linear2(inner)
    return grid + added
