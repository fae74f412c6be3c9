"""Whole sweeps: against PyTorch in two processes, two workers against one, and the driver's cost.

    python benchmarks/sweep.py [--cells 100000]

1. The grid of preset released-5b on two workers: wall time, kernels compiled beforehand.
2. A sample of its cells without early stop: two workers and one.
3. A smaller sample: the simulator, and a lean PyTorch loop with the same checks at every update
   (both accuracies, RQI), in two processes of one thread each. Sides take turns; medians.
4. A sweep of runs of one update: time and memory of the driving process for each cell, beside the
   time of the same runs without store and scheduling.
"""

import argparse
import dataclasses
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from machine import describe_machine, interleaved_medians
from pytorch_step import lean_pytorch

from effective_theory import Addition, ToyModel
from effective_theory.training import compile_kernels
from phase_diagrams import Cell, SweepSpec, numba_engine, preset, sweep
from phase_diagrams.sweeps.axes import Axis
from phase_diagrams.toy.engine import run_cell

#: Updates of each run beside PyTorch, and where two workers are compared with one.
SHORT, LONG = 2000, 8000


def pytorch_run(cell: Cell) -> int:
    """Train one cell with PyTorch, with the checks that a sweep makes."""
    return lean_pytorch(cell.model, *cell.draw(), cell.model.steps, with_rqi=True)()


def two_processes(cells: list[Cell]) -> int:
    """Train the cells with PyTorch, two at a time."""
    return sum(Parallel(n_jobs=2)(delayed(pytorch_run)(cell) for cell in cells))


def simulator(cells: list[Cell], workers: int) -> int:
    """Train the cells with the simulator."""
    return sum(summary.steps_run for _, summary in numba_engine(workers).run(cells))


def sample(every: int, updates: int) -> list[Cell]:
    """Return every so many cells of released-5b, each to be run for so many updates."""
    spec = preset("released-5b")
    model = dataclasses.replace(spec.model, steps=updates, stop_when="never")
    return list(dataclasses.replace(spec, model=model).cells())[every // 2 :: every]


def compare(title: str, sides: dict[str, Callable[[], int]]) -> None:
    """Print the time of an update on each side, and its ratio to the first."""
    medians = interleaved_medians(sides, 3)
    first = next(iter(medians.values()))
    print(title)
    for name, seconds in medians.items():
        print(f"  {name:26} {seconds * 1e6:7.1f} us an update, {seconds / first:5.2f}")


def compare_workers() -> None:
    """Print the throughput of two workers and of one."""
    cells = sample(5, LONG)
    sides = {
        "simulator, 2 workers": lambda: simulator(cells, 2),
        "simulator, 1 worker": lambda: simulator(cells, 1),
    }
    compare(f"{len(cells)} cells, {LONG} updates each:", sides)


def compare_pytorch() -> None:
    """Print the throughput of the simulator and of PyTorch, two processes each."""
    cells = sample(11, SHORT)
    sides = {
        "simulator, 2 workers": lambda: simulator(cells, 2),
        "lean PyTorch, 2 processes": lambda: two_processes(cells),
    }
    compare(f"{len(cells)} cells, {SHORT} updates each:", sides)


def time_grid() -> None:
    """Print the wall time of the grid."""
    began = time.perf_counter()
    diagram = sweep(preset("released-5b"), engine=numba_engine(2), progress=False)
    print(f"{diagram.spec.size} cells of released-5b: {time.perf_counter() - began:.1f} s")


def driver(cells: int) -> None:
    """Print what store and scheduling cost for each cell."""
    rates = Axis(tuple(np.geomspace(1e-5, 1e-2, cells // 100)), "log")
    decays = Axis(tuple(np.linspace(0, 10, 100)), "linear")
    spec = SweepSpec(
        Addition(10),
        {"decoder_lr": rates, "decoder_weight_decay": decays},
        ToyModel(width=4, target_dim=2, steps=1),
        seeds=(5,),
    )
    alone = []
    for cell in (spec.cell((0, k, 0)) for k in range(100)):
        began = time.perf_counter()
        run_cell(cell)
        alone.append(time.perf_counter() - began)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        sweep(spec, store=Path(folder) / "runs.sqlite", engine=numba_engine(1), progress=False)
        seconds = time.perf_counter() - began
    growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    run = statistics.median(alone)
    print(f"{spec.size} cells of one update:")
    print(f"  run alone {run * 1e3:.3f} ms, in the sweep {seconds / spec.size * 1e3:.3f} ms a cell")
    print(f"  store and scheduling {(seconds / spec.size - run) * 1e3:.3f} ms a cell")
    print(f"  memory of the driving process {growth / spec.size:.2f} KiB a cell")


def main() -> None:
    """Print all four."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=100_000)
    options = parser.parse_args()
    print(describe_machine())
    compile_kernels()
    time_grid()
    compare_workers()
    compare_pytorch()
    driver(options.cells)


if __name__ == "__main__":
    main()
