"""Dask: what scheduling costs for each run, and how well two workers are used.

    python benchmarks/cluster.py [--runs 10000] [--milliseconds 10]

One sweep of short runs, all of the same length, with a store, on two worker processes of
`--dask local`. Kernels are compiled and workers prepared beforehand; a sample of the runs is timed
by itself in this process before and after. Five rounds; medians.

efficiency: time of the runs by themselves / (2 x time of the sweep on Dask)
scheduling: computing time of this process, which holds driver, scheduler and store, and of the
workers, less that of the runs by themselves, for each run
"""

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from machine import describe_machine

from effective_theory import Addition, ToyModel
from phase_diagrams import SweepSpec, sweep
from phase_diagrams.runs.dask_workers import dask_client, dask_workers, prepare_workers
from phase_diagrams.sweeps.axes import Axis
from phase_diagrams.toy.engine import numba_engine, run_cell

if TYPE_CHECKING:
    from distributed import Client

WORKERS = 2
ROUNDS = 5
#: Runs that are timed by themselves.
SAMPLE = 200


def short_runs(runs: int, steps: int) -> SweepSpec:
    """Return a sweep of ``runs`` runs of ``steps`` updates."""
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


def on_dask(spec: SweepSpec, client: "Client") -> tuple[float, float, float]:
    """Return the seconds of a sweep, and the computing time of this process and of the workers."""

    def computed() -> tuple[float, float]:
        return time.process_time(), sum(client.run(time.process_time).values())

    with tempfile.TemporaryDirectory() as folder:
        driver, workers = computed()
        began = time.perf_counter()
        sweep(spec, store=Path(folder) / "runs.sqlite", progress=False)
        seconds = time.perf_counter() - began
        driver_now, workers_now = computed()
    return seconds, driver_now - driver, workers_now - workers


def main() -> None:
    """Print efficiency and the cost of scheduling."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--milliseconds", type=float, default=10.0)
    options = parser.parse_args()
    print(f"{describe_machine()}; cores {sorted(os.sched_getaffinity(0))}")
    spec = short_runs(options.runs // ROUNDS, steps_for(options.milliseconds / 1000))
    figures = []
    with dask_workers("local", WORKERS):
        client = dask_client()
        assert client is not None
        prepare_workers(client, numba_engine(1).prepare())
        alone = [time_alone(spec)]
        for _ in range(ROUNDS):
            seconds, driver, workers = on_dask(spec, client)
            alone.append(time_alone(spec))
            run = (alone[-2] + alone[-1]) / 2
            figures.append(
                (
                    run * spec.size / (WORKERS * seconds),
                    driver / spec.size * 1e3,
                    (workers / spec.size - run) * 1e3,
                )
            )
    efficiency, driver, workers = np.median(figures, axis=0)
    lowest, highest = (choose(row[0] for row in figures) for choose in (min, max))
    print(f"{ROUNDS} x {spec.size} runs of {np.median(alone) * 1e3:.2f} ms:")
    print(f"  efficiency of {WORKERS} workers {efficiency:.3f} ({lowest:.3f} to {highest:.3f})")
    print(f"  driver, scheduler and store {driver:.3f} ms a run")
    print(f"  workers beyond the runs {workers:.3f} ms a run")


if __name__ == "__main__":
    main()
