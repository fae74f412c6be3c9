"""How weights are updated: optimiser, rates, noise; the published settings by name."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from effective_theory import InputError
from effective_theory.checks import fraction, integer, non_negative, of_type, shown
from validation.networks.pair_network import PairNetwork

Optimiser = Literal["adamw", "adam", "sgd"]
#: Returns the loss that is to be differentiated.
Loss = Callable[[], Tensor]


@dataclass(frozen=True)
class Optimisation:
    """How weights are updated; one update is one step of the optimiser.

    Parameters
    ----------
    optimiser
        "adamw", whose weight decay is decoupled, "adam" or "sgd", which add it to the gradient.
    lr, weight_decay
        Learning rate, and weight decay; of all weights but for the next two.
    embedding_lr, embedding_weight_decay
        Those of the symbols' embeddings; None for the same.
    betas, epsilon
        Of Adam and AdamW.
    momentum
        Of SGD.
    warm_up
        Updates in which the learning rates rise to their values, linearly.
    batch_size
        Training samples of an update; None for all.
    update_noise
        Standard deviation of what is added to each number of the update's direction.
    weight_noise
        Standard deviation of what is added to each weight while the gradient is taken.
    orthogonal_gradient
        Whether each gradient is projected orthogonal to its weights, its length kept, so that no
        update goes where logits only grow (Prieto et al. 2025).

    Raises
    ------
    InputError
        If a field is out of its range.
    """

    optimiser: Optimiser = "adamw"
    lr: float = 1e-3
    weight_decay: float = 0.0
    embedding_lr: float | None = None
    embedding_weight_decay: float | None = None
    betas: tuple[float, float] = (0.9, 0.98)
    epsilon: float = 1e-8
    momentum: float = 0.0
    warm_up: int = 0
    batch_size: int | None = None
    update_noise: float = 0.0
    weight_noise: float = 0.0
    orthogonal_gradient: bool = False

    def __post_init__(self) -> None:
        def settle(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)

        if not isinstance(self.optimiser, str) or self.optimiser not in get_args(Optimiser):
            raise InputError(
                f"optimiser must be one of {get_args(Optimiser)}, not {shown(self.optimiser)}."
            )
        rates = ("lr", "weight_decay", "epsilon", "update_noise", "weight_noise")
        for name in (*rates, "embedding_lr", "embedding_weight_decay"):
            if getattr(self, name) is not None or name in rates:
                settle(name, non_negative(name, getattr(self, name)))
        if not isinstance(self.betas, tuple) or len(self.betas) != 2:
            raise InputError(f"betas must be a pair such as (0.9, 0.98), not {shown(self.betas)}.")
        for name, value in (("betas", self.betas[0]), ("betas", self.betas[1])):
            if fraction(name, value) == 1:
                raise InputError("betas must be below 1.")
        if self.momentum:
            settle("momentum", fraction("momentum", self.momentum))
        settle("warm_up", integer("warm_up", self.warm_up, 0))
        if self.batch_size is not None:
            settle("batch_size", integer("batch_size", self.batch_size, 1))
        of_type("orthogonal_gradient", self.orthogonal_gradient, bool, "True or False")

    @property
    def is_random(self) -> bool:
        """Whether an update draws numbers besides the batch."""
        return self.update_noise > 0 or self.weight_noise > 0

    def warmth(self, update: int) -> float:
        """Return the factor on the learning rates in the update with that number, from 0."""
        return min(1.0, (update + 1) / self.warm_up) if self.warm_up else 1.0


class Updates:
    """The updates of a network's weights under an `Optimisation`.

    Parameters
    ----------
    network
        What is trained.
    optimisation
        How.
    """

    def __init__(self, network: PairNetwork, optimisation: Optimisation) -> None:
        self._chosen = optimisation
        self.parameters = list(network.parameters())
        own, chosen = list(network.embedding_parameters()), optimisation
        rates = [
            (list(network.decoder_parameters()), chosen.lr, chosen.weight_decay),
            (own, _either(chosen.embedding_lr, chosen.lr),
             _either(chosen.embedding_weight_decay, chosen.weight_decay)),
        ]  # fmt: skip
        groups = [
            {"params": some, "lr": lr, "weight_decay": decay} for some, lr, decay in rates if some
        ]
        self._rates = [float(group["lr"]) for group in groups]  # type: ignore[arg-type]
        self.optimiser = _made(groups, chosen)

    def step(self, number: int, loss: Loss, generator: torch.Generator | None) -> Tensor:
        """Make the update of that number, from 0, and return its loss, detached.

        Parameters
        ----------
        number
            Of the update.
        loss
            Called with nothing, returns the loss to be differentiated.
        generator
            Draws noise, where there is any.
        """
        factor = self._chosen.warmth(number)
        for group, rate in zip(self.optimiser.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor
        value = self._differentiated(loss, generator)
        if self._chosen.orthogonal_gradient:
            for parameter in self.parameters:
                _project(parameter)
        self.optimiser.step()
        if self._chosen.update_noise:
            self._add_noise(generator)
        return value

    def _differentiated(self, loss: Loss, generator: torch.Generator | None) -> Tensor:
        self.optimiser.zero_grad(set_to_none=True)
        if not self._chosen.weight_noise:
            value = loss()
            value.backward()  # type: ignore[no-untyped-call]
            return value.detach()
        kept = [parameter.detach().clone() for parameter in self.parameters]
        with torch.no_grad():
            for parameter in self.parameters:
                parameter.add_(_drawn(parameter, generator), alpha=self._chosen.weight_noise)
        value = loss()
        value.backward()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            for parameter, before in zip(self.parameters, kept, strict=True):
                parameter.copy_(before)
        return value.detach()

    @torch.no_grad()
    def _add_noise(self, generator: torch.Generator | None) -> None:
        for group in self.optimiser.param_groups:
            for parameter in group["params"]:
                noise = _drawn(parameter, generator)
                parameter.add_(noise, alpha=-group["lr"] * self._chosen.update_noise)


def _either(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _made(groups: list[dict[str, Any]], chosen: Optimisation) -> torch.optim.Optimizer:
    """Return torch's optimiser for groups of parameters."""
    if chosen.optimiser == "sgd":
        return torch.optim.SGD(groups, lr=chosen.lr, momentum=chosen.momentum)
    kind = torch.optim.AdamW if chosen.optimiser == "adamw" else torch.optim.Adam
    return kind(groups, lr=chosen.lr, betas=chosen.betas, eps=chosen.epsilon, fused=True)


