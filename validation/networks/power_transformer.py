"""The transformer of Power et al. (transformer A of Hu, Zhou and Yu)."""

import math
from typing import cast

import torch
from torch import Tensor, nn

from effective_theory.checks import fraction, integer
from validation.networks.heads import require_heads
from validation.networks.pair_network import PairNetwork


class PowerTransformer(PairNetwork):
    """A causal decoder of post-norm blocks on the tokens x, op, y, "=", read at "=".

    Linear layers without biases, LayerNorm with scale and shift, fixed sinusoidal positions, an
    output layer of its own (Power et al. 2022, appendix A.1.2). Weights begin as torch's modules
    do. With the defaults it has 393 216 parameters in attention and MLP.

    Parameters
    ----------
    symbols, classes
        Numbers of symbols p and of labels.
    dimension
        Width d of the residual stream, a multiple of twice ``heads``.
    heads
        Number of attention heads.
    hidden
        Units of each block's MLP.
    blocks
        Number of blocks.
    dropout
        Dropout probability behind attention and behind the MLP of each block.

    Raises
    ------
    InputError
        If symbols, classes, heads, hidden or blocks is no positive integer, dimension is no
        multiple of twice heads, or dropout no probability.
    """

    has_fold = True

    def __init__(
        self,
        symbols: int,
        classes: int,
        *,
        dimension: int = 128,
        heads: int = 4,
        hidden: int = 512,
        blocks: int = 2,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(symbols, classes)
        require_heads(integer("dimension", dimension, 2), integer("heads", heads, 1), numbers=2)
        hidden, dropout = integer("hidden", hidden, 1), fraction("dropout", dropout)
        #: Of the symbols, the operator and "=".
        self.embedding = nn.Embedding(symbols + 2, dimension)
        self.register_buffer("positions", sinusoidal_positions(4, dimension), persistent=False)
        self.blocks = nn.ModuleList(
            _Block(dimension, heads, hidden, dropout) for _ in range(integer("blocks", blocks, 1))
        )
        self.output = nn.Linear(dimension, classes, bias=False)

    @property
    def embeddings(self) -> Tensor:
        """The symbols' embeddings, without those of the operator and "="."""
        return self.embedding.weight[: self.symbols]

    def forward(self, pairs: Tensor) -> Tensor:
        """Return logits (n, classes) of pairs (n, 2)."""
        operator = torch.full_like(pairs[:, 0], self.symbols)
        tokens = torch.stack([pairs[:, 0], operator, pairs[:, 1], operator + 1], dim=1)
        stream = self.embedding(tokens) + self._places
        for block in self.blocks:
            stream = block(stream)
        logits: Tensor = self.output(stream[:, -1])
        return logits

    def folded(self, pairs: Tensor) -> Tensor:
        """Return the same logits with what depends on x alone made once for each x.

        Under the causal mask the states at x and at the operator are those of p different x; in
        the last block nothing but the query of "=" is asked for.
        """
        x, y = pairs.T
        extra = self.embedding.weight[self.symbols :] + self._places[1::2]
        first = self.embeddings + self._places[0]  # (p, d)
        operator = extra[0].expand_as(first)  # (p, d)
        second = self.embedding(y) + self._places[2]  # (n, d)
        equals = extra[1].expand_as(second)  # (n, d)
        states = [first, operator, second, equals]
        *before, last = (cast(_Block, block) for block in self.blocks)
        for block in before:
            states = block.at_each_place(states, x)
        logits: Tensor = self.output(last.at_last_place(states, x))
        return logits

    @property
    def _places(self) -> Tensor:
        positions = self.positions
        assert isinstance(positions, Tensor)
        return positions


class _Block(nn.Module):
    """Causal attention and an MLP, each added to what it reads and then normalised."""

    def __init__(self, dimension: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.attended = (
            nn.Linear(dimension, dimension, bias=False) for _ in range(4)
        )
        self.inner = nn.Linear(dimension, hidden, bias=False)
        self.outer = nn.Linear(hidden, dimension, bias=False)
        self.after_attention, self.after_mlp = nn.LayerNorm(dimension), nn.LayerNorm(dimension)
        self.dropout = nn.Dropout(dropout)

    def extra_repr(self) -> str:
        """Return what its layers do not tell."""
        return f"heads={self.heads}"

    def forward(self, stream: Tensor) -> Tensor:
        """Return the stream (n, places, d) behind the block."""
        queries, keys, values = (
            layer(stream).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        scores = queries @ keys.transpose(2, 3) / math.sqrt(queries.shape[3])
        later = torch.ones_like(scores[0, 0], dtype=torch.bool).triu(1)
        weights = scores.masked_fill(later, -math.inf).softmax(dim=3)
        return self._behind(stream, (weights @ values).transpose(1, 2).flatten(2))

    def _behind(self, stream: Tensor, mixed: Tensor) -> Tensor:
        """Return the stream behind attention, which mixed values, and the MLP."""
        stream = self.after_attention(stream + self.dropout(self.attended(mixed)))
        added = self.dropout(self.outer(self.inner(stream).relu()))
        behind: Tensor = self.after_mlp(stream + added)
        return behind

    def at_each_place(self, states: list[Tensor], x: Tensor) -> list[Tensor]:
        """Return the states behind the block: of each x, of each x, of each pair, of each pair."""
        keys, values = self._keys_and_values(states)
        mixed = [
            self._mixed(states[0], keys[:1], values[:1]),
            self._mixed(states[1], keys[:2], values[:2]),
        ]
        of_pair = [[keys[0][x], keys[1][x], *keys[2:]], [values[0][x], values[1][x], *values[2:]]]
        mixed += [self._mixed(states[2], of_pair[0][:3], of_pair[1][:3])]
        mixed += [self._mixed(states[3], *of_pair)]
        return [self._behind(state, new) for state, new in zip(states, mixed, strict=True)]

    def at_last_place(self, states: list[Tensor], x: Tensor) -> Tensor:
        """Return the state of "=" behind the block, (n, d)."""
        keys, values = self._keys_and_values(states)
        of_pair = [[table[0][x], table[1][x], *table[2:]] for table in (keys, values)]
        return self._behind(states[3], self._mixed(states[3], *of_pair))

    def _keys_and_values(self, states: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Return keys and values at each place, each (rows, heads, d / heads)."""
        keys, values = (
            [layer(state).unflatten(1, (self.heads, -1)) for state in states]
            for layer in (self.key, self.value)
        )
        return keys, values

    def _mixed(self, state: Tensor, keys: list[Tensor], values: list[Tensor]) -> Tensor:
        """Return what a place reads from those up to it, (rows, d)."""
        query = self.query(state).unflatten(1, (self.heads, -1))
        scores = torch.stack([(query * key).sum(dim=2) for key in keys]) / math.sqrt(query.shape[2])
        weights = scores.softmax(dim=0).unsqueeze(3)
        parts = [weight * value for weight, value in zip(weights, values, strict=True)]
        return torch.stack(parts).sum(dim=0).flatten(1)


def sinusoidal_positions(places: int, dimension: int) -> Tensor:
    """Return sines and cosines of each place, shape (places, dimension); the dimension is even.

    In row k column 2 i is sin(k / 10000^(2 i / d)), column 2 i + 1 the cosine (Vaswani et al.
    2017).
    """
    angles = torch.arange(places, dtype=torch.float64).unsqueeze(1) * torch.exp(
        -math.log(10_000.0) * torch.arange(0, dimension, 2, dtype=torch.float64) / dimension
    )
    table = torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)
    return table.to(torch.get_default_dtype())
