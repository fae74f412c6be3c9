"""Make the tables and the picture of docs/starts.md: `python docs/starts.py trial`, then `verdict`.

The smallest ratio embedding_lr / decoder_lr at which each of 80 random starts generalises, beside
quantities that no run of the sweep is needed for. `trial` ranks them over the starts 0 to 79,
`verdict` the line distance and one other over 80 to 159, `others` some of them for other tasks and
losses. Finished runs lie in results/starts/: the same command goes on where it was.
"""

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from figure6 import many_starts, quick, smallest_ratios
from numpy.typing import NDArray
from scipy import stats
from sections import markdown_table, write_section

from effective_theory import (
    Addition,
    Dataset,
    InitialState,
    ToyModel,
    ideal_accuracy,
    label_spread,
    line_distance,
    permutation_group,
    race_ratio,
    reduced_race_ratio,
    train,
)
from effective_theory.figures import Picture
from effective_theory.files import save_figure
from phase_diagrams import Axis, SweepSpec, preset, sweep

PAGE = Path(__file__).with_suffix(".md")
STORE = Path("results/starts/runs.sqlite")
SETS = {"trial": range(80), "verdict": range(80, 160)}
#: A column of Figure 6a at decoder_lr 1e-4: nine ratios from 1 to 100, budget 3e4.
COLUMN = many_starts()
#: Chosen by the trial beside the line distance, before the verdict was run.
CANDIDATE = "line distance after 300 updates"
RESAMPLES = 10_000


@dataclass(frozen=True)
class Start:
    """A random start and what its sweep needs of it."""

    seed: int
    model: ToyModel
    dataset: Dataset
    state: InitialState

    @cached_property
    def memorises_in(self) -> float:
        """Updates times rate until the decoder alone fits the training set; infinite for never."""
        # Any test accuracy will do: the run is to stop with the train accuracy's threshold.
        alone = replace(self.model, embedding_lr=0.0, test_threshold=1e-9)
        step = train(alone, self.dataset, self.state).train_step
        return np.inf if step is None else step * self.model.decoder_lr

    @property
    def off_line(self) -> float:
        """Root mean square distance of the embeddings from the nearest line."""
        embeddings = self.state.embeddings
        return line_distance(embeddings) * float(embeddings.std())

    @property
    def products_apart(self) -> float:
        """Root of the share of variance within labels of the products of training pairs."""
        task = self.dataset.operation
        size = math.isqrt(self.model.embedding_dim)
        matrices = self.state.embeddings.reshape(-1, size, size).astype(float)
        left, right = task.pairs[self.dataset.train].T
        products = (matrices[left] @ matrices[right]).reshape(len(left), -1)
        labels = task.labels[self.dataset.train]
        within = [products[labels == label] for label in set(labels.tolist())]
        apart = sum(((each - each.mean(axis=0)) ** 2).sum() for each in within)
        return float(np.sqrt(apart / ((products - products.mean(axis=0)) ** 2).sum()))

    def after(self, time: float = 0.03, ratio: float = 10.0) -> InitialState:
        """Return the state of a run at one ratio after a time in units of 1 / decoder_lr.

        The default is 300 updates at COLUMN's rate.
        """
        rate = self.model.decoder_lr
        model = replace(
            self.model, embedding_lr=ratio * rate, steps=round(time / rate), stop_when="never"
        )
        run = train(model, self.dataset, self.state)
        return replace(self.state, embeddings=run.embeddings)


Predictors = dict[str, Callable[[Start], float]]

#: What might order starts as the ratio that they need does; larger needs a larger ratio.
PREDICTORS: Predictors = {
    "line distance": lambda start: line_distance(start.state.embeddings),
    "spread within labels": lambda start: label_spread(start.state.embeddings, start.dataset),
    "race ratio, largest slope": lambda start: race_ratio(start.state, start.dataset),
    "race ratio, mean slope": lambda start: race_ratio(start.state, start.dataset, "mean"),
    "reduced system under Adam": lambda start: reduced_race_ratio(
        start.state, start.dataset, decoder_lr=1e-4
    ),
    "rate of memorising": lambda start: 1 / start.memorises_in,
    "line distance over time to memorise": lambda s: (
        line_distance(s.state.embeddings) / s.memorises_in
    ),
    "way to the line over time to memorise": lambda start: start.off_line / start.memorises_in,
    "spread over time to memorise": lambda s: (
        label_spread(s.state.embeddings, s.dataset) / s.memorises_in
    ),
    "line distance after 300 updates": lambda s: line_distance(s.after().embeddings),
}


#: The same for a group, whose representation is no line.
OF_GROUPS: Predictors = {
    "spread of products within labels": lambda start: start.products_apart,
    "rate of memorising": PREDICTORS["rate of memorising"],
    "spread of products over time to memorise": lambda s: s.products_apart / s.memorises_in,
}
#: Starts of the other columns, none of which the choice of a predictor has seen.
OTHER_SEEDS = range(160, 200)


def some_of(*names: str) -> Predictors:
    """Return the predictors of these names."""
    return {name: PREDICTORS[name] for name in names}


