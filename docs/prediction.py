"""Make the tables and pictures of docs/prediction.md: `python docs/prediction.py [SECTION ..]`.

What was measured is kept in docs/trials.csv; without it some 5 hours on 2 cores.
"""

import argparse
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sections import markdown_table, write_section
from trials import Trial, fig6a, fig6b, other_settings

from effective_theory.figures import Picture
from effective_theory.files import save_figure
from phase_diagrams import SweepSpec, preset
from phase_diagrams.statistics.probabilities import wilson_interval

PAGE = Path(__file__).with_suffix(".md")
#: Random starts on which no form of the rule and the law was tried before they were fixed.
UNSEEN = {"fig6a": range(10, 20), "fig6b": range(14, 24)}


HEAD = (
    *("start", "probes", "updates", "right", "of predicted", "doubtful"),
    *("updates then", "right then", "commonest", "nearest"),
)


def published_table(figure: str) -> str:
    """Return agreement and cost from the published start beside the baselines."""
    return table([("published", row_of(Trial(figure, preset(figure))))])


def random_table(figure: str, sweep_of: Callable[[int], SweepSpec]) -> str:
    """Return the same for each random start, and medians."""
    rows = {
        str(seed): row_of(Trial(f"{figure}, start {seed}", sweep_of(seed)))
        for seed in UNSEEN[figure]
    }
    return table([*rows.items(), ("median", np.median(list(rows.values()), axis=0).tolist())])


def table(rows: Iterable[tuple[str, Sequence[float]]]) -> str:
    """Return a table of the numbers of `row_of`."""
    lines = []
    for name, values in rows:
        probes, cost, right, alone, doubtful, after, corrected, commonest, nearest = values
        lines.append(
            [
                *(name, f"{probes:.0f}", f"{cost:.1%}", f"{right:.1%}", f"{alone:.1%}"),
                *(f"{doubtful:.0f}", f"{after:.1%}", f"{corrected:.1%}"),
                *(f"{commonest:.1%}", f"{nearest:.1%}"),
            ]
        )
    return markdown_table(HEAD, lines)


def row_of(trial: Trial) -> tuple[float, ...]:
    """Return the numbers of a trial in the order of the table."""
    prediction = trial.prediction
    doubtful = int((trial.measured.measured & ~trial.predicted.measured).sum())
    return (
        *(prediction.probes, trial.cost(trial.predicted)),
        *(trial.agreement(trial.predicted), float(trial.right.mean()), doubtful),
        *(trial.cost(trial.measured), trial.agreement(trial.measured)),
        *(trial.commonest, trial.nearest(prediction.updates)),
    )


#: Bins of stated probabilities.
STATED = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 1.01)


def reliability() -> dict[str, tuple[NDArray[np.float64], NDArray[np.bool_]]]:
    """Return stated probabilities and which cells are right, by setting and for all."""
    trials: dict[str, list[Trial]] = {}
    for name, spec in other_settings():
        trials.setdefault(name.split(", ")[0], []).append(Trial(name, spec))
    trials["all"] = list(chain.from_iterable(trials.values()))
    return {
        name: (
            np.concatenate([trial.stated for trial in some]),
            np.concatenate([trial.right for trial in some]),
        )
        for name, some in trials.items()
    }


def reliability_table() -> str:
    """Return how often predicted labels are right, by their stated probability."""
    found = reliability()

    def row(title: str, low: float, high: float) -> list[str]:
        cells = []
        for stated, right in found.values():
            chosen = right[(stated >= low) & (stated < high)]
            cells.append(f"{chosen.mean():.0%} of {len(chosen)}" if len(chosen) else "")
        return [title, *cells]

    lines = [row(f"{low:g} to {min(high, 1):g}", low, high) for low, high in pairwise(STATED)]
    lines.append(row("0.9 or more", 0.9, np.inf))
    shares = [f"{(stated >= 0.9).mean():.0%}" for stated, _ in found.values()]
    return markdown_table(["stated", *found], [*lines, ["cells with 0.9 or more", *shares]])


def reliability_picture() -> Picture:
    """Return shares that are right against stated probabilities, with 95 % intervals."""
    stated, right = reliability()["all"]
    figure = Picture(figsize=(4.2, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], "--", color="#888888", label="as stated")
    bins = [(stated >= low) & (stated < high) for low, high in pairwise(STATED)]
    bins = [chosen for chosen in bins if chosen.any()]
    mean, share = (np.array([each[chosen].mean() for chosen in bins]) for each in (stated, right))
    counts = np.array([chosen.sum() for chosen in bins], float)
    low, high = wilson_interval(share, counts, 0.95)
    apart = np.maximum([share - low, high - share], 0)
    axes.errorbar(mean, share, apart, fmt="o", capsize=3, label="predicted cells")
    axes.set(xlabel="stated probability", ylabel="share with the measured label")
    axes.legend(loc="upper left", frameon=False)
    return figure


def main() -> None:
    """Run what is missing, and write the tables and the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    given = parser.parse_args()
    if unknown := set(given.sections) - set(SECTIONS):
        parser.error(f"{', '.join(unknown)}: choose from {', '.join(SECTIONS)}")
    for section in given.sections or SECTIONS:
        write_section(PAGE, section, SECTIONS[section]())
        if section in ("fig6a", "fig6b"):
            trial = Trial(section, preset(section))
            path = PAGE.with_name(f"{section}-predicted.png")
            save_figure(trial.predicted.plot(), path, f"predicted: {trial.predicted.spec}")
        if section == "reliability":
            path = PAGE.with_name("reliability.png")
            save_figure(reliability_picture(), path, "predictions of other settings")


#: Parts of the page by name; the first two are of the published start.
SECTIONS: dict[str, Callable[[], str]] = {
    "fig6a": lambda: published_table("fig6a"),
    "fig6b": lambda: published_table("fig6b"),
    "random-fig6a": lambda: random_table("fig6a", fig6a),
    "random-fig6b": lambda: random_table("fig6b", fig6b),
    "reliability": reliability_table,
}


if __name__ == "__main__":
    main()
