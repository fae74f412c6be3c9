"""Kill a sweep again and again: it must lose and change no run.

One sweep of many short runs is killed, its whole process group by SIGKILL at random moments, until
it has been killed often enough; then it may finish. Every run must be there once, each row byte for
byte that of an undisturbed sweep.
"""

import argparse
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

from machine import describe_machine

from effective_theory import Addition, ToyModel
from phase_diagrams import SweepSpec, numba_engine, sweep


def spec(runs: int) -> SweepSpec:
    """Return a sweep of at least ``runs`` runs of three updates."""
    axes = {
        "decoder_lr": [1e-3 * k for k in range(1, 101)],
        "decoder_weight_decay": [float(decay) for decay in range(-(-runs // 200))],
    }
    model = ToyModel(width=2, target_dim=2, steps=3, stop_when="never")
    return SweepSpec(Addition(3), axes, model, train_size=4, seeds=(0, 1))


def work(runs: int, store: Path, jobs: int) -> None:
    """Sweep, as the process that is killed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        sweep(spec(runs), store=store, engine=numba_engine(jobs), progress=False)


def count(store: Path) -> int:
    """Return how many runs are committed, as any reader sees it."""
    try:
        connection = sqlite3.connect(f"file:{store}?mode=rw", uri=True, timeout=60)
    except sqlite3.Error:
        return 0
    try:
        return int(connection.execute("SELECT count(*) FROM runs").fetchone()[0])
    except sqlite3.Error:
        return 0
    finally:
        connection.close()


def rows(store: Path) -> list[tuple[object, ...]]:
    """Return all runs' rows, sorted."""
    connection = sqlite3.connect(store)
    try:
        return sorted(connection.execute("SELECT * FROM runs").fetchall())
    finally:
        connection.close()


def killed_sweep(runs: int, kills: int, store: Path, draw: random.Random) -> list[int]:
    """Kill the sweep some times, then let it finish; return the runs committed at each kill."""
    left: list[int] = []
    while True:
        command = [sys.executable, __file__, "--work", str(store), "--runs", str(runs)]
        jobs = draw.choice([1, 2])
        process = subprocess.Popen([*command, "--jobs", str(jobs)], start_new_session=True)
        if len(left) < kills:
            done = count(store)
            # Kills are spread over the runs that are left; the moment within a commit is random.
            wanted = done + draw.randrange(1, max(2, 2 * (runs - done) // (kills - len(left) + 1)))
            while process.poll() is None and count(store) < wanted:
                time.sleep(0.02)
            time.sleep(draw.random() * 0.3)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        if process.wait() == 0:
            return left
        left.append(count(store))


def main() -> None:
    """Print what was done and found; exit with 1 if a run is missing or another."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--jobs", type=int, default=1, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work is not None:
        work(options.runs, options.work, options.jobs)
        return
    size = spec(options.runs).size
    with tempfile.TemporaryDirectory() as folder:
        store, reference = Path(folder) / "killed.sqlite", Path(folder) / "reference.sqlite"
        began = time.perf_counter()
        work(options.runs, reference, 1)
        undisturbed = time.perf_counter() - began
        left = killed_sweep(size, options.kills, store, random.Random(options.seed))
        expected, found = rows(reference), rows(store)
    print(describe_machine())
    print(f"{size} runs, undisturbed {undisturbed:.0f} s")
    print(f"{len(left)} kills, seed {options.seed}; runs committed at each: {left}")
    print(f"rows {len(found)}, equal to the undisturbed ones: {found == expected}")
    if found != expected or len(found) != size or len(left) < options.kills:
        sys.exit(1)


if __name__ == "__main__":
    main()
