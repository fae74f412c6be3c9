"""How weights are updated: optimiser, rates, noise; the published settings by name."""

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

from effective_theory import InputError
from effective_theory.checks import fraction, integer, non_negative, of_type, shown

#: What is minimised: mean cross-entropy, or mean square error of one-hot labels.
Loss = Literal["cross_entropy", "mse"]
Optimiser = Literal["adamw", "adam", "sgd", "normalised_gd", "sign"]


@dataclass(frozen=True)
class Optimisation:
    """How weights are updated; one update is one step of the optimiser.

    Parameters
    ----------
    optimiser
        "adamw", whose weight decay is decoupled, "adam" or "sgd", which add it to the gradient;
        "normalised_gd", gradient descent of steps of one length, or "sign", steepest descent in
        the l_inf norm, both with decoupled decay.
    lr
        Learning rate.
    weight_decay
        Weight decay.
    embedding_lr
        Learning rate of the representation: the symbols' embeddings, or all layers before the
        last one of a network on images; None for the same.
    embedding_weight_decay
        Weight decay of the representation; None for the same.
    betas
        Of Adam and AdamW.
    epsilon
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
    exact_tail
        Whether the direction of the cross-entropy's gradient is exact at any loss, where it would
        underflow to 0. Its length is another one then, as if the largest residual were 1 at every
        update. Normalised and sign descent ignore lengths. The moments of Adam and AdamW do not:
        the naive gradient shrinks with the loss, and beside the larger ones that they remember
        their steps shrink too.
    l_inf_penalty
        Factor on a penalty, the largest absolute value of all weights (Mohamadi et al. 2024).
    loss
        "cross_entropy", or "mse", the mean square of the outputs less the one-hot labels over
        samples and classes.

    Raises
    ------
    InputError
        If a field is out of its range, or ``exact_tail`` goes with loss "mse", optimiser "sgd" or
        the weight decay of "adam", which is added to the gradient.
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
    exact_tail: bool = False
    l_inf_penalty: float = 0.0
    loss: Loss = "cross_entropy"

    def __post_init__(self) -> None:
        def settle(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)

        if not isinstance(self.optimiser, str) or self.optimiser not in get_args(Optimiser):
            raise InputError(
                f"optimiser must be one of {get_args(Optimiser)}, not {shown(self.optimiser)}."
            )
        rates = ("lr", "weight_decay", "epsilon", "update_noise", "weight_noise", "l_inf_penalty")
        for name in (*rates, "embedding_lr", "embedding_weight_decay"):
            if getattr(self, name) is not None or name in rates:
                settle(name, non_negative(name, getattr(self, name)))
        if not isinstance(self.betas, tuple) or len(self.betas) != 2:
            raise InputError(f"betas must be a pair such as (0.9, 0.98), not {shown(self.betas)}.")
        for name, value in (("betas", self.betas[0]), ("betas", self.betas[1])):
            if fraction(name, value) == 1:
                raise InputError("betas must be below 1.")
        settle("momentum", fraction("momentum", self.momentum))
        settle("warm_up", integer("warm_up", self.warm_up, 0))
        if self.batch_size is not None:
            settle("batch_size", integer("batch_size", self.batch_size, 1))
        for name in ("orthogonal_gradient", "exact_tail"):
            of_type(name, getattr(self, name), bool, "True or False")
        if not isinstance(self.loss, str) or self.loss not in get_args(Loss):
            raise InputError(f"loss must be one of {get_args(Loss)}, not {shown(self.loss)}.")
        if self.exact_tail and self.loss != "cross_entropy":
            raise InputError("exact_tail is for the cross-entropy; leave it out with loss mse.")
        if self.exact_tail and self.optimiser == "sgd":
            raise InputError(
                "exact_tail keeps the gradient's direction, not its length, on which optimiser sgd "
                'depends; choose "normalised_gd", or leave exact_tail out.'
            )
        if self.exact_tail and self.optimiser == "adam" and self._decays:
            raise InputError(
                "optimiser adam adds weight_decay to the gradient, whose length exact_tail does "
                'not keep; choose "adamw", whose decay is apart, or set exact_tail=False.'
            )

    @property
    def _decays(self) -> bool:
        """Whether any weights decay."""
        return self.weight_decay > 0 or bool(self.embedding_weight_decay)

    @property
    def is_random(self) -> bool:
        """Whether an update draws numbers besides the batch."""
        return self.update_noise > 0 or self.weight_noise > 0

    def warmth(self, update: int) -> float:
        """Return the factor on the learning rates in the update with that number, from 0."""
        return min(1.0, (update + 1) / self.warm_up) if self.warm_up else 1.0


def power_batch_size(train_size: int) -> int:
    """Return Power's batch size, min(512, ceil(n / 2)) (Power et al. 2022, appendix A.1.2)."""
    return min(512, math.ceil(integer("train_size", train_size, 1) / 2))


def published_optimisations(train_size: int) -> dict[str, Optimisation]:
    """Return the eight optimiser settings that Power and Hu compare, by name.

    Power et al. (2022) and Hu, Zhou and Yu (2024). Betas are (0.9, 0.98), ten updates warm up, and
    where nothing else is said a batch has `power_batch_size` samples.

    Parameters
    ----------
    train_size
        Number of training samples.

    Raises
    ------
    InputError
        If there is none.
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
