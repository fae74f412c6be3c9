"""Make the table and the picture of docs/critical_size.md: `python docs/critical_size.py`.

With `--quick` every p has a hundredth of the orders: a minute's check that changes no file.
"""

import argparse
from pathlib import Path

import numpy as np
from sections import markdown_table, write_section

from effective_theory import (
    CriticalFraction,
    ScalingFit,
    critical_fraction,
    critical_training_sizes,
    fit_critical_size,
    isolated_symbol_estimate,
)
from effective_theory.files import save_figure

#: Random orders for each number of symbols.
ORDERS = {
    **{10: 100_000, 20: 100_000, 40: 40_000, 80: 20_000, 160: 10_000, 320: 10_000},
    **{640: 5000, 1000: 4000, 2000: 1000, 4000: 200},
}
#: The law is fitted from here on; below it the curve bends.
FIT_FROM = 80
SEED = 0
PAGE = Path(__file__).with_suffix(".md")


def measure(orders: dict[int, int], jobs: int | None) -> list[CriticalFraction]:
    """Return the critical fraction for each number of symbols."""
    fractions = []
    for p, count in orders.items():
        sizes = critical_training_sizes(p, orders=count, rng=SEED, n_jobs=jobs, progress=True)
        fractions.append(critical_fraction(p, sizes))
        print(p, fractions[-1], flush=True)
    return fractions


def table(symbols: list[int], fractions: list[CriticalFraction], fit: ScalingFit) -> str:
    """Return the table and the law as Markdown."""
    head = (
        *("p", "orders", "r_c", "95 % interval", "\\|D_c\\| / p", "standard error"),
        *("less law", "isolated symbols"),
    )
    rows = []
    for p, found in zip(symbols, fractions, strict=True):
        ratio, estimate = found.size / p, isolated_symbol_estimate(p) / p
        rows.append(
            [
                *(f"{p}", f"{found.orders}", f"{found.value:.5f}"),
                *(f"{found.low:.5f} to {found.high:.5f}", f"{ratio:.4f}"),
                f"{found.standard_error * (p + 1) / 2:.4f}",
                *(f"{ratio - fit.critical_size(p)[0] / p:+.4f}", f"{estimate:.4f}"),
            ]
        )
    freedom = len(fit.symbols) - 2
    return (
        f"{markdown_table(head, rows)}\n\n"
        f"Law, fitted to p >= {FIT_FROM}: |D_c| / p = "
        f"({fit.intercept:.3f} ± {fit.intercept_error:.3f}) + "
        f"({fit.slope:.4f} ± {fit.slope_error:.4f}) ln p, "
        f"chi-square {fit.chi_square:.1f} for {freedom} degrees of freedom.\n"
    )


def draw(symbols: list[int], fractions: list[CriticalFraction], fit: ScalingFit) -> None:
    """Draw |D_c| / p against p, with the law, the estimate and the residuals."""
    from matplotlib.figure import Figure

    p = np.array(symbols)
    ratio = np.array([found.size for found in fractions]) / p
    error = np.array([found.standard_error for found in fractions]) * (p + 1) / 2
    dense = np.unique(np.geomspace(p[0], p[-1], 60).astype(int))
    estimate = np.array([isolated_symbol_estimate(int(q)) / q for q in dense])
    figure = Figure(figsize=(6.0, 6.0), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
    top.errorbar(p, ratio, error, fmt="o", label="measured, exact rank")
    law = f"{fit.intercept:.2f} + {fit.slope:.3f} ln p, fitted to p ≥ {FIT_FROM}"
    top.plot(dense, fit.critical_size(dense) / dense, label=law)
    top.plot(dense, estimate, "--", label="isolated symbols, nothing fitted")
    top.set(xscale="log", ylabel="|D_c| / p")
    top.legend()
    bottom.errorbar(p, ratio - fit.critical_size(p) / p, error, fmt="o", label="less law")
    beside = [
        found.size / q - isolated_symbol_estimate(q) / q
        for q, found in zip(symbols, fractions, strict=True)
    ]
    bottom.errorbar(p, beside, error, fmt="s", mfc="none", label="less isolated symbols")
    bottom.axhline(0.0, color="0.6", zorder=0)
    bottom.set(xlabel="number of symbols p", ylabel="residual of |D_c| / p")
    bottom.legend()
    save_figure(figure, PAGE.with_suffix(".png"), "critical training sizes of addition, exact")


def main() -> None:
    """Measure, and put the results into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--jobs", type=int, default=None)
    arguments = parser.parse_args()
    orders = {p: max(n // 100, 20) for p, n in ORDERS.items()} if arguments.quick else ORDERS
    symbols = list(orders)
    fractions = measure(orders, arguments.jobs)
    fitted = [k for k, p in enumerate(symbols) if p >= FIT_FROM]
    fit = fit_critical_size([symbols[k] for k in fitted], [fractions[k] for k in fitted])
    text = table(symbols, fractions, fit)
    print(text)
    if not arguments.quick:
        write_section(PAGE, "table", text.rstrip("\n"))
        draw(symbols, fractions, fit)


if __name__ == "__main__":
    main()
