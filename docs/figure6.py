"""Make the tables and pictures of docs/figure6.md from stored sweeps: `python docs/figure6.py`.

Runs that a store lacks are run first, which takes hours for an empty one. With `--stored` nothing
is run: the page then speaks of the sweeps that are complete. `python docs/figure6.py fig6c` makes
that section alone.
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sections import markdown_table, write_section

from effective_theory import grokking_steps
from effective_theory.files import save_figure
from phase_diagrams import Axis, Phase, PhaseDiagram, SweepSpec, load, preset, sweep
from phase_diagrams.phases import GENERALISING

PAGE = Path(__file__).with_suffix(".md")
RESULTS = Path("results")
FIGURES = ("fig6a", "fig6b", "fig6c", "fig6d")


@dataclass(frozen=True)
class Region:
    """A part of a diagram of which the paper's figure says the phase."""

    figure: str
    says: str
    decoder_lr: tuple[float, float]
    decoder_weight_decay: tuple[float, float]

    def counts(self, diagram: PhaseDiagram, seed: int) -> Counter[Phase]:
        """Return how many of the region's cells have each phase."""
        rates, decays = (
            np.array(diagram.spec.grid[name].values, float)
            for name in ("decoder_lr", "decoder_weight_decay")
        )
        # The axes are given to two digits: a hundredth is less than half a cell.
        low, high = 0.99 * self.decoder_lr[0], 1.01 * self.decoder_lr[1]
        rows = (rates >= low) & (rates <= high)
        columns = (decays >= self.decoder_weight_decay[0]) & (
            decays <= self.decoder_weight_decay[1]
        )
        cells = diagram.phases[..., seed][np.ix_(rows, columns)].ravel()
        return Counter(Phase(int(cell)) for cell in cells)


REGIONS = (
    Region("fig6b", "edge of memorization near 4e-4: below it none", (1e-5, 2.5e-4), (0, 0)),
    Region("fig6b", "edge of memorization near 4e-4: above it all", (4e-4, 1e-2), (0, 0)),
    Region("fig6b", "confusion", (1.6e-3, 1e-2), (6, 10)),
    Region("fig6b", "tip of confusion, thin", (6.3e-4, 1e-3), (6, 7)),
    Region("fig6b", "no confusion", (1e-5, 4e-4), (0, 10)),
    Region("fig6c", "comprehension", (1e-5, 1e-3), (0, 4)),
    Region("fig6c", "a wedge of grokking", (1e-5, 1e-3), (6, 14)),
    Region("fig6c", "memorization", (1e-5, 1e-3), (16, 20)),
    Region("fig6c", "memorization", (4e-3, 1e-2), (0, 4)),
    Region("fig6c", "confusion", (6.3e-3, 1e-2), (14, 20)),
    Region("fig6d", "comprehension", (1e-5, 1.6e-4), (0, 20)),
    Region("fig6d", "grokking next to it", (2.5e-4, 6.3e-4), (0, 20)),
    Region("fig6d", "memorization", (1e-5, 1e-2), (100, 100)),
    Region("fig6d", "memorization", (2.5e-3, 1e-2), (0, 3)),
    Region("fig6d", "mostly confusion", (1e-5, 1e-2), (200, 200)),
)


def random_starts(figure: str) -> SweepSpec:
    """Return the paper's diagram from three random starts; 6a at the paper's budget."""
    spec = preset("fig6a") if figure == "fig6a" else quick(preset(figure))
    if figure == "fig6a":
        spec = with_rates(spec, [rate for rate in decoder_rates(spec) if rate < 3.3e-4])
    return replace(spec, seeds=(0, 1, 2), start="random")


def many_starts() -> SweepSpec:
    """Return one column of 6a, decoder_lr 1e-4, from the random starts 0 to 19 at budget 3e4."""
    spec = preset("fig6a")
    rates = tuple(rate for rate in spec.grid["embedding_lr"].values if rate > 0.99e-4)
    return replace(
        spec,
        axes={"embedding_lr": Axis(rates, "log")},
        model=replace(spec.model, decoder_lr=1e-4, steps=30_000),
        seeds=tuple(range(20)),
        start="random",
    )


def quick(spec: SweepSpec) -> SweepSpec:
    """Return a fifth of the paper's budget, for the learning rates at which that is enough."""
    spec = replace(spec, model=replace(spec.model, steps=20_000))
    return with_rates(spec, [rate for rate in decoder_rates(spec) if rate > 3.1e-5])


def decoder_rates(spec: SweepSpec) -> tuple[float, ...]:
    """Return the swept decoder learning rates."""
    return spec.grid["decoder_lr"].values


def with_rates(spec: SweepSpec, rates: list[float]) -> SweepSpec:
    """Return the sweep with these decoder learning rates."""
    return replace(spec, axes={**spec.axes, "decoder_lr": Axis(tuple(rates), "log")})


def diagrams(figure: str, stored: bool) -> Iterator[tuple[str, PhaseDiagram]]:
    """Yield the published start's diagram and that of random starts, each with its name."""
    for name, spec in (
        (figure, preset(figure)),
        (f"{figure}-random", random_starts(figure)),
    ):
        found = complete(name, spec, stored)
        if found is not None:
            yield name, found


def complete(name: str, spec: SweepSpec, stored: bool) -> PhaseDiagram | None:
    """Return a sweep's diagram; None where it is not complete and nothing may be run."""
    store = RESULTS / name / "runs.sqlite"
    if not stored:
        store.parent.mkdir(parents=True, exist_ok=True)
        return sweep(spec, store=store, name=name)
    diagram = load(store, name) if store.exists() else None
    return None if diagram is None or (diagram.phases == Phase.NOT_RUN).any() else diagram