def _drawn(parameter: Tensor, generator: torch.Generator | None) -> Tensor:
    return torch.randn(
        parameter.shape, generator=generator, device=parameter.device, dtype=parameter.dtype
    )


@torch.no_grad()
def _project(parameter: nn.Parameter) -> None:
    """Take the part along the weights out of a gradient, and give it back its length."""
    gradient = parameter.grad
    if gradient is None:
        return
    weights = parameter.detach()
    square = (weights * weights).sum()
    if not square > 0:
        return
    across = gradient - ((weights * gradient).sum() / square) * weights
    length = across.norm()
    if length > 0:
        gradient.copy_(across * (gradient.norm() / length))


def power_batch_size(train_size: int) -> int:
    """Return Power's batch size, min(512, ceil(n / 2)) (Power et al. 2022, appendix A.1.2)."""
    return min(512, math.ceil(integer("train_size", train_size, 1) / 2))


def published_optimisations(train_size: int) -> dict[str, Optimisation]:
    """Return the eight settings that Power and Hu compare, by name.

    Betas are (0.9, 0.98), ten updates warm up, and where nothing else is said a batch has
    `power_batch_size` samples.

    Parameters
    ----------
    train_size
        Number of training samples.
    """
    usual: dict[str, Any] = {"warm_up": 10, "batch_size": power_batch_size(train_size)}
    small = {**usual, "batch_size": min(128, train_size)}
    return {
        "adam-3e-4": Optimisation("adam", 3e-4, **usual),
        "adam-1e-3": Optimisation("adam", 1e-3, **usual),
        "adam-3e-3": Optimisation("adam", 3e-3, **usual),
        "adam-full-batch-noise": Optimisation(
            "adam", 1e-3, **{**usual, "batch_size": None}, update_noise=1.0
        ),
        "adam-weight-noise": Optimisation("adam", 1e-3, **usual, weight_noise=0.01),
        "adam-minibatch": Optimisation("adam", 1e-3, **small),
        "adamw": Optimisation("adamw", 1e-3, 1.0, **usual),
        "adamw-minibatch": Optimisation("adamw", 1e-3, 1.0, **small),
    }
