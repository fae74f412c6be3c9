"""Dask: what scheduling costs for each run, and how well two workers are used.

    python benchmarks/cluster.py [--runs 10000] [--milliseconds 10]

One sweep of short runs, all of the same length: first in this process, then on a LocalCluster of
two worker processes, with a store each. Kernels are compiled and workers prepared beforehand.

efficiency: time of the runs by themselves / (2 x time of the sweep on Dask)
scheduling: computing time of this process, which holds driver, scheduler and store, and of the
workers, less that of the runs by themselves, for each run
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import joblib
import numpy as np
from distributed import Client, LocalCluster
from machine import describe_machine

from effective_theory import Addition, ToyModel
from effective_theory.training import compile_kernels
from phase_diagrams import SweepSpec, sweep
from phase_diagrams.axes import Axis
from phase_diagrams.dask_workers import prepare_workers
from phase_diagrams.engines import run_cell

WORKERS = 2
#: Runs that are timed by themselves.
SAMPLE = 200


def short_runs(runs: int, steps: int) -> SweepSpec:
    """Return a sweep of so many runs of so many updates."""
    rates = Axis(tuple(np.geomspace(1e-5, 1e-3, runs // 100)), "log")
    decays = Axis(tuple(np.linspace(0, 2, 100)), "linear")
    return SweepSpec(
        Addition(10),
        {"decoder_lr": rates, "decoder_weight_decay": decays},
        ToyModel(width=50, steps=steps, stop_when="never"),
        seeds=(5,),
    )


def time_alone(spec: SweepSpec) -> float:
    """Return the seconds of one run, without store and scheduling."""
    places = np.linspace(0, spec.size - 1, SAMPLE).astype(int)
    cells = [spec.cell(tuple(np.unravel_index(place, spec.shape))) for place in places]
    began = time.process_time()
    for cell in cells:
        run_cell(cell)
    return (time.process_time() - began) / len(cells)


def steps_for(seconds: float) -> int:
    """Return the updates of a run that takes so long."""
    trial = short_runs(SAMPLE, 1000)
    return max(1, round(1000 * seconds / time_alone(trial)))


def main() -> None:
    """Print efficiency and the cost of scheduling."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--milliseconds", type=float, default=10.0)
    options = parser.parse_args()
    print(f"{describe_machine()}; cores {sorted(os.sched_getaffinity(0))}")
    compile_kernels()
    spec = short_runs(options.runs, steps_for(options.milliseconds / 1000))
    alone = time_alone(spec)
    cluster = LocalCluster(n_workers=WORKERS, threads_per_worker=1, dashboard_address=None)
    with cluster, Client(cluster) as client, tempfile.TemporaryDirectory() as folder:
        prepare_workers(client)
        computed = [time.process_time(), *client.run(time.process_time).values()]
        began = time.perf_counter()
        with joblib.parallel_config(backend="dask"):
            sweep(spec, store=Path(folder) / "runs.sqlite", progress=False)
        seconds = time.perf_counter() - began
        computed = [time.process_time() - computed[0]] + [
            now - before
            for now, before in zip(
                client.run(time.process_time).values(), computed[1:], strict=True
            )
        ]
    alone = (alone + time_alone(spec)) / 2
    driver, workers = computed[0] / spec.size, sum(computed[1:]) / spec.size
    print(f"{spec.size} runs of {alone * 1e3:.2f} ms, {spec.model.steps} updates each:")
    print(f"  sweep on {WORKERS} workers {seconds:.1f} s")
    print(f"  efficiency {alone * spec.size / (WORKERS * seconds):.3f}")
    print(f"  driver, scheduler and store {driver * 1e3:.3f} ms a run")
    print(f"  workers beyond the runs {(workers - alone) * 1e3:.3f} ms a run")


if __name__ == "__main__":
    main()
