"""Refinement: the runs that a finer boundary takes, and how much of it is right.

    python benchmarks/refinement.py [--width 20] [--updates 2000] [--to 8] [--jobs 1]

Decoder learning rate (16 values from 1e-5 to 1e-2) by decoder weight decay (0..10), one seed. The
full fine grid is trained, and the coarse one refined; both come from one store, which changes no
result. Agreement is counted over all cells, and over those with a neighbour of another phase in the
full grid, beside what the coarse grid alone would say (the phase of the nearest coarse cell).
"""

import argparse
import dataclasses
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from machine import describe_machine
from scipy import ndimage

from effective_theory import Addition, ToyModel
from effective_theory.training import compile_kernels
from phase_diagrams import Axis, Source, SweepSpec, numba_engine, refine, sweep
from phase_diagrams.refining import nearest_coarse, refined_spec


def main() -> None:
    """Print runs, share and agreement."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, default=20)
    parser.add_argument("--updates", type=int, default=2000)
    parser.add_argument("--embedding-lr", type=float, default=3e-3)
    parser.add_argument("--lag", type=int, default=200)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--to", type=int, default=8)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    print(describe_machine())
    warnings.simplefilter("ignore")
    compile_kernels()
    axes = {
        "decoder_lr": Axis(tuple(np.geomspace(1e-5, 1e-2, 16)), "log"),
        "decoder_weight_decay": Axis(tuple(range(11)), "linear"),
    }
    model = ToyModel(width=options.width, steps=options.updates, embedding_lr=options.embedding_lr)
    spec = SweepSpec(Addition(10), axes, model, seeds=(options.seed,), lag=options.lag)
    engine = numba_engine(options.jobs)
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "runs.sqlite"
        began = time.perf_counter()
        fine = dataclasses.replace(refined_spec(spec, options.to), refined={})
        full = sweep(fine, store=store, engine=engine)
        seconds = time.perf_counter() - began
        coarse = sweep(spec, store=store, engine=engine)
        refined = refine(coarse, options.to, store=store, engine=engine)
    truth, found = full.phases[..., 0], refined.phases[..., 0]
    counts = ", ".join(f"{phase.label} {n}" for phase, n in full.counts().items() if n)
    print(f"full grid {truth.shape[0]} x {truth.shape[1]}: {seconds:.0f} s; {counts}")
    measured = refined.source[..., 0] == Source.MEASURED
    print(f"runs spent: {measured.sum()} of {truth.size}, {measured.mean():.1%}")
    nearest = nearest_coarse(coarse.phases, refined.spec)
    near = ndimage.maximum_filter(truth, 3) != ndimage.minimum_filter(truth, 3)
    for name, labels in (("refined", found), ("coarse grid alone", nearest[..., 0])):
        right = labels == truth
        print(
            f"{name:18} agrees on {right.mean():7.2%} of all cells, {right[near].mean():7.2%} of "
            f"the {near.sum()} at a boundary"
        )
    print(f"inferred cells that are wrong: {(found != truth).sum()} of {(~measured).sum()}")


if __name__ == "__main__":
    main()
