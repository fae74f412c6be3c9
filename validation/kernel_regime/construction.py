"""Quadratic networks that add modulo p exactly, by Fourier series."""

import numpy as np

from effective_theory import InputError
from effective_theory.checks import integer
from validation.kernel_regime.quadratic_state import QuadraticState

#: Of the eight neurons of a frequency: what they read of a and of b, and what they write on q.
_NEURONS = (
    (("cos", 1), ("cos", 1), ("cos", 1)),
    (("cos", 1), ("cos", -1), ("cos", -1)),
    (("sin", 1), ("sin", 1), ("cos", -1)),
    (("sin", 1), ("sin", -1), ("cos", 1)),
    (("sin", 1), ("cos", 1), ("sin", 1)),
    (("sin", 1), ("cos", -1), ("sin", -1)),
    (("cos", 1), ("sin", 1), ("sin", 1)),
    (("cos", -1), ("sin", 1), ("sin", -1)),
)


def fourier_solution(
    p: int, *, constant: bool = True, half: bool = False, balanced: bool = False
) -> QuadraticState:
    """Return the Fourier construction (Mohamadi et al. 2024, appendix).

    Each frequency k has eight neurons, whose squares make 4 cos w (a + b - q) of products of
    cosines and sines of w a, w b and w q, w = 2 pi k / p. Summed over all k, with margin 4 p:

        logits = 4 p 1[q = a + b]         width 8 p; half: 4 p + 4
        logits = 4 p 1[q = a + b] - 4     without k = 0: 8 (p - 1); half: 4 (p - 1)

    The l_inf norm of all weights is 1; half, not balanced: 2.

    Parameters
    ----------
    p
        Number of symbols.
    constant
        Whether k = 0 is there, whose eight neurons only add 4 to all logits.
    half
        Whether k goes to (p - 1) / 2 only, with V doubled for k > 0 as k and p - k add the same.
    balanced
        Whether each neuron's weights are scaled so that W and V have the same largest entry, l_inf
        2^(1/3) for the half construction. The function stays the same, as f is of degree 2 in W and
        of degree 1 in V.

    Returns
    -------
    QuadraticState
        W of shape (width, 2 p), V of shape (p, width).

    Raises
    ------
    InputError
        If p is below 2, or the half construction is asked for at an even p, whose frequency p / 2
        has no partner.
    """
    p = integer("p", p, 2)
    if half and p % 2 == 0:
        raise InputError(f"half needs an odd p, not {p}: the frequency p / 2 has no partner.")
    last = (p - 1) // 2 if half else p - 1
    first, second = [], []
    for k in range(0 if constant else 1, last + 1):
        angles = 2 * np.pi * k * np.arange(p) / p
        waves = {"cos": np.cos(angles), "sin": np.sin(angles)}
        weight = 2.0 if half and k > 0 else 1.0
        # A factor s on W and 1 / s^2 on V: both have the largest entry weight^(1/3).
        scale = weight ** (1 / 3) if balanced else 1.0
        for on_a, on_b, on_q in _NEURONS:
            read = np.concatenate([sign * waves[name] for name, sign in (on_a, on_b)])
            first.append(scale * read)
            second.append(weight / scale**2 * on_q[1] * waves[on_q[0]])
    return QuadraticState(np.array(first), np.array(second).T)