def starts(figure: str, stored: bool) -> list[tuple[str, PhaseDiagram, int]]:
    """Return each start of a figure: its name, its diagram and its place there."""
    return [
        (f"{diagram.spec.start} {seed[0]}", diagram, place)
        for _, diagram in diagrams(figure, stored)
        for place, seed in enumerate(diagram.spec.seeds)
    ]


def ratio_table(stored: bool) -> str:
    """Return fig6a's law: the smallest eta_embedding / eta_dec that generalises."""
    columns = starts("fig6a", stored)
    head = ["decoder lr", *(name for name, _, _ in columns), "t_test * decoder lr"]
    rows = []
    spec = preset("fig6a")
    embedding_rates = np.array(spec.grid["embedding_lr"].values)
    for rate in spec.grid["decoder_lr"].values:
        ratios, products = [], []
        for _, diagram, seed in columns:
            if rate not in diagram.spec.grid["decoder_lr"].values:
                ratios.append("")
                continue
            k = diagram.spec.grid["decoder_lr"].index(rate)
            phases = diagram.phases[:, k, seed]
            learned = np.isin(phases, GENERALISING)
            first = embedding_rates[learned].min() / rate if learned.any() else np.nan
            ratios.append(f"{first:.1f}" if learned.any() else "none")
            products += list(diagram.test_step[:, k, seed].compressed() * rate)
        span = f"{min(products):.2f} to {max(products):.2f}" if products else ""
        rows.append([f"{rate:.2g}", *ratios, span])
    return markdown_table(head, rows)


def smallest_ratios(diagram: PhaseDiagram) -> NDArray[np.float64]:
    """Return the smallest embedding_lr / decoder_lr that generalises, by seed; inf for none."""
    learned = np.isin(diagram.phases, GENERALISING)  # (rates, seeds)
    models = [diagram.spec.cell((place, 0)).model for place in range(len(learned))]
    ratios = np.array([model.embedding_lr / model.decoder_lr for model in models])
    return np.asarray(np.where(learned, ratios[:, None], np.inf).min(axis=0))


def many_table(stored: bool) -> str:
    """Return how many of many starts have which smallest generalising ratio at decoder_lr 1e-4."""
    diagram = complete("fig6a-starts", many_starts(), stored)
    if diagram is None:
        return ""
    spec = diagram.spec
    first = smallest_ratios(diagram)
    ideal = diagram.ideal_test_accuracy.values
    able = [
        place
        for place, seed in enumerate(spec.seeds)
        if (ideal[spec.train_size, seed] or 0.0) >= spec.model.test_threshold
    ]
    rows = [
        ("none" if np.isinf(ratio) else f"{ratio:.1f}", str(count))
        for ratio, count in sorted(Counter(first[able].tolist()).items())
    ]
    rows.append((f"all that allow generalisation, of {len(spec.seeds)}", str(len(able))))
    delays = [grokking_steps(spec.cell((0, k)).split(), embedding_lr=1e-3) for k in able]
    span = f"{min(delays):.0f} to {max(delays):.0f}"
    return (
        markdown_table(("smallest generalising ratio", "starts"), rows)
        + f"\n\nTheir 1 / (lambda_3 eta) at embedding learning rate 1e-3: {span} updates."
    )


def region_table(figure: str, stored: bool) -> str:
    """Return how many cells of each named region have which phase, for each start."""
    columns = starts(figure, stored)
    head = ["decoder lr", "weight decay", "the paper's figure", *(name for name, _, _ in columns)]
    rows = []
    for region in (region for region in REGIONS if region.figure == figure):
        counts = [region.counts(diagram, seed) for _, diagram, seed in columns]
        (low, high), (least, most) = region.decoder_lr, region.decoder_weight_decay
        decay = f"{least:g} to {most:g}" if most > least else f"{least:g}"
        found = [", ".join(f"{p.letter} {n}" for p, n in each.most_common()) for each in counts]
        rows.append([f"{low:g} to {high:g}", decay, region.says, *found])
    return markdown_table(head, rows)


def counts_table(figure: str, stored: bool) -> str:
    """Return the number of cells in each phase for each start."""
    rows = []
    for name, diagram, seed in starts(figure, stored):
        counts = Counter(Phase(int(cell)) for cell in diagram.phases[..., seed].ravel())
        text = ", ".join(f"{phase.label} {n}" for phase, n in counts.most_common())
        rows.append((name, text, f"{diagram.spec.model.steps:g}"))
    return markdown_table(("start", "cells", "updates' budget"), rows)


def write(figures: list[str], stored: bool) -> None:
    """Replace the tables and pictures of these figures on the page."""
    for figure in figures:
        pictures = []
        for name, diagram in diagrams(figure, stored):
            save_figure(diagram.plot(), PAGE.with_name(f"{name}.png"), str(diagram.spec))
            pictures.append(f"![Phases from start {diagram.spec.start}]({name}.png)")
        tables = [counts_table(figure, stored)]
        if figure == "fig6a":
            tables += [ratio_table(stored), many_table(stored)]
        else:
            tables.append(region_table(figure, stored))
        text = "\n\n".join(["\n".join(pictures), *filter(None, tables)])
        write_section(PAGE, figure, text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=f"of {', '.join(FIGURES)}")
    parser.add_argument("--stored", action="store_true", help="run nothing")
    given = parser.parse_args()
    if unknown := set(given.figures) - set(FIGURES):
        parser.error(f"{', '.join(unknown)}: choose from {', '.join(FIGURES)}")
    write(given.figures or list(FIGURES), given.stored)
