"""Make the table and the picture of docs/scaling.md: `python docs/scaling.py`, 5 minutes.

Finished runs lie in results/scaling/runs.sqlite: the same command goes on where it was.
"""

from pathlib import Path

import numpy as np

from effective_theory import Addition, ToyModel
from effective_theory.files import save_figure
from phase_diagrams import Axis, SweepSpec, collapse, sweep

PAGE = Path(__file__).with_suffix(".md")
BEGIN, END = "<!-- made by docs/scaling.py -->\n", "<!-- end -->\n"


def rates(low: float, high: float) -> Axis:
    """Return rates with three steps in each decade."""
    count = round(3 * np.log10(high / low)) + 1
    return Axis(tuple(float(f"{rate:.6g}") for rate in np.geomspace(low, high, count)), "log")


SPEC = SweepSpec(
    Addition(10),
    {"embedding_lr": rates(1e-4, 1e-2), "decoder_lr": rates(1e-5, 1e-3)},
    ToyModel(steps=30_000),
    seeds=(58, 1, 2),
    start="released",
)


def main() -> None:
    """Sweep, and write the table and the picture."""
    store = Path("results/scaling/runs.sqlite")
    store.parent.mkdir(parents=True, exist_ok=True)
    found = collapse(sweep(SPEC, store=store))
    save_figure(found.plot(), PAGE.with_suffix(".png"), str(SPEC))
    before, _, rest = PAGE.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}```\n{found}\n```\n{END}{after}")
    print(found)


if __name__ == "__main__":
    main()
