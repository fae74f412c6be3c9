"""Make the table "Delays in other units" of docs/scaling.md: `python docs/delays.py`.

It reads the runs of Figure 6a that docs/trials.csv has.
"""

import argparse
from pathlib import Path
from typing import get_args

import numpy as np
from sections import markdown_table, write_section
from trials import Trial

from phase_diagrams import Phase, PhaseDiagram, preset
from phase_diagrams.phases import GENERALISING
from phase_diagrams.prediction.groups import groups_of
from phase_diagrams.statistics.delays import DelayUnit

PAGE = Path(__file__).with_name("scaling.md")
#: The least delays of the other units: that which calls as many cells grokking as the paper's 1000
#: updates, and a half and twice of it.
PAPER, FACTORS = 1000.0, (0.5, 1.0, 2.0)
ABOUT = """\
Figure 6a from its published start. In each unit the middle row has the least delay that calls about
as many cells grokking as the paper's 1000 updates do, the rows around it half and twice that. The
last column counts, among the ratios at which some cell generalises, those with both labels:"""
NAMES = {"updates": "updates", "train_step": "times the train step", "time": "units of time"}


def leasts(diagram: PhaseDiagram) -> list[tuple[float, DelayUnit]]:
    """Return the least delays that the table has."""
    grokking = int((diagram.phases_by_delay(PAPER, "updates") == Phase.GROKKING).sum())
    found: list[tuple[float, DelayUnit]] = []
    for unit in get_args(DelayUnit):
        largest_first = np.sort(diagram.delay(unit).compressed())[::-1]
        same = PAPER if unit == "updates" else float(f"{largest_first[grokking - 1]:.2g}")
        found += [(factor * same, unit) for factor in FACTORS]
    return found


def table(diagram: PhaseDiagram) -> str:
    """Return how many cells are grokking by delay, and how many ratios have both labels."""
    groups = groups_of(diagram.spec)
    head = ("grokking is a delay of at least", "comprehension", "grokking", "ratios with both")
    rows = []
    for least, unit in leasts(diagram):
        phases = diagram.phases_by_delay(least, unit)
        labels = [{int(phases[cell.index]) for cell in group.cells} for group in groups]
        generalising = [each & set(map(int, GENERALISING)) for each in labels]
        both = sum(len(each) == 2 for each in generalising)
        counts = [str((phases == phase).sum()) for phase in (Phase.COMPREHENSION, Phase.GROKKING)]
        of_ratios = f"{both} of {sum(bool(each) for each in generalising)}"
        rows.append((f"{least:g} {NAMES[unit]}", *counts, of_ratios))
    return f"{ABOUT}\n\n{markdown_table(head, rows)}"


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    write_section(PAGE, "delays", table(Trial("fig6a", preset("fig6a")).exact))
