"""Make the tables and pictures of docs/prediction.md: `python docs/prediction.py [SECTION ..]`.

Finished runs lie in results/prediction/: the same command goes on where it was, some 4 hours on 2
cores for an empty folder. With `--calibrate` it prints the constants of `Law` as the random starts
0 to 9 give them, and makes nothing else.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sections import write_section

from effective_theory import Addition, ToyModel
from effective_theory.files import save_figure
from phase_diagrams import (
    Axis,
    PhaseDiagram,
    Source,
    SweepSpec,
    measure_doubtful,
    predict,
    preset,
    sweep,
)
from phase_diagrams.prediction.law import Law
from phase_diagrams.prediction.predicted_cells import edges_of, nearest_probes, observed_by
from phase_diagrams.prediction.probes import Plan
from phase_diagrams.prediction.spent import measured_lengths, spent
from phase_diagrams.runs.store import Store
from phase_diagrams.sweeping import stored_probes

PAGE = Path(__file__).with_suffix(".md")
RESULTS = Path("results/prediction")
CALIBRATION, UNSEEN = range(10), range(10, 20)


# The sweeps.


def fig6a(seed: int) -> SweepSpec:
    """Return Figure 6a from a random start, at decoder rates up to 3.2e-4, budget 1e5."""
    return random_start(with_rates(preset("fig6a"), 0, 3.3e-4), seed)


def fig6b(seed: int) -> SweepSpec:
    """Return Figure 6b from a random start, at decoder rates from 4e-5 on, budget 2e4."""
    spec = with_rates(preset("fig6b"), 3.1e-5, 1)
    return random_start(replace(spec, model=replace(spec.model, steps=20_000)), seed)


def random_start(spec: SweepSpec, seed: int) -> SweepSpec:
    """Return a sweep from one random start."""
    return replace(spec, seeds=(seed,), start="random")


def with_rates(spec: SweepSpec, low: float, high: float) -> SweepSpec:
    """Return a sweep with its decoder rates between two."""
    rates = tuple(rate for rate in spec.grid["decoder_lr"].values if low < rate < high)
    return replace(spec, axes={**spec.axes, "decoder_lr": Axis(rates, "log")})


def other_settings() -> Iterator[tuple[str, SweepSpec]]:
    """Yield sweeps with settings that were never used while prediction was built."""
    decays = {**fig6b(0).axes, "decoder_weight_decay": Axis((0.0, 1.0, 2.0, 4.0, 6.0, 10.0))}
    for seed in (20, 21, 22):
        usual = replace(fig6b(seed), axes=decays)
        yield f"p = 14, start {seed}", replace(usual, task=Addition(14), train_size=80)
        yield f"width 100, start {seed}", replace(usual, model=replace(usual.model, width=100))
        crossed = replace(usual.model, loss="cross_entropy", target_dim=ToyModel().target_dim)
        yield f"cross-entropy, start {seed}", replace(usual, model=crossed)
        yield f"other starts, start {seed}", usual


# What is measured and what is predicted.


@dataclass(frozen=True)
class Trial:
    """A sweep measured whole, predicted, and predicted with its doubtful cells measured."""

    name: str
    exact: PhaseDiagram
    predicted: PhaseDiagram
    measured: PhaseDiagram

    @classmethod
    def of(cls, name: str, spec: SweepSpec) -> "Trial":
        """Run what the stores lack."""
        RESULTS.mkdir(parents=True, exist_ok=True)
        exact = sweep(spec, store=RESULTS / "whole.sqlite", name=name)
        probes = RESULTS / "probes.sqlite"
        predicted = predict(spec, store=probes, name=name)
        doubtful = RESULTS / "doubtful.sqlite"
        measured = measure_doubtful(predicted, store=doubtful)
        return cls(name, exact, predicted, measured)

    def agreement(self, diagram: PhaseDiagram) -> float:
        """Return the share of cells with the measured label."""
        return float((diagram.phases == self.exact.phases).mean())

    @property
    def commonest(self) -> float:
        """Share of the commonest label."""
        return (
            Counter(self.exact.phases.ravel().tolist()).most_common(1)[0][1] / self.exact.spec.size
        )

    def nearest(self, updates: int) -> float:
        """Share of labels that the nearest of some measured cells gives, for so many updates.

        The cells are the furthest from all before, on the axes' own scales, from a corner on.
        """
        places = np.argwhere(np.ones(self.exact.spec.shape)).astype(float)
        places /= np.maximum(places.max(axis=0), 1)
        lengths, phases = measured_lengths(self.exact).ravel(), self.exact.phases.ravel()
        apart, nearest, cost, place = np.full(len(places), np.inf), np.zeros(len(places), int), 0, 0
        while cost + lengths[place] <= updates:
            cost += int(lengths[place])
            closer = np.linalg.norm(places - places[place], axis=1)
            nearest = np.where(closer < apart, place, nearest)
            apart = np.minimum(apart, closer)
            place = int(apart.argmax())
        return float((phases[nearest] == phases).mean())


def trials(seeds: range, figures: tuple[str, ...] = ("fig6a", "fig6b")) -> Iterator[Trial]:
    """Yield the trials of random starts, one figure after the other."""
    specs = {"fig6a": fig6a, "fig6b": fig6b}
    for figure in figures:
        for seed in seeds:
            yield Trial.of(f"{figure}-{seed}", specs[figure](seed))


# The law, from the starts that are for building it.


def calibrated() -> Law:
    """Return the constants of the law as the random starts 0 to 9 give them."""
    pairs, late = [], []
    for trial in trials(CALIBRATION):
        exact, spec = trial.exact, trial.exact.spec
        plan = Plan(spec)
        with Store(RESULTS / "probes.sqlite", create=False) as kept:
            found = stored_probes(plan, kept, exact.kept.engine, exact.kept.version)
        _, nearest = nearest_probes(plan, found)
        edges = edges_of(spec, nearest)
        for cell, probe in nearest:
            seen, budget = observed_by(probe, cell), cell.budget.steps
            crossings = [
                (then, steps.filled(-1)[cell.index])
                for then, steps in ((seen.train, exact.train_step), (seen.test, exact.test_step))
            ]
            if not seen.decades:
                waited = [step >= 0 for then, step in crossings if then == np.inf]
                late += [(reached, np.log(budget / seen.end)) for reached in waited]
                continue
            pairs.append(Pair(seen.decades, crossings, budget, seen.end, edges[cell.index]))
    decades, logs = np.array([each for pair in pairs for each in pair.stretches()]).T
    slope = float(np.median(logs / decades))
    scaled = (logs - slope * decades) / np.sqrt(np.abs(decades))
    # That of a normal distribution with these quartiles: runs far off are another matter.
    spread = float(np.subtract(*np.percentile(scaled, [75, 25])) / 1.349)
    changes = {
        edge: sum(pair.changed(slope, spread) for pair in pairs if pair.edge == edge)
        / sum(abs(pair.decades) for pair in pairs if pair.edge == edge)
        for edge in (False, True)
    }
    return Law(
        slope=slope,
        spread=spread,
        late=sum(reached for reached, _ in late) / sum(folds for _, folds in late),
        change=changes[False],
        change_at_edge=changes[True],
    )


@dataclass(frozen=True)
class Pair:
    """A probe and a cell at another rate: decades between them, crossings, budget and end."""

    decades: float
    crossings: list[tuple[float, int]]
    budget: int
    end: float
    edge: bool

    def stretches(self) -> Iterator[tuple[float, float]]:
        """Yield decades and the logarithm of measured over predicted step."""
        for then, step in self.crossings:
            if then < np.inf and step > 0:
                yield self.decades, float(np.log(step / then))

    def changed(self, slope: float, spread: float) -> bool:
        """Return whether one run reaches what the other does not, beyond three deviations."""
        deviations = 3 * spread * abs(self.decades) ** 0.5
        late, early = (np.exp(slope * self.decades + s * deviations) for s in (1, -1))
        return any(
            (then * late <= self.budget and step < 0)
            or (then == np.inf and 0 <= step < self.end * early)
            for then, step in self.crossings
        )


# The page.


HEAD = (
    *("diagram", "probes", "their updates", "right", "of predicted cells", "measured below .9"),
    *("updates then", "right then", "commonest label", "nearest cell for the probes' updates"),
)


def published_table(figures: tuple[str, ...]) -> list[str]:
    """Return agreement and cost from the published start beside the baselines."""
    return table((figure, row_of(Trial.of(figure, preset(figure)))) for figure in figures)


def random_table() -> list[str]:
    """Return the same from random starts: medians."""
    return table(
        (
            f"{figure}, {name}",
            np.median([row_of(each) for each in trials(seeds, (figure,))], axis=0),
        )
        for name, seeds in (("random 0 to 9", CALIBRATION), ("random 10 to 19", UNSEEN))
        for figure in ("fig6a", "fig6b")
    )


def table(rows: Iterable[tuple[str, Sequence[float]]]) -> list[str]:
    """Return lines of Markdown for the numbers of `row_of`."""
    lines = [f"| {' | '.join(HEAD)} |", "|---" * len(HEAD) + "|"]
    for name, values in rows:
        probes, cost, right, alone, doubtful, after, corrected, commonest, nearest = values
        lines.append(
            f"| {name} | {probes:.0f} | {cost:.1%} | {right:.1%} | {alone:.1%} | {doubtful:.0f} | "
            f"{after:.1%} | {corrected:.1%} | {commonest:.1%} | {nearest:.1%} |"
        )
    return lines


def row_of(trial: Trial) -> tuple[float, ...]:
    """Return the numbers of a trial in the order of the table."""
    whole = int(measured_lengths(trial.exact).sum())
    first, then = spent(trial.predicted), spent(trial.measured)
    doubtful = int((trial.measured.measured & ~trial.predicted.measured).sum())
    return (
        *(trial.predicted.prediction.probes, first.probes / whole),
        *(trial.agreement(trial.predicted), float(_right(trial, 0, 2).mean()), doubtful),
        *((then.probes + then.measured) / whole, trial.agreement(trial.measured)),
        *(trial.commonest, trial.nearest(first.probes)),
    )


def reliability_table(named: dict[str, list[Trial]]) -> list[str]:
    """Return how often predicted labels are right, by their stated probability."""
    edges = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 1.01)
    lines = ["| stated | " + " | ".join(named) + " |", "|---" * (len(named) + 1) + "|"]
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        cells = []
        for trial_list in named.values():
            right = np.concatenate([_right(trial, low, high) for trial in trial_list])
            cells.append(f"{right.mean():.0%} of {len(right)}" if len(right) else "")
        lines.append(f"| {low:g} to {min(high, 1):g} | " + " | ".join(cells) + " |")
    return lines


def _right(trial: Trial, low: float, high: float) -> np.ndarray:
    """Return which predicted cells within these probabilities have the measured label."""
    diagram = trial.predicted
    stated = diagram.prediction.certainty
    chosen = (diagram.source == Source.PREDICTED) & (stated >= low) & (stated < high)
    return (diagram.phases == trial.exact.phases)[chosen]


def reliability_lines() -> list[str]:
    """Return the reliability of predictions that no constant was chosen by."""
    others: dict[str, list[Trial]] = {"random 10 to 19": list(trials(UNSEEN))}
    for name, spec in other_settings():
        others.setdefault(name.split(", ")[0], []).append(Trial.of(name.replace(" ", ""), spec))
    return reliability_table(others)


def main() -> None:
    """Run what is missing, and write the tables and the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--calibrate", action="store_true", help="print the constants of the law")
    given = parser.parse_args()
    if unknown := set(given.sections) - set(SECTIONS):
        parser.error(f"{', '.join(unknown)}: choose from {', '.join(SECTIONS)}")
    if given.calibrate:
        print(calibrated())
        return
    for section in given.sections or SECTIONS:
        write_section(PAGE, section, "\n".join(SECTIONS[section]()))
        if section in ("fig6a", "fig6b"):
            trial = Trial.of(section, preset(section))
            path = PAGE.with_name(f"{section}-predicted.png")
            save_figure(trial.predicted.plot(), path, f"predicted: {trial.predicted.spec}")


#: Parts of the page by name; the first two are of the published start.
SECTIONS: dict[str, Callable[[], list[str]]] = {
    "fig6a": lambda: published_table(("fig6a",)),
    "fig6b": lambda: published_table(("fig6b",)),
    "random": random_table,
    "reliability": reliability_lines,
}


if __name__ == "__main__":
    main()
