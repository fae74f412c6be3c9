"""How the critical training size grows with the number of symbols p."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from effective_theory.checks import (
    InputError,
    finite_array,
    integer,
    is_sequence,
    of_type,
    refuse_masked,
    shown,
)
from effective_theory.critical_size.curve import CriticalFraction
from effective_theory.tasks import MOST_SYMBOLS, Addition


@dataclass(frozen=True, eq=False)
class ScalingFit:
    """The law |D_c| / p = intercept + slope ln p, fitted by weighted least squares.

    Attributes
    ----------
    symbols
        Numbers of symbols p, shape (n,).
    measured, standard_errors
        |D_c| / p at each p, in samples for each symbol, shape (n,) each.
    intercept, slope
        The law.
    intercept_error, slope_error
        Their standard errors, from those of the measured values.
    residuals
        Measured less fitted |D_c| / p, shape (n,).
    chi_square
        Sum of (residual / standard error)^2, with len(symbols) - 2 degrees of freedom.
    """

    symbols: NDArray[np.int64]
    measured: NDArray[np.float64]
    standard_errors: NDArray[np.float64]
    intercept: float
    slope: float
    intercept_error: float
    slope_error: float
    residuals: NDArray[np.float64]
    chi_square: float

    def critical_size(self, symbols: ArrayLike) -> NDArray[np.float64]:
        """Return the critical size that the law gives, |D_c| = p (intercept + slope ln p).

        Parameters
        ----------
        symbols
            Numbers of symbols p, one or shape (n,), positive.

        Returns
        -------
        numpy.ndarray
            |D_c|, in samples, shape (n,).

        Raises
        ------
        InputError
            If a number is not positive and finite, or ``symbols`` has more than one dimension.
        """
        refuse_masked("symbols", symbols)
        p = finite_array("symbols", np.atleast_1d(symbols), (None,), np.float64)
        if (p <= 0).any():
            raise InputError("symbols must be positive.")
        size: NDArray[np.float64] = p * (self.intercept + self.slope * np.log(p))
        return size


def fit_critical_size(symbols: Sequence[int], fractions: Sequence[CriticalFraction]) -> ScalingFit:
    """Fit |D_c| / p = intercept + slope ln p to critical fractions of additions of p symbols.

    |D_c| = r_c p (p + 1) / 2. For large p the slope tends to 1/2, see `isolated_symbol_estimate`.

    Parameters
    ----------
    symbols
        Numbers of symbols p, at least two different ones.
    fractions
        What `critical_fraction` returned for each.

    Returns
    -------
    ScalingFit
        The law with the standard errors of its parameters.

    Raises
    ------
    InputError
        If there are fewer than two different p, a p is out of range, ``fractions`` hold anything
        else, the lengths differ, or a standard error is zero or infinite.
    """
    for name, value in {"symbols": symbols, "fractions": fractions}.items():
        if not is_sequence(value):
            raise InputError(f"{name} must be a sequence, not {shown(value)}.")
    for each in fractions:
        of_type("fractions", each, CriticalFraction, "what critical_fraction() returned for each p")
    p = np.array([integer("symbols", value, 2, MOST_SYMBOLS) for value in symbols], np.int64)
    if len(p) != len(fractions) or len(np.unique(p)) < 2:
        raise InputError("symbols must hold at least two different p, and fractions one for each.")
    scale = (p + 1) / 2.0
    measured = scale * [fraction.value for fraction in fractions]
    errors = scale * [fraction.standard_error for fraction in fractions]
    if not ((errors > 0) & np.isfinite(errors)).all():
        raise InputError("fractions must have a positive, finite standard_error; use more orders.")
    design = np.column_stack([np.ones(len(p)), np.log(p)])
    weighted = design / errors[:, None]
    covariance = np.linalg.inv(weighted.T @ weighted)
    intercept, slope = covariance @ weighted.T @ (measured / errors)
    residuals = measured - design @ [intercept, slope]
    return ScalingFit(
        symbols=p,
        measured=measured,
        standard_errors=errors,
        intercept=float(intercept),
        slope=float(slope),
        intercept_error=float(np.sqrt(covariance[0, 0])),
        slope_error=float(np.sqrt(covariance[1, 1])),
        residuals=residuals,
        chi_square=float(((residuals / errors) ** 2).sum()),
    )


def isolated_symbol_estimate(p: int) -> float:
    """Return the training size at which half the sets of Addition(p) leave no symbol isolated.

    A symbol whose samples all have a label to themselves is in no equation: it is free, and the
    line is not unique. If this is what the line waits for, it is a coupon collector's problem. With
    each sample in the training set with probability q = |D| / N, the sample (k, j) helps with
    probability q (1 - (1 - q)^(n_s - 1)), n_s samples having its label s = k + j; the expected
    number of isolated symbols is M = sum_k prod_j (1 - that), and none is left with probability
    exp(-M) (Poisson). |D_c| is where M = ln 2. For large p it tends to p/2 (ln p - ln ln 2). There
    is no free parameter; it is an approximation, not a bound.

    Parameters
    ----------
    p
        Number of symbols, at least 3.

    Returns
    -------
    float
        |D_c|, in samples.

    Raises
    ------
    InputError
        If p is not an integer from 3 to 10 000.
    """
    from scipy.optimize import brentq

    p = integer("p", p, 3, MOST_SYMBOLS)
    labels = np.arange(2 * p - 1)
    samples = np.minimum(labels, 2 * p - 2 - labels) // 2 + 1

    def excess(q: float) -> float:
        helps = q * (1.0 - (1.0 - q) ** (samples - 1))
        # Symbol k is in samples of labels k .. k + p - 1: differences of one cumulative sum.
        missed = np.concatenate([[0.0], np.cumsum(np.log1p(-helps))])
        return float(np.exp(missed[p:] - missed[:p]).sum() - np.log(2.0))

    return float(brentq(excess, 0.0, 1.0 - 1e-9)) * Addition(p).size
