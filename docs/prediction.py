"""Make the tables and pictures of docs/prediction.md: `python docs/prediction.py [SECTION ..]`.

What was measured is kept in docs/trials.csv; without it some 5 hours on 2 cores.
"""

import argparse
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from sections import write_section
from trials import Trial, fig6a, fig6b, other_settings

from effective_theory.files import save_figure
from phase_diagrams import preset
from phase_diagrams.prediction.spent import spent

PAGE = Path(__file__).with_suffix(".md")
#: Random starts that had no part in fixing the rule and the law.
UNSEEN = range(10, 20)


HEAD = (
    *("diagram", "probes", "their updates", "right", "of predicted cells", "measured below .9"),
    *("updates then", "right then", "commonest label", "nearest cell for the probes' updates"),
)


def published_table(figure: str) -> list[str]:
    """Return agreement and cost from the published start beside the baselines."""
    return table([(figure, row_of(Trial(figure, preset(figure))))])


def random_trials() -> dict[str, list[Trial]]:
    """Return the trials of random starts by figure."""
    return {
        "fig6a": [Trial(f"fig6a, start {seed}", fig6a(seed)) for seed in UNSEEN],
        "fig6b": [Trial(f"fig6b, start {seed}", fig6b(seed)) for seed in UNSEEN],
    }


def random_table() -> list[str]:
    """Return the same from random starts: medians."""
    return table(
        (f"{figure}, random 10 to 19", np.median([row_of(each) for each in trials], axis=0))
        for figure, trials in random_trials().items()
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
    first, then = spent(trial.predicted), spent(trial.measured)
    doubtful = int((trial.measured.measured & ~trial.predicted.measured).sum())
    return (
        *(trial.predicted.prediction.probes, first.probes / trial.updates),
        *(trial.agreement(trial.predicted), float(trial.right().mean()), doubtful),
        *((then.probes + then.measured) / trial.updates, trial.agreement(trial.measured)),
        *(trial.commonest, trial.nearest(first.probes)),
    )


def reliability_table(named: dict[str, list[Trial]]) -> list[str]:
    """Return how often predicted labels are right, by their stated probability."""
    edges = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 1.01)
    lines = ["| stated | " + " | ".join(named) + " |", "|---" * (len(named) + 1) + "|"]
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        cells = []
        for trials in named.values():
            right = np.concatenate([trial.right(low, high) for trial in trials])
            cells.append(f"{right.mean():.0%} of {len(right)}" if len(right) else "")
        lines.append(f"| {low:g} to {min(high, 1):g} | " + " | ".join(cells) + " |")
    return lines


def reliability_lines() -> list[str]:
    """Return the reliability of predictions that no constant was chosen by."""
    others = {f"{figure}, random 10 to 19": trials for figure, trials in random_trials().items()}
    for name, spec in other_settings():
        others.setdefault(name.split(", ")[0], []).append(Trial(name, spec))
    return reliability_table(others)


def main() -> None:
    """Run what is missing, and write the tables and the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    given = parser.parse_args()
    if unknown := set(given.sections) - set(SECTIONS):
        parser.error(f"{', '.join(unknown)}: choose from {', '.join(SECTIONS)}")
    for section in given.sections or SECTIONS:
        write_section(PAGE, section, "\n".join(SECTIONS[section]()))
        if section in ("fig6a", "fig6b"):
            trial = Trial(section, preset(section))
            path = PAGE.with_name(f"{section}-predicted.png")
            save_figure(trial.predicted.plot(), path, f"predicted: {trial.predicted.spec}")


#: Parts of the page by name; the first two are of the published start.
SECTIONS: dict[str, Callable[[], list[str]]] = {
    "fig6a": lambda: published_table("fig6a"),
    "fig6b": lambda: published_table("fig6b"),
    "random": random_table,
    "reliability": reliability_lines,
}


if __name__ == "__main__":
    main()
