"""The empirical neural tangent kernel: of any module, and in closed form of quadratic networks."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from effective_theory import InputError
from effective_theory.checks import integer
from validation.kernel_regime.quadratic_state import Array, Pairs, QuadraticState

#: Below this relative drift the three inner products of `kernel_drift` cancel each other.
_LEAST_DRIFT = 1e-6


def empirical_kernel(
    module: nn.Module, inputs: Tensor, others: Tensor | None = None, *, chunk: int = 64
) -> Tensor:
    """Return the empirical neural tangent kernel of any module.

    K[(x, c), (x', c')] = <df_c(x) / dw, df_c'(x') / dw>, over all weights w.

    Parameters
    ----------
    module
        f, with outputs (n, C).
    inputs, others
        Inputs x (n, ..) and x' (m, ..); the same by default.
    chunk
        Inputs whose derivatives are held at a time: C times the number of weights for each.

    Returns
    -------
    Tensor
        Shape (n C, m C), rows and columns ordered by input, then by output.
    """
    chunk = integer("chunk", chunk, 1)
    columns = inputs if others is None else others
    rows = []
    for some in torch.split(inputs, chunk):
        of_some = _derivatives(module, some)
        rows.append(
            torch.cat(
                [of_some @ _derivatives(module, each).T for each in torch.split(columns, chunk)], 1
            )
        )
    return torch.cat(rows)


def _derivatives(module: nn.Module, inputs: Tensor) -> Tensor:
    """Return the derivatives of all outputs by all weights, shape (n C, weights)."""
    weights = {name: each.detach() for name, each in module.named_parameters()}

    def outputs(weights: dict[str, Tensor], one: Tensor) -> Tensor:
        found: Tensor = torch.func.functional_call(module, weights, (one,))
        return found[0]

    # Input by input: there are modules that torch.func cannot vectorise over their inputs.
    derivatives = torch.func.jacrev(outputs)
    return torch.cat(
        [
            torch.cat([each.flatten(1) for each in derivatives(weights, one).values()], 1)
            for one in torch.split(inputs, 1)
        ]
    )


def quadratic_kernel(state: QuadraticState, pairs: Pairs, others: Pairs | None = None) -> Array:
    """Return the empirical kernel of a quadratic network in closed form.

    K[(x, c), (x', c')] = 1[c = c'] A(x, x') + 4 E(x, x') M_cc'(x, x'), with

        A = sum_j z_j^2 z'_j^2,  M = V diag(z z') V^T,  E = 1[a = a'] + 1[b = b'],

    A from the derivatives with respect to V and M from those with respect to W, of which x and x'
    share a row of W^T for each equal symbol.

    Parameters
    ----------
    state
        The network.
    pairs, others
        Pairs x (n, 2) and x' (m, 2); the same by default.

    Returns
    -------
    numpy.ndarray
        Shape (n p, m p), rows and columns ordered by pair, then by class.
    """
    others = pairs if others is None else others
    rows, columns, v = state.units(pairs), state.units(others), state.second
    kernel = np.zeros((len(pairs), len(v), len(others), len(v)))
    squares = rows**2 @ (columns**2).T  # A, (n, m)
    for c in range(len(v)):
        kernel[:, c, :, c] = squares
    shared = equal_symbols(pairs, others)
    for x, y in np.argwhere(shared):
        kernel[x, :, y, :] += 4 * shared[x, y] * (v * (rows[x] * columns[y])) @ v.T
    return kernel.reshape(len(pairs) * len(v), -1)


def equal_symbols(pairs: Pairs, others: Pairs) -> NDArray[np.int64]:
    """Return E: in how many of their two places pairs (n, 2) and others (m, 2) are equal."""
    return np.asarray((pairs[:, None] == others[None]).sum(axis=2))


def kernel_product(one: QuadraticState, other: QuadraticState, pairs: Pairs) -> float:
    """Return the Frobenius inner product of two networks' kernels on the same pairs.

    <K, K'> = sum over x, x' of p A A' + 4 E (A T' + A' T) + 16 E^2 <M, M'>, T = tr M, without a
    matrix of n p rows: each sum over x and x' of a product f(x) g(x') is one over pairs of neurons,

        sum_xx' A A' = sum_jk (sum_x z_j^2 z'_k^2)^2,

    and so for T and M within the pairs that share a symbol, <M, M'> having the weight
    ((V^T V')_jk)^2. The cost is of order n h^2.

    Parameters
    ----------
    one, other
        The networks.
    pairs
        Distinct pairs, shape (n, 2).
    """
    z, w = one.units(pairs), other.units(pairs)
    z2, w2 = z**2, w**2
    tr_one, tr_other = (one.second**2).sum(axis=0), (other.second**2).sum(axis=0)
    gram = (one.second.T @ other.second) ** 2
    total = len(one.second) * _squares(z2, w2).sum()
    for place in (0, 1):
        for symbol in np.unique(pairs[:, place]):
            some = pairs[:, place] == symbol
            total += 4 * (_squares(z2[some], w[some]) @ tr_other).sum()
            total += 4 * (tr_one @ _squares(z[some], w2[some])).sum()
            total += 16 * (gram * _squares(z[some], w[some])).sum()
    # A pair with itself has E = 2, and counted 1 + 1 in place of E^2 = 4.
    return float(total + 32 * ((z2 @ gram) * w2).sum())


def _squares(left: Array, right: Array) -> Array:
    return np.asarray((left.T @ right) ** 2)


@dataclass(frozen=True)
class KernelDrift:
    """How far a kernel has gone from another one, K_0.

    Attributes
    ----------
    relative
        ||K - K_0|| / ||K_0||, in the Frobenius norm. The kernel is of degree 4 in the weights: as
        they grow, or shrink under weight decay, it follows their norm.
    turned
        1 - <K, K_0> / (||K|| ||K_0||), which a common factor on all weights leaves as it is.
    """

    relative: float
    turned: float


def kernel_drift(start: QuadraticState, state: QuadraticState, pairs: Pairs) -> KernelDrift:
    """Return the drift of a quadratic network's kernel on pairs, over all outputs.

    Parameters
    ----------
    start, state
        The network at its start, and now.
    pairs
        Distinct pairs, shape (n, 2), such as those of a training set.

    Returns
    -------
    KernelDrift
        The drift, without unit.

    Raises
    ------
    InputError
        If the drift is not 0 and below 1e-6 of the norm, where what is subtracted cancels.
    """
    if (start.parameters == state.parameters).all():
        return KernelDrift(0.0, 0.0)
    before, after = (kernel_product(each, each, pairs) for each in (start, state))
    both = kernel_product(start, state, pairs)
    square = (after - 2 * both + before) / before
    if square < _LEAST_DRIFT**2:
        raise InputError(
            f"kernel_drift is below {_LEAST_DRIFT:g}, where it is the difference of nearly equal "
            "numbers; take that of two quadratic_kernel."
        )
    return KernelDrift(float(np.sqrt(square)), float(1 - both / np.sqrt(before * after)))