def other_columns() -> dict[str, tuple[SweepSpec, Predictors]]:
    """Return other columns, with the predictors that mean something there.

    Their decoder_lr is 3.2e-4 and their budget 1e4, in units of time that of COLUMN.
    """
    rates = tuple(float(f"{ratio * 3.2e-4:.6g}") for ratio in np.geomspace(1, 100, 9))
    model = replace(COLUMN.model, decoder_lr=3.2e-4, steps=10_000)
    usual = replace(COLUMN, axes={"embedding_lr": Axis(rates, "log")}, model=model)
    edge = with_decay(quick(preset("fig6b")), 0.0)
    lines = some_of("line distance", "spread within labels", "reduced system under Adam", CANDIDATE)
    crossed = replace(model, loss="cross_entropy", target_dim=ToyModel().target_dim)
    group = replace(model, embedding_dim=9)
    return {
        "Figure 6b, edge without decay": (replace(edge, start="random"), lines),
        "p = 14": (replace(usual, task=Addition(14), train_size=80), lines),
        "cross-entropy": (replace(usual, model=crossed), lines),
        "S3": (
            replace(usual, task=permutation_group(3), train_size=24, model=group),
            OF_GROUPS,
        ),
    }


def with_decay(spec: SweepSpec, decay: float) -> SweepSpec:
    """Return a sweep over decoder_lr alone, at one weight decay."""
    model = replace(spec.model, decoder_weight_decay=decay)
    return replace(spec, axes={"decoder_lr": spec.grid["decoder_lr"]}, model=model)


def starts(spec: SweepSpec, seeds: range) -> list[Start]:
    """Return the starts whose split allows a test accuracy of 0.9."""
    found = []
    for seed in seeds:
        cell = replace(spec, seeds=(seed,)).cell((0, 0))
        dataset, state = cell.draw()
        # Of a group it is not known beforehand.
        known = dataset.operation.has_line
        if not known or ideal_accuracy(dataset, on="test") >= cell.model.test_threshold:
            found.append(Start(seed, cell.model, dataset, state))
    return found


def ratios(name: str, spec: SweepSpec, some: list[Start]) -> NDArray[np.float64]:
    """Return the smallest ratio at which each start generalises; infinite for none."""
    STORE.parent.mkdir(parents=True, exist_ok=True)
    spec = replace(spec, seeds=tuple(start.seed for start in some))
    return smallest_ratios(sweep(spec, store=STORE, name=name))


# Rank correlations.


def correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return Spearman's rank correlation; infinite values share the last rank."""
    return float(stats.spearmanr(one, other).statistic)


def interval(values: NDArray[np.float64]) -> str:
    """Return the 95 % interval of resampled values."""
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return f"{low:+.2f} to {high:+.2f}"


def ranking(measured: NDArray[np.float64], found: dict[str, NDArray[np.float64]]) -> str:
    """Return a table of rank correlations with bootstrap intervals over starts."""
    rng = np.random.default_rng(0)
    draws = rng.integers(len(measured), size=(RESAMPLES, len(measured)))
    resampled = {
        each: np.array([correlation(values[draw], measured[draw]) for draw in draws])
        for each, values in found.items()
    }
    first = next(iter(found))
    head = ("quantity", "rank correlation with the ratio", "95 %", f"less that of {first}, 95 %")
    rows = [
        (
            *(each, f"{correlation(values, measured):+.2f}", interval(resampled[each])),
            "" if each == first else interval(resampled[each] - resampled[first]),
        )
        for each, values in found.items()
    ]
    return markdown_table(head, rows)


def picture(
    measured: NDArray[np.float64],
    found: dict[str, NDArray[np.float64]],
    reduced: NDArray[np.float64],
) -> Picture:
    """Return the measured ratios against the predictors, and beside the reduced system's."""
    every = {**found, "ratio of the reduced system": reduced}
    figure = Picture(figsize=(3.6 * len(every), 3.6), layout="constrained")
    panels = figure.subplots(1, len(every), sharey=True, squeeze=False)[0]
    for axes, (name, values) in zip(panels, every.items(), strict=True):
        reached = np.isfinite(measured)
        axes.plot(values[reached], measured[reached], "o", alpha=0.6, label="generalises from")
        axes.plot(values[~reached], np.full((~reached).sum(), 178), "x", label="none up to 100")
        axes.set(xlabel=name, yscale="log")
    (equal,) = panels[-1].plot([1, 100], [1, 100], "--", color="#888888", label="as measured")
    panels[-1].set_xscale("log")
    panels[0].set_ylabel("embedding_lr / decoder_lr")
    handles = [*panels[0].lines, equal]
    figure.legend(handles=handles, loc="outside upper center", ncols=3, frameon=False)
    return figure


def main() -> None:
    """Run what is missing, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=[*SETS, "others"])
    name = parser.parse_args().name
    columns = {name: (COLUMN, some_of("line distance", CANDIDATE))}
    if name == "trial":
        columns = {name: (COLUMN, PREDICTORS)}
    elif name == "others":
        columns = other_columns()
    parts = []
    for column, (spec, chosen) in columns.items():
        seeds = SETS.get(name, OTHER_SEEDS)
        some = starts(spec, seeds)
        measured = ratios(column, spec, some)
        found = {each: np.array([of(start) for start in some]) for each, of in chosen.items()}
        never = int(np.isinf(measured).sum())
        title = [f"### {column}", ""] if name == "others" else []
        kept = f"{len(some)} of the starts {seeds[0]} to {seeds[-1]} allow generalisation"
        if not some[0].dataset.operation.has_line:
            kept = (
                f"All {len(some)} starts {seeds[0]} to {seeds[-1]}, as of groups it is not known "
                "which allow generalisation"
            )
        parts += [
            *title,
            f"{kept}; none of the ratios is enough for {never} of them.",
            "",
            ranking(measured, found),
            "",
        ]
        if name == "verdict":
            reduced = np.array([PREDICTORS["reduced system under Adam"](start) for start in some])
            figure = picture(measured, found, reduced)
            save_figure(figure, PAGE.with_suffix(".png"), str(spec))
    text = "\n".join(parts).rstrip()
    print(text)
    write_section(PAGE, name, text)


if __name__ == "__main__":
    main()
