"""The regression head: all triples (a, b, c), of which some are for training."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from effective_theory import ModularOperation
from effective_theory.checks import fraction, integer, random_generator
from validation.networks.quadratic_network import QuadraticNetwork
from validation.training.losses import largest_entry

Regulariser = Literal["none", "decay", "l_inf"]


@dataclass(frozen=True)
class Triples:
    """Triples (a, b, c) with the target p 1[a + b = c mod p], some for training.

    Attributes
    ----------
    p
        Number of symbols; there are p^3 triples.
    train
        Which of them are for training, shape (p^2, p), pairs in the order of `ModularOperation`.
    """

    p: int
    train: NDArray[np.bool_]

    @classmethod
    def split(cls, p: int, share: float, seed: int) -> "Triples":
        """Draw a random share of all triples for training.

        Parameters
        ----------
        p
            Number of symbols, at least 2.
        share
            Training triples as a share of all, from 0 to 1.
        seed
            Seed of the draw.
        """
        p, share = integer("p", p, 2), fraction("share", share)
        order = random_generator(seed, "seed").permutation(p**3)
        train = np.zeros(p**3, bool)
        train[order[: round(share * p**3)]] = True
        return cls(p, train.reshape(p * p, p))

    @property
    def strict(self) -> NDArray[np.bool_]:
        """The unseen triples whose mirror (b, a, c) is not for training either."""
        grid = self.train.reshape(self.p, self.p, self.p)
        return np.asarray(~(grid | grid.transpose(1, 0, 2)).reshape(self.train.shape))


@dataclass(frozen=True, eq=False)
class RegressionRun:
    """Losses of a training, as shares of the zero predictor's, which is p.

    Attributes
    ----------
    updates
        Completed updates at the evaluations, shape (evaluations,).
    train, unseen, strict
        Mean square errors divided by p, shape (evaluations,) each: on the training triples, on all
        others, and on those of them whose mirror is unseen, too.
    """

    updates: NDArray[np.int64]
    train: NDArray[np.float64]
    unseen: NDArray[np.float64]
    strict: NDArray[np.float64]


def train_on_triples(
    network: QuadraticNetwork,
    triples: Triples,
    *,
    lr: float,
    updates: int,
    optimiser: Literal["adamw", "adam", "gd"] = "adamw",
    weight_decay: float = 0.0,
    l_inf_penalty: float = 0.0,
    evaluate_every: int = 100,
) -> RegressionRun:
    """Train a network on triples, in place: full batch, mean square error.

    Parameters
    ----------
    network
        f, with p classes: f_c(a, b) is its answer to (a, b, c).
    triples
        What it is trained on.
    lr
        Learning rate.
    updates
        Budget, in updates.
    optimiser
        "adamw", "adam" or "gd", plain gradient descent; the first two with torch's other defaults.
    weight_decay
        Decoupled weight decay of "adamw"; the others have none.
    l_inf_penalty
        Weight of the largest absolute value of all weights.
    evaluate_every
        Updates between two evaluations.

    Returns
    -------
    RegressionRun
        The losses at the evaluations.
    """
    task = ModularOperation("x+y", triples.p)
    dtype = network.first.weight.dtype
    pairs = torch.tensor(task.pairs)
    target = triples.p * torch.eye(triples.p, dtype=dtype)[torch.tensor(task.labels)]
    train, strict = torch.tensor(triples.train), torch.tensor(triples.strict)
    weights = list(network.parameters())
    made: torch.optim.Optimizer
    if optimiser == "gd":
        made = torch.optim.SGD(weights, lr=lr)
    elif optimiser == "adam":
        made = torch.optim.Adam(weights, lr=lr)
    else:
        made = torch.optim.AdamW(weights, lr=lr, weight_decay=weight_decay)
    found = []
    for number in range(updates + 1):
        made.zero_grad()
        errors = (network.folded(pairs) - target).square()
        loss = errors[train].mean()
        if number % evaluate_every == 0:
            parts = (loss.detach(), *(errors.detach()[each].mean() for each in (~train, strict)))
            found.append((number, *(float(part) / triples.p for part in parts)))
        if number == updates:
            break
        if l_inf_penalty:
            loss = loss + l_inf_penalty * largest_entry(weights)
        loss.backward()  # type: ignore[no-untyped-call]
        made.step()
    table = np.array(found)
    return RegressionRun(table[:, 0].astype(np.int64), *table[:, 1:].T)
