"""Whole grids on a GPU: batched PyTorch, and the same training step in JAX.

    python benchmarks/gpu.py [--only grid|updates] [--updates 5000] [--steps 100000] [--lanes 2]

1. grid: the 176 cells of Figure 6b, seed 58, budget 1e5, with the engine as it is: every state is
   measured (accuracies, RQI, finiteness), runs stop early. Time and peak memory. Finished cells are
   kept in --store: the same command goes on where it was interrupted, and says how many it ran.
2. updates: all cells go on for --updates updates without stopping, in PyTorch and in JAX (vmap over
   cells, scan over updates; both accuracies, no RQI; float32 without TF32 in both). Time of an
   update of all cells, and the ratio. Of several numbers of --lanes each is timed. Below stand
   the times that AdamW's memory and the products take at the device's measured best.

Without a GPU it says so and does a small version on the CPU, which has a third part:

3. cells: an update of one cell among 32, against one cell alone in a lean PyTorch loop.
"""

import argparse
import math
import os
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from ceilings import device_best
from machine import describe_machine, flop, interleaved_medians
from pytorch_step import lean_pytorch

from phase_diagrams import Cell, SweepSpec, preset, sweep
from phase_diagrams.runs.store import Store
from phase_diagrams.sweeping import stored_results
from validation import torch_engine
from validation.engine.engine import LANES
from validation.engine.lane import Lane
from validation.engine.stacked_model import Shape

# JAX would take most of the GPU's memory at once, and PyTorch needs some.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

#: Each takes three streams of PyTorch's 32, which come again after that.
MOST_LANES = 10


def grid(spec: SweepSpec, device: str, store: Path) -> None:
    """Print time and peak memory of the cells that the store does not have."""
    engine = torch_engine(device)
    with Store(store) as kept:
        done = sum(summary is not None for _, summary in stored_results(spec, kept, engine))
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    began = time.perf_counter()
    diagram = sweep(spec, store=store, engine=engine)
    seconds = time.perf_counter() - began
    print(f"Figure 6b, {spec.size} cells, budget {spec.model.steps}: {diagram}")
    print(f"  {spec.size - done} cells in {seconds:.1f} s by {engine.identity}")
    if device == "cuda":
        print(f"  peak GPU memory {torch.cuda.max_memory_reserved() / 2**20:.0f} MiB")


def batched(cells: list[Cell], device: str, updates: int, count: int = 1) -> Callable[[], int]:
    """Return a function that trains the cells, in some lanes, for at least ``updates`` updates."""
    endless = [replace(c, model=replace(c.model, steps=10**9, stop_when="never")) for c in cells]
    shape = Shape.of(cells[0].model, cells[0].task, cells[0].train_size)
    waiting, places = deque(endless), math.ceil(len(cells) / count)
    lanes = [
        Lane(shape, places, places, torch.device(device), torch.float32, waiting)
        for _ in range(count)
    ]

    def steps() -> int:
        done = 0
        while done < updates:
            done += min(lane.advance() for lane in lanes)
        if device == "cuda":
            torch.cuda.synchronize()
        return done

    return steps


def in_jax(cells: list[Cell], device: str, updates: int) -> Callable[[], int]:
    """Return a function that trains the cells for ``updates`` updates in JAX on the same device."""
    import jax
    from jax_step import jax_grid

    if (platform := jax.default_backend()) != {"cpu": "cpu", "cuda": "gpu"}[device]:
        raise RuntimeError(f"it would train on the {platform}.")
    steps = jax_grid([c.model for c in cells], *cells[0].draw(), updates)
    # Whatever is wrong with an installation shows at its first call.
    steps()
    return steps


def compare_updates(cells: list[Cell], device: str, updates: int, lanes: list[int]) -> None:
    """Print the time of an update of all cells in PyTorch and in JAX."""
    sides = {f"PyTorch, lanes: {n}": batched(cells, device, updates, n) for n in lanes}
    first = next(iter(sides))
    try:
        sides["JAX vmap + scan"] = in_jax(cells, device, updates)
    except (ImportError, RuntimeError) as error:
        print(f"without JAX: {error}")
    medians = interleaved_medians(sides, 3)
    print(f"{len(cells)} cells, {updates} updates each:")
    for name, seconds in medians.items():
        ratio = seconds / medians[first]
        print(f"  {name:18} {seconds * 1e6:9.1f} us an update of all cells, {ratio:5.2f}")


def print_bounds(cells: list[Cell], device: str) -> None:
    """Print what AdamW's memory and the products take at the device's best."""
    model, dataset = cells[0].model, cells[0].split()
    shape = Shape.of(model, dataset.task, dataset.train_size)
    numbers = shape.decoder_size + dataset.task.symbols * model.embedding_dim
    # AdamW reads parameters, moments and gradient, and writes all but the gradient.
    traffic = 7 * 4 * numbers * len(cells)
    products = flop(model, dataset) * len(cells)
    moved, multiplied = device_best(device)
    print("  at the device's best:")
    print(
        f"    AdamW's memory     {traffic / moved * 1e6:9.1f} us,"
        f" {traffic / 1e6:.0f} MB at {moved / 1e9:.0f} GB/s"
    )
    print(
        f"    products           {products / multiplied * 1e6:9.1f} us,"
        f" {products / 1e9:.2f} GFLOP at {multiplied / 1e12:.2f} TFLOP/s"
    )


def compare_cells(cells: list[Cell], updates: int) -> None:
    """Print the time of an update of one cell, in company and alone."""
    one = lean_pytorch(cells[0].model, *cells[0].draw(), updates, with_rqi=True)
    threads = torch.get_num_threads()
    together = batched(cells, "cpu", updates)
    sides = {"lean PyTorch, alone": one, f"one of {len(cells)}": lambda: together() * len(cells)}
    medians = interleaved_medians(sides, 3)
    print(f"an update of one cell, {threads} thread(s):")
    for name, seconds in medians.items():
        ratio = seconds / medians["lean PyTorch, alone"]
        print(f"  {name:20} {seconds * 1e6:9.1f} us, {ratio:5.2f}")


def main() -> None:
    """Print all parts, or one of them."""
    has_gpu = torch.cuda.is_available()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=["grid", "updates", "cells"])
    parser.add_argument("--steps", type=int, default=100_000 if has_gpu else 200)
    parser.add_argument(
        "--lanes", type=int, nargs="+", default=[LANES["cuda" if has_gpu else "cpu"]]
    )
    parser.add_argument("--updates", type=int, default=5000 if has_gpu else 50)
    parser.add_argument("--store", type=Path, default=Path("results/benchmark-gpu.sqlite"))
    options = parser.parse_args()
    if max(options.lanes) > MOST_LANES:
        parser.error(f"lanes must be at most {MOST_LANES}, not {max(options.lanes)}.")
    device = "cuda" if has_gpu else "cpu"
    print(f"{describe_machine()}; PyTorch {torch.__version__}")
    print(torch.cuda.get_device_name() if has_gpu else "no GPU here: a small version on the CPU")
    spec = preset("fig6b")
    spec = replace(spec, model=replace(spec.model, steps=options.steps))
    cells = list(spec.cells())
    if options.only in (None, "grid"):
        grid(spec, device, options.store)
    if options.only in (None, "updates"):
        some = cells if has_gpu else cells[::22]
        compare_updates(some, device, options.updates, options.lanes)
        print_bounds(some, device)
    if options.only == "cells" or (options.only is None and not has_gpu):
        compare_cells(cells[::5][:32], options.updates)


if __name__ == "__main__":
    main()
