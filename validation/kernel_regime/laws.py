"""What theory says of the kernel and the rich regime: sample sizes, widths, norms."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from effective_theory.checks import fraction, integer, non_negative
from validation.kernel_regime.quadratic_state import QuadraticState


@dataclass(frozen=True)
class SampleLaw:
    """How many training samples something needs, up to a constant factor.

    Attributes
    ----------
    samples
        ``(p) -> n``, up to a constant factor that theory leaves open.
    says
        What n samples are needed or enough for.
    assumes
        Under which assumptions.
    source
        Where it is proved.
    """

    samples: Callable[[float], float]
    says: str
    assumes: str
    source: str


_MOHAMADI = "Mohamadi et al. 2024"
_LAWS = {
    "regression, kernel": SampleLaw(
        lambda p: p**3,
        "needed to beat half of the zero predictor's loss, of p^3 triples",
        "a kernel method that does not know which number a symbol is (permutation-equivariant)",
        _MOHAMADI,
    ),
    "regression, rich": SampleLaw(
        lambda p: p**2,
        "enough for a small population loss",
        "zero training loss with bounded l_inf norm",
        _MOHAMADI,
    ),
    "classification, kernel": SampleLaw(
        lambda p: p**2,
        "needed to beat half of the zero predictor's square loss, of p^2 pairs",
        "a permutation-equivariant kernel method",
        _MOHAMADI,
    ),
    "classification, rich": SampleLaw(
        lambda p: p ** (5 / 3),
        "enough for a small test error",
        "a large margin at bounded l_inf norm",
        _MOHAMADI,
    ),
    "classification, groups": SampleLaw(
        lambda p: p * math.log(p),
        "enough for the features of addition to be stable",
        "a quadratic network under gradient flow, weight decay, group tasks",
        "Tian 2025",
    ),
}


def sample_laws() -> dict[str, SampleLaw]:
    """Return what theory says of the number of training samples, by task and regime."""
    return dict(_LAWS)


def kernel_width(samples: int, rho: float, delta: float) -> float:
    """Return the width above which the start's kernel can fit any labels, 36 rho log(n / delta).

    Parameters
    ----------
    samples
        n, the number of training samples.
    rho
        Largest norm of a sample's features over the smallest eigenvalue of the expected kernel, as
        the theorem has it.
    delta
        Probability with which it may fail, above 0 and at most 1.

    Returns
    -------
    float
        Number of hidden units.
    """
    share = fraction("delta", delta)
    return 36 * non_negative("rho", rho) * math.log(integer("samples", samples, 1) / share)


def least_norm(p: int, width: int) -> float | None:
    """Return an l_inf norm with which some network of a given width has zero loss on all pairs.

    It is floor(h / 8 p)^(-1/3), that of the Fourier construction repeated (Mohamadi et al. 2024);
    None below width 8 p, where the paper's construction has no room (`fourier_solution` has some at
    4 p).

    Parameters
    ----------
    p
        Number of symbols.
    width
        Number of hidden units h.
    """
    copies = integer("width", width, 1) // (8 * integer("p", p, 2))
    return None if copies == 0 else float(copies ** (-1 / 3))


def normalised_margin(
    state: QuadraticState, pairs: NDArray[np.integer], labels: NDArray[np.integer]
) -> float:
    """Return the least margin over pairs, divided by the cube of the largest weight.

    f is of degree 3 in the weights, so that a common factor on them does not change this ratio.
    Without weight decay the weights grow as long as a network is trained, and raw norms measure the
    length of its training.

    Parameters
    ----------
    state
        The network.
    pairs, labels
        Samples, shapes (n, 2) and (n,).
    """
    logits = state.logits(pairs)
    places = np.arange(len(pairs))
    right = logits[places, labels].copy()
    logits[places, labels] = -np.inf
    return float((right - logits.max(axis=1)).min() / state.largest_entry**3)
