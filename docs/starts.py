"""Make the tables and the picture of docs/starts.md: `python docs/starts.py trial`, then `verdict`.

The smallest ratio embedding_lr / decoder_lr at which each of 80 random starts generalises, beside
quantities that no run of the sweep is needed for. `trial` ranks them over the starts 0 to 79,
`verdict` the line distance and one other over 80 to 159. Finished runs lie in results/starts/: the
same command goes on where it was, some 2 hours on 2 cores for each.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from figure6 import many_starts, smallest_ratios
from numpy.typing import NDArray
from scipy import stats
from sections import write_section

from effective_theory import (
    Dataset,
    InitialState,
    ToyModel,
    ideal_accuracy,
    label_spread,
    line_distance,
    race_ratio,
    reduced_race_ratio,
    train,
)
from effective_theory.figures import Picture
from effective_theory.files import save_figure
from phase_diagrams import SweepSpec, sweep

PAGE = Path(__file__).with_suffix(".md")
STORE = Path("results/starts/runs.sqlite")
SETS = {"trial": range(80), "verdict": range(80, 160)}
#: Decoder learning rate of all runs.
RATE = many_starts().model.decoder_lr
#: Chosen by the trial beside the line distance, before the verdict was run.
CANDIDATE = "line distance over time to memorise"
RESAMPLES = 10_000


@dataclass(frozen=True)
class Start:
    """A random start and what its sweep needs of it."""

    seed: int
    model: ToyModel
    dataset: Dataset
    state: InitialState

    @property
    def memorises_in(self) -> float:
        """Updates times rate until the decoder alone fits the training set; infinite for never."""
        # Any test accuracy will do: the run is to stop with the train accuracy's threshold.
        alone = replace(self.model, embedding_lr=0.0, test_threshold=1e-9)
        step = train(alone, self.dataset, self.state).train_step
        return np.inf if step is None else step * RATE

    @property
    def off_line(self) -> float:
        """Root mean square distance of the embeddings from the nearest line."""
        embeddings = self.state.embeddings
        return line_distance(embeddings) * float(embeddings.std())

    def after(self, updates: int, ratio: float = 10.0) -> InitialState:
        """Return the state of a run at one ratio after some updates."""
        model = replace(self.model, embedding_lr=ratio * RATE, steps=updates, stop_when="never")
        run = train(model, self.dataset, self.state)
        return replace(self.state, embeddings=run.embeddings)


#: What might order starts as the ratio that they need does; larger needs a larger ratio.
PREDICTORS: dict[str, Callable[[Start], float]] = {
    "line distance": lambda start: line_distance(start.state.embeddings),
    "spread within labels": lambda start: label_spread(start.state.embeddings, start.dataset),
    "race ratio, largest slope": lambda start: race_ratio(start.state, start.dataset),
    "race ratio, mean slope": lambda start: race_ratio(start.state, start.dataset, "mean"),
    "reduced system under Adam": lambda start: reduced_race_ratio(start.state, start.dataset),
    "rate of memorising": lambda start: 1 / start.memorises_in,
    "line distance over time to memorise": lambda s: (
        line_distance(s.state.embeddings) / s.memorises_in
    ),
    "way to the line over time to memorise": lambda start: start.off_line / start.memorises_in,
    "spread over time to memorise": lambda s: (
        label_spread(s.state.embeddings, s.dataset) / s.memorises_in
    ),
    "line distance after 300 updates": lambda s: line_distance(s.after(300).embeddings),
}


def spec(seeds: list[int]) -> SweepSpec:
    """Return a column of Figure 6a, nine ratios from 1 to 100, from random starts."""
    return replace(many_starts(), seeds=tuple(seeds))


def starts(seeds: range) -> list[Start]:
    """Return the starts whose split allows a test accuracy of 0.9."""
    found = []
    for seed in seeds:
        cell = spec([seed]).cell((0, 0))
        dataset, state = cell.draw()
        if (ideal_accuracy(dataset, on="test") or 0) >= cell.model.test_threshold:
            found.append(Start(seed, cell.model, dataset, state))
    return found


def ratios(name: str, some: list[Start]) -> NDArray[np.float64]:
    """Return the smallest ratio at which each start generalises; infinite for none up to 100."""
    STORE.parent.mkdir(parents=True, exist_ok=True)
    diagram = sweep(spec([start.seed for start in some]), store=STORE, name=name)
    return smallest_ratios(diagram)


# Rank correlations.


def correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return Spearman's rank correlation; infinite values share the last rank."""
    return float(stats.spearmanr(one, other).statistic)


def interval(values: NDArray[np.float64]) -> str:
    """Return the 95 % interval of resampled values."""
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return f"{low:+.2f} to {high:+.2f}"


def ranking(name: str, measured: NDArray[np.float64], found: dict[str, NDArray[np.float64]]) -> str:
    """Return a table of rank correlations with bootstrap intervals over starts."""
    rng = np.random.default_rng(0)
    draws = rng.integers(len(measured), size=(RESAMPLES, len(measured)))
    resampled = {
        each: np.array([correlation(values[draw], measured[draw]) for draw in draws])
        for each, values in found.items()
    }
    lines = [
        f"{len(measured)} of the starts {SETS[name][0]} to {SETS[name][-1]} allow generalisation.",
        "",
        "| | rank correlation with the ratio | 95 % | less the line distance's, 95 % |",
        "|---|---|---|---|",
    ]
    for each, values in found.items():
        apart = resampled[each] - resampled["line distance"]
        beside = "" if each == "line distance" else f"{interval(apart)}"
        lines.append(
            f"| {each} | {correlation(values, measured):+.2f} | {interval(resampled[each])} | "
            f"{beside} |"
        )
    return "\n".join(lines)


def picture(measured: NDArray[np.float64], found: dict[str, NDArray[np.float64]]) -> Picture:
    """Return the measured ratios against the predictors."""
    figure = Picture(figsize=(4.2 * len(found), 3.4), layout="constrained")
    panels = figure.subplots(1, len(found), sharey=True, squeeze=False)[0]
    for axes, (name, values) in zip(panels, found.items(), strict=True):
        reached = np.isfinite(measured)
        axes.plot(values[reached], measured[reached], "o", alpha=0.6, label="generalises from")
        axes.plot(values[~reached], np.full((~reached).sum(), 178), "x", label="none up to 100")
        axes.set(xlabel=name, yscale="log")
    panels[0].set_ylabel("embedding_lr / decoder_lr")
    panels[0].legend(frameon=False)
    return figure


def main() -> None:
    """Run what is missing, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=SETS)
    name = parser.parse_args().name
    some = starts(SETS[name])
    measured = ratios(name, some)
    chosen = list(PREDICTORS) if name == "trial" else ["line distance", CANDIDATE]
    found = {each: np.array([PREDICTORS[each](start) for start in some]) for each in chosen}
    table = ranking(name, measured, found)
    print(table)
    write_section(PAGE, name, table)
    if name == "verdict":
        save_figure(picture(measured, found), PAGE.with_suffix(".png"), str(spec([80])))


if __name__ == "__main__":
    main()
