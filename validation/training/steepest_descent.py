"""Steepest descent in two norms of the whole gradient, with decoupled weight decay."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor


class _SteepestDescent(torch.optim.Optimizer):
    """An optimiser whose updates do not depend on the length of the gradient."""

    def __init__(self, params: Iterable[Any], lr: float = 1e-3, weight_decay: float = 0.0) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Make an update from the gradients that the parameters have; of 0 there is none."""
        some = [p for group in self.param_groups for p in group["params"] if p.grad is not None]
        directions = self.directions([p.grad for p in some])
        of_parameter = dict(zip(map(id, some), directions, strict=True))
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                if id(parameter) in of_parameter:
                    parameter.add_(of_parameter[id(parameter)], alpha=-group["lr"])

    def directions(self, gradients: list[Tensor]) -> list[Tensor]:
        """Return what is subtracted, times the learning rate, for each gradient."""
        raise NotImplementedError


class NormalisedDescent(_SteepestDescent):
    """Gradient descent of steps of one length: w <- (1 - lr wd) w - lr g / ||g||.

    g is the gradient by all parameters together, ||g|| its Euclidean norm. Where g is 0, as the
    naive gradient of the cross-entropy is once it has underflowed, there is no step.
    """

    def directions(self, gradients: list[Tensor]) -> list[Tensor]:
        """Return g / ||g||, or 0 where g is 0."""
        largest = torch.stack([g.abs().amax() for g in gradients]).amax()
        # Squares of small numbers underflow before the numbers do.
        shares = [torch.where(largest > 0, g / largest, g) for g in gradients]
        length = torch.stack([(each * each).sum() for each in shares]).sum().sqrt()
        return [torch.where(largest > 0, each / length, each) for each in shares]


class SignDescent(_SteepestDescent):
    """Steepest descent in the l_inf norm: w <- (1 - lr wd) w - lr sign(g)."""

    def directions(self, gradients: list[Tensor]) -> list[Tensor]:
        """Return the signs."""
        return [gradient.sign() for gradient in gradients]
