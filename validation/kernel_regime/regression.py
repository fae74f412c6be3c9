"""The regression head: all triples (a, b, c), of which some are for training."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from effective_theory import InputError, ModularOperation
from effective_theory.checks import fraction, integer, non_negative, of_type, random_generator
from validation.networks.quadratic_network import QuadraticNetwork
from validation.training.losses import largest_entry

Optimiser = Literal["adamw", "adam", "gd"]


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
        """Return a random share of all triples for training.

        Parameters
        ----------
        p
            Number of symbols, at least 2.
        share
            Of the p^3 triples, 0 to 1; at least one triple is for training.
        seed
            Of the draw.

        Raises
        ------
        InputError
            If an argument is out of its range.
        """
        p, share = integer("p", p, 2), fraction("share", share)
        count = round(share * p**3)
        if count == 0:
            raise InputError(f"share {share:g} leaves no triple for training; give a larger one.")
        order = random_generator(seed, "seed").permutation(p**3)
        train = np.zeros(p**3, bool)
        train[order[:count]] = True
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
        Completed updates at each evaluation, shape (evaluations,).
    train, unseen, strict
        Mean square errors over p, shape (evaluations,): on the training triples, on all others, and
        on those of them whose mirror is unseen, too.
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
    optimiser: Optimiser = "adamw",
    weight_decay: float = 0.0,
    l_inf_penalty: float = 0.0,
    evaluate_every: int = 100,
) -> RegressionRun:
    """Train a network on triples, in place: full batch, mean square error.

    Parameters
    ----------
    network
        f, of p symbols and classes, on the CPU: f_c(a, b) is its answer to (a, b, c).
    triples
        What it is trained on.
    lr
        Learning rate.
    updates
        Number of updates.
    optimiser
        "adamw" or "adam", with torch's other defaults, or "gd", plain gradient descent, as in
        Mohamadi et al. (2024).
    weight_decay
        Decoupled weight decay of AdamW; "adam" and "gd" have none.
    l_inf_penalty
        Factor on the largest absolute value of all weights, which is added to the loss.
    evaluate_every
        Updates between two evaluations; the first is at update 0, the last at the end.

    Returns
    -------
    RegressionRun
        Losses without the penalty.

    Raises
    ------
    InputError
        If the network is of another p, or an argument is out of its range or of another type.
    """
    of_type("network", network, QuadraticNetwork, "a QuadraticNetwork")
    of_type("triples", triples, Triples, "Triples such as Triples.split() returns")
    if (network.symbols, network.classes) != (triples.p, triples.p):
        raise InputError(
            f"network has {network.symbols} symbols and {network.classes} classes, triples have "
            f"{triples.p} of both."
        )
    if optimiser not in get_args(Optimiser):
        raise InputError(f"optimiser must be one of {get_args(Optimiser)}, not {optimiser!r}.")
    lr, weight_decay = non_negative("lr", lr), non_negative("weight_decay", weight_decay)
    l_inf_penalty = non_negative("l_inf_penalty", l_inf_penalty)
    updates = integer("updates", updates, 0)
    evaluate_every = integer("evaluate_every", evaluate_every, 1)
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
        if number % evaluate_every == 0 or number == updates:
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
