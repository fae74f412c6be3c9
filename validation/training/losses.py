"""What is differentiated: the cross-entropy, exact however small it is, and the l_inf penalty."""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from validation.training.optimisation import Loss


def objective(
    logits: Tensor,
    labels: Tensor,
    weights: Iterable[Tensor],
    *,
    loss: Loss = "cross_entropy",
    exact_tail: bool = False,
    l_inf_penalty: float = 0.0,
) -> Tensor:
    """Return what is differentiated: mean loss + l_inf_penalty * max |entry|.

    The penalty's subgradient is shared evenly by entries that are equally large. With
    ``exact_tail`` the value is another one, whose gradient is that of the loss times a positive
    factor, see `exact_tail_loss`.

    Parameters
    ----------
    logits, labels
        Of the samples, shapes (n, classes) and (n,).
    weights
        All that the penalty is taken over.
    loss
        Whose mean is taken.
    exact_tail
        Whether the direction of the gradient is to be exact at any loss.
    l_inf_penalty
        Weight of the penalty.
    """
    if not exact_tail:
        if loss == "cross_entropy":
            # Torch's own mean: that of a vector of losses has other last bits.
            mean = nn.functional.cross_entropy(logits, labels)
        else:
            mean = losses(logits, labels, loss).mean()
        return mean + l_inf_penalty * largest_entry(weights) if l_inf_penalty else mean
    tail, log_scale = exact_tail_loss(logits, labels)
    if not l_inf_penalty:
        return tail
    # Both terms times the factor that makes the larger of their weights 1.
    apart = float(log_scale) - math.log(l_inf_penalty)
    return math.exp(min(0.0, apart)) * tail + math.exp(min(0.0, -apart)) * largest_entry(weights)


def losses(logits: Tensor, labels: Tensor, loss: Loss) -> Tensor:
    """Return the loss of each sample, shape (n,); "mse" is a mean over the classes."""
    if loss == "cross_entropy":
        return nn.functional.cross_entropy(logits, labels, reduction="none")
    target = nn.functional.one_hot(labels, logits.shape[1]).to(logits.dtype)
    return (logits - target).square().mean(dim=1)


def exact_tail_loss(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return a number whose gradient has exactly the direction of the cross-entropy's, at any loss.

    The cross-entropy's derivative with respect to the logit of a wrong class c is the residual p_c,
    and with respect to that of the right class minus the sum of the others. As a network's margins
    grow all of them underflow to 0, in float64 as in float32, and the gradient with them, although
    its direction is well defined. Here the logarithms of the residuals, log softmax_c, are shifted
    by the largest of all samples before exp: the largest residual is 1.

    Parameters
    ----------
    logits, labels
        Shapes (n, classes) and (n,), two classes at least.

    Returns
    -------
    value
        Its gradient is that of the mean cross-entropy divided by exp(log_scale).
    log_scale
        The logarithm of the largest residual of a wrong class.
    """
    with torch.no_grad():
        right = nn.functional.one_hot(labels, logits.shape[1]).bool()
        residuals = logits.log_softmax(dim=1).masked_fill(right, -math.inf)
        log_scale = residuals.max()
        residuals = (residuals - log_scale).exp()  # (n, classes)
        residuals[right] = -residuals.sum(dim=1)
    return (logits * residuals).sum() / len(logits), log_scale


def largest_entry(weights: Iterable[Tensor]) -> Tensor:
    """Return the largest absolute value of any entry."""
    return torch.stack([each.abs().amax() for each in weights]).amax()
