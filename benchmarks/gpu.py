"""Whole grids on a GPU: batched PyTorch, and the same training step in JAX.

    python benchmarks/gpu.py [--only grid|updates] [--updates 5000] [--steps 100000]

1. grid: the 176 cells of Figure 6b, seed 58, budget 1e5, with the engine as it is: every state is
   measured (accuracies, RQI, finiteness), runs stop early. Time and peak memory. Finished cells are
   kept in --store: the same command goes on where it was interrupted, and says how many it ran.
2. updates: all cells go on for --updates updates without stopping, in PyTorch and in JAX (vmap over
   cells, scan over updates; both accuracies, no RQI; float32 without TF32 in both). Time of an
   update of all cells, and the ratio.

Without a GPU it says so and does a small version on the CPU, which has a third part:

3. cells: an update of one cell among 32, against one cell alone in a lean PyTorch loop.
"""

import argparse
import dataclasses
import os
import time
from collections.abc import Callable
from pathlib import Path

import torch
from machine import describe_machine, interleaved_medians
from pytorch_step import lean_pytorch

from phase_diagrams import Cell, SweepSpec, preset, sweep
from phase_diagrams.store import Store
from phase_diagrams.sweeping import known
from validation import torch_engine
from validation.batch import Batch
from validation.stacked_model import Shape

# JAX would take most of the GPU's memory at once, and PyTorch needs some.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")


def grid(spec: SweepSpec, device: str, store: Path) -> None:
    """Print time and peak memory of the cells that the store does not have."""
    engine = torch_engine(device)
    with Store(store) as kept:
        done = sum(summary is not None for _, summary in known(spec, kept, engine))
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    began = time.perf_counter()
    diagram = sweep(spec, store=store, engine=engine)
    seconds = time.perf_counter() - began
    print(f"Figure 6b, {spec.size} cells, budget {spec.model.steps}: {diagram}")
    print(f"  {spec.size - done} cells in {seconds:.1f} s by {engine.identity}")
    if device == "cuda":
        print(f"  peak GPU memory {torch.cuda.max_memory_reserved() / 2**20:.0f} MiB")


def batched(cells: list[Cell], device: str, updates: int) -> Callable[[], int]:
    """Return a function that trains the cells together for at least so many updates."""
    models = [dataclasses.replace(c.model, steps=10**9, stop_when="never") for c in cells]
    shape = Shape.of(models[0], cells[0].task, cells[0].train_size)
    batch = Batch(shape, len(cells), torch.device(device), torch.float32)
    for index, (model, cell) in enumerate(zip(models, cells, strict=True)):
        batch.load(index, model, *cell.draw())

    def steps() -> int:
        place = batch.places[0]
        assert place is not None
        began = place.done
        while place.done - began < updates:
            batch.advance()
        if device == "cuda":
            torch.cuda.synchronize()
        return place.done - began

    return steps


def compare_updates(cells: list[Cell], device: str, updates: int) -> None:
    """Print the time of an update of all cells in PyTorch and in JAX."""
    sides = {"batched PyTorch": batched(cells, device, updates)}
    try:
        from jax_step import jax_grid

        dataset, state = cells[0].draw()
        sides["JAX vmap + scan"] = jax_grid([c.model for c in cells], dataset, state, updates)
        import jax

        platform = jax.devices()[0].platform
    except ImportError:
        platform = "not installed"
    medians = interleaved_medians(sides, 3)
    print(f"{len(cells)} cells, {updates} updates each, JAX on {platform}:")
    for name, seconds in medians.items():
        ratio = seconds / medians["batched PyTorch"]
        print(f"  {name:16} {seconds * 1e6:9.1f} us an update of all cells, {ratio:5.2f}")


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
    parser.add_argument("--updates", type=int, default=5000 if has_gpu else 50)
    parser.add_argument("--store", type=Path, default=Path("results/benchmark-gpu.sqlite"))
    options = parser.parse_args()
    device = "cuda" if has_gpu else "cpu"
    print(f"{describe_machine()}; PyTorch {torch.__version__}")
    print(torch.cuda.get_device_name() if has_gpu else "no GPU here: a small version on the CPU")
    spec = preset("fig6b")
    spec = dataclasses.replace(spec, model=dataclasses.replace(spec.model, steps=options.steps))
    cells = list(spec.cells())
    if options.only in (None, "grid"):
        grid(spec, device, options.store)
    if options.only in (None, "updates"):
        compare_updates(cells if has_gpu else cells[::22], device, options.updates)
    if options.only == "cells" or (options.only is None and not has_gpu):
        compare_cells(cells[::5][:32], options.updates)


if __name__ == "__main__":
    main()
