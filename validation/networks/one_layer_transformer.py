"""Transformer B of Hu, Zhou and Yu: one layer without LayerNorm, read at "="."""

import math

import torch
from torch import Tensor, nn

from effective_theory import InputError
from effective_theory.checks import integer, shown
from validation.networks.heads import require_heads
from validation.networks.pair_network import Initialisation, PairNetwork


class OneLayerTransformer(PairNetwork):
    """One attention layer and one MLP on the tokens x, y and "=", without LayerNorm.

    Learned positions; heads of ``dimension / heads``; a ReLU layer of ``hidden`` units with biases.
    The logits are read at "=" (Hu, Zhou and Yu 2024, transformer B).

    Parameters
    ----------
    symbols, classes
        Numbers of symbols p and of labels.
    dimension
        Width d of the residual stream.
    heads
        Number of attention heads.
    hidden
        Units of the MLP.
    initialisation
        "fan_in", with which it groks as published: all weights N(0, 1/fan_in), embeddings
        N(0, 1/d), the unembedding N(0, 1/classes), positions and biases 0, so that at first (x, y)
        and (y, x) have the same logits. "torch": embeddings and positions N(0, 1), the rest as
        torch.nn.Linear begins.

    Raises
    ------
    InputError
        If symbols, classes, dimension, heads or hidden is no positive integer, dimension is no
        multiple of heads, or initialisation is unknown.
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
        initialisation: Initialisation = "fan_in",
    ) -> None:
        super().__init__(symbols, classes)
        require_heads(integer("dimension", dimension, 1), integer("heads", heads, 1))
        if initialisation not in ("fan_in", "torch"):
            raise InputError(
                f'initialisation must be "fan_in" or "torch", not {shown(initialisation)}.'
            )
        self.heads = heads
        #: Of the symbols, and in the last row of "=".
        self.embedding = nn.Embedding(symbols + 1, dimension)
        self.positions = nn.Parameter(torch.empty(3, dimension))
        self.query, self.key, self.value, self.attended = (
            nn.Linear(dimension, dimension, bias=False) for _ in range(4)
        )
        self.inner = nn.Linear(dimension, integer("hidden", hidden, 1))
        self.outer = nn.Linear(hidden, dimension)
        self.unembedding = nn.Linear(dimension, classes, bias=False)
        self._begin(initialisation)

    def extra_repr(self) -> str:
        """Return what its layers do not tell."""
        return f"heads={self.heads}"

    @torch.no_grad()
    def _begin(self, initialisation: Initialisation) -> None:
        if initialisation == "torch":
            self.positions.normal_()
            return
        self.embedding.weight.normal_(std=self.positions.shape[1] ** -0.5)
        self.positions.zero_()
        for layer in (self.query, self.key, self.value, self.attended, self.inner, self.outer):
            layer.weight.normal_(std=layer.in_features**-0.5)
        self.unembedding.weight.normal_(std=self.classes**-0.5)
        for layer in (self.inner, self.outer):
            layer.bias.zero_()

    @property
    def embeddings(self) -> Tensor:
        """The symbols' embeddings, without that of "="."""
        return self.embedding.weight[: self.symbols]

    def forward(self, pairs: Tensor) -> Tensor:
        """Return logits (n, classes) of pairs (n, 2)."""
        equals = torch.full((len(pairs), 1), self.symbols, device=pairs.device)
        tokens = torch.cat([pairs, equals], dim=1)
        stream = self.embedding(tokens) + self.positions  # (n, 3, d)
        queries, keys, values = (
            layer(stream).unflatten(2, (self.heads, -1)).transpose(1, 2)  # (n, heads, 3, d / heads)
            for layer in (self.query, self.key, self.value)
        )
        scores = queries @ keys.transpose(2, 3) / math.sqrt(queries.shape[3])
        # "=" stands last and sees all tokens: a causal mask would change nothing that is read.
        mixed = (scores.softmax(dim=3) @ values).transpose(1, 2).flatten(2)
        stream = stream + self.attended(mixed)
        stream = stream + self.outer(self.inner(stream).relu())
        logits: Tensor = self.unembedding(stream[:, 2])
        return logits

    def folded(self, pairs: Tensor) -> Tensor:
        """Return the same logits from 2 p + 1 rows of keys and values and the one query of "=".

        What lies between attention and the MLP, and behind both, is linear: its products are made
        once for all pairs.
        """
        places = self.positions
        rows = torch.cat(
            [self.embeddings + places[0], self.embeddings + places[1], self._equals()]
        )  # x at its place, y at its place, "="
        query = self.query(rows[-1]).unflatten(0, (self.heads, -1))
        keys, values = (
            layer(rows).unflatten(1, (self.heads, -1)) for layer in (self.key, self.value)
        )
        scores = torch.einsum("rhc,hc->rh", keys, query) / math.sqrt(query.shape[1])
        p = self.symbols
        of_pair = torch.stack(
            [scores[pairs[:, 0]], scores[p + pairs[:, 1]], scores[-1:].expand(len(pairs), -1)]
        )
        weights = of_pair.softmax(dim=0).unsqueeze(3)  # (3, n, heads, 1)
        mixed = (
            weights[0] * values[pairs[:, 0]]
            + weights[1] * values[p + pairs[:, 1]]
            + weights[2] * values[-1]
        ).flatten(1)
        unembed, attended = self.unembedding.weight, self.attended.weight
        inner = nn.functional.linear(mixed, self.inner.weight @ attended, self.inner(rows[-1]))
        behind = unembed @ self.outer.bias + unembed @ rows[-1]
        logits = nn.functional.linear(mixed, unembed @ attended, behind)
        return logits + nn.functional.linear(inner.relu(), unembed @ self.outer.weight)

    def _equals(self) -> Tensor:
        """Return the stream at "=" before attention, (1, d)."""
        return (self.embedding.weight[-1] + self.positions[2]).unsqueeze(0)
