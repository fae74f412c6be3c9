"""Make the tables and the picture of docs/scaling.md: `python docs/scaling.py`, 15 minutes.

Finished runs lie in results/scaling/runs.sqlite: the same command goes on where it was.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from sections import markdown_table, write_section

from effective_theory import Addition, ToyModel
from effective_theory.files import save_figure
from phase_diagrams import Axis, Collapse, PhaseDiagram, SweepSpec, collapse, preset, sweep
from phase_diagrams.sweeping import empty_diagram, results
from phase_diagrams.sweeps.cell import Cell
from phase_diagrams.toy.engine import numba_engine

PAGE = Path(__file__).with_suffix(".md")
STORE, STOPS = Path("results/scaling/runs.sqlite"), Path("results/scaling/stops.sqlite")


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

# Where it stops.

#: Ratios of the rates, at each of which all of RATES are run.
RATIOS, RATES = (10.0, 100.0), rates(1e-5, 1e-2)
#: A collapse holds where the median time is off by at most this.
HOLDS = 0.25


def variants() -> dict[str, SweepSpec]:
    """Return sweeps over both rates that differ in one thing."""
    axes = {"embedding_lr": rates(1e-4, 1), "decoder_lr": RATES}
    usual = replace(SPEC, axes=axes)
    model = usual.model
    crossed = replace(model, loss="cross_entropy")
    group = preset("fig6d")
    return {
        "squared loss": usual,
        "weight decay 2": replace(usual, model=replace(model, decoder_weight_decay=2.0)),
        # At the smallest rate none of them gets there within 30 000.
        "batches of 15": replace(usual, model=replace(model, batch_size=15, steps=100_000)),
        "epsilon 1e-12": replace(usual, model=replace(model, adam_epsilon=1e-12)),
        "cross-entropy": replace(usual, model=crossed, start="random", seeds=(1, 2, 3)),
        "S3": replace(
            group, axes=axes, model=replace(group.model, steps=model.steps), seeds=(0, 1, 2),
            start="random",
        ),
    }  # fmt: skip


def along_ratios(name: str, spec: SweepSpec) -> PhaseDiagram:
    """Run the cells of a sweep that have one of the ratios, and no others."""
    diagram = empty_diagram(spec, STOPS, name, numba_engine())
    places = [
        cell.index
        for cell in spec.cells()
        if min(abs(cell.model.embedding_lr / cell.model.decoder_lr / np.array(RATIOS) - 1)) < 1e-3
    ]
    for cell, summary in results(spec, store=STOPS, name=name, places=places):
        diagram.record(cell.index, summary)
    return diagram


def off(found: Collapse, rate: float) -> list[float]:
    """Return by how much the times at one rate are off, train and test alike."""
    return [each.error for each in found.errors() if np.isclose(each.decoder_lr, rate)]


def stops(measured: dict[str, PhaseDiagram]) -> str:
    """Return how far times are off, by rate and variant, and up to which rate the law holds."""
    every = {name: collapse(diagram) for name, diagram in measured.items()}
    rows = []
    last = dict.fromkeys(every, RATES.values[0])
    for rate in RATES.values[1:]:
        cells = []
        for name, found in every.items():
            errors = off(found, rate)
            cells.append(f"{np.median(errors):+.0%} of {len(errors)}" if errors else "none")
            within = bool(errors) and abs(np.median(errors)) <= HOLDS
            # Up to the first rate at which it does not.
            if within and last[name] == RATES.values[RATES.values.index(rate) - 1]:
                last[name] = rate
        rows.append([f"{rate:.3g}", *cells])
    rows.append(["holds up to", *(f"**{rate:.3g}**" for rate in last.values())])
    return markdown_table(["decoder_lr", *every], rows)


# Why.

#: Adam's betas, whose moments remember some 1 / (1 - beta) updates.
MEMORIES = {
    "as it is": (0.9, 0.999),
    "a tenth, of the first moment": (0.0, 0.999),
    "a tenth, of the second": (0.9, 0.99),
    "a tenth, of both": (0.0, 0.99),
}


def memories(known: PhaseDiagram) -> str:
    """Return how far times are off at ten times the rate, with Adam's memory as it is and scaled.

    The moments' memory of 10 and 1000 updates has a unit of its own. At ten times the rate, a tenth
    of it makes it the same in units of time.
    """
    reference, rate = 1e-4, 1e-3
    found: dict[str, list[float]] = {name: [] for name in MEMORIES}
    for cell in known.spec.cells():
        model = cell.model
        ratio = model.embedding_lr / model.decoder_lr
        if not (np.isclose(model.decoder_lr, reference) and np.isclose(RATIOS, ratio).any()):
            continue
        times = [
            float(steps[cell.index]) * reference for steps in (known.train_step, known.test_step)
        ]
        for name, betas in MEMORIES.items():
            for time, step in zip(times, crossings(cell, rate, betas), strict=True):
                if np.isfinite(time) and step is not None:
                    found[name].append(step * rate / time - 1)
    rows = [(name, f"{np.median(errors):+.0%}", str(len(errors))) for name, errors in found.items()]
    return markdown_table(("memory of the moments", "times off", "runs and thresholds"), rows)


def crossings(cell: Cell, rate: float, betas: tuple[float, float]) -> Iterator[int | None]:
    """Yield the updates at which train and test accuracy cross 0.9 at another rate, in PyTorch."""
    import torch

    from validation.judge.plain_training import PlainToyModel

    dataset, state = cell.draw()
    network = PlainToyModel(cell.model, dataset.operation, state, torch.float64)
    pairs, labels = (
        torch.tensor(np.array(each)) for each in (dataset.operation.pairs, dataset.operation.labels)
    )
    ratio = cell.model.embedding_lr / cell.model.decoder_lr
    optimiser = torch.optim.AdamW(
        [
            {"params": [network.embeddings], "lr": ratio * rate},
            {"params": network.decoder.parameters(), "lr": rate},
        ],
        betas=betas, weight_decay=0.0,
    )  # fmt: skip
    sides = [torch.tensor(np.array(side)) for side in (dataset.train, dataset.test)]
    first: list[int | None] = [None, None]
    for update in range(round(3 / rate) + 1):
        with torch.no_grad():
            outputs = network(pairs)
        for k, side in enumerate(sides):
            if first[k] is None and network.accuracy(outputs[side], labels[side]) >= 0.9:
                first[k] = update
        if None not in first:
            break
        optimiser.zero_grad()
        network.loss(network(pairs[sides[0]]), labels[sides[0]]).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    yield from first


def main() -> None:
    """Sweep, and write the tables and the picture."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    STORE.parent.mkdir(parents=True, exist_ok=True)
    found = collapse(sweep(SPEC, store=STORE))
    save_figure(found.plot(), PAGE.with_suffix(".png"), str(SPEC))
    measured = {name: along_ratios(name, spec) for name, spec in variants().items()}
    sections = {
        "law": f"```\n{found}\n```",
        "stops": stops(measured),
        "memories": memories(measured["squared loss"]),
    }
    for section, text in sections.items():
        print(text)
        write_section(PAGE, section, text)


if __name__ == "__main__":
    main()
