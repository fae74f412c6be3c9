"""The updates of a network's weights, by torch's own optimisers."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from validation.networks.network import Network
from validation.training.optimisation import Optimisation
from validation.training.steepest_descent import NormalisedDescent, SignDescent

_STEEPEST = {"normalised_gd": NormalisedDescent, "sign": SignDescent}

#: Returns the loss that is to be differentiated.
Loss = Callable[[], Tensor]


class Updates:
    """The updates of a network's weights under an `Optimisation`.

    Parameters
    ----------
    network
        What is trained.
    optimisation
        How.
    """

    def __init__(self, network: Network, optimisation: Optimisation) -> None:
        self._chosen = optimisation
        self.parameters = list(network.parameters())
        own, chosen = list(network.representation_parameters()), optimisation
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
    if chosen.optimiser in _STEEPEST:
        return _STEEPEST[chosen.optimiser](groups)
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
