"""Make the pictures of docs/experiments: `python docs/experiments.py [NAME ..]`, by default all.

Each is a figure of an experiment, which is run first where results/NAME does not hold its runs.
With `--longest 9` experiments are left out whose record took more minutes.
"""

import argparse
from pathlib import Path
from shutil import copyfile

from validation.experiments.ledger import EXPERIMENTS, record_of
from validation.experiments.records import run_experiment

#: The figure of each experiment's page that stands in the documents.
FIGURES = {
    "agop-grokking": 1,
    "digits-grokking": 2,
    "digits-phases": 1,
    "digits-training-size": 1,
    "hu-fractions": 2,
    "hu-fractions-power": 1,
    "hu-mlp": 1,
    "hu-optimizers": 1,
    "kernel-phases": 1,
    "liu-transformer-phases": 1,
    "mohamadi-collapse": 1,
    "mohamadi-escape": 1,
    "mohamadi-kernel": 1,
    "mohamadi-norm": 1,
    "mohamadi-published": 1,
    "transformer-phases": 1,
}
PICTURES = Path(__file__).with_suffix("")


def main() -> None:
    """Run what is missing and copy the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(FIGURES)}")
    parser.add_argument("--longest", type=float, default=float("inf"), metavar="MINUTES")
    given = parser.parse_args()
    if unknown := set(given.names) - set(FIGURES):
        parser.error(f"{', '.join(unknown)}: choose from {', '.join(FIGURES)}")
    for name in given.names or FIGURES:
        experiment = EXPERIMENTS[name]
        record = record_of(experiment)
        if record is not None and record.minutes > given.longest:
            print(f"{name}: left out, some {record.minutes:g} minutes")
            continue
        folder = Path("results") / name
        run_experiment(experiment, folder)
        copyfile(folder / f"figure-{FIGURES[name]}.png", PICTURES / f"{name}.png")
        print(PICTURES / f"{name}.png")


if __name__ == "__main__":
    main()
