"""A real Slurm on one machine: `make test-slurm` starts it and runs this."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from effective_theory import Addition, ToyModel
from phase_diagrams import SweepSpec, numba_engine, sweep
from tests.stores import stored_rows
from validation.cli import main
from validation.cluster.jobs import live_elements
from validation.cluster.submissions import Submission, submissions

pytestmark = [
    pytest.mark.skipif(
        "RUNNING_ON_TEST_SLURM" not in os.environ,
        reason="needs a Slurm cluster of its own: make test-slurm",
    ),
    pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning"),
]

SPEC = SweepSpec(
    Addition(10),
    {"decoder_lr": [1e-4, 3e-4, 1e-3, 3e-3], "decoder_weight_decay": [0.0, 1.0, 2.0, 3.0]},
    ToyModel(width=50, target_dim=8, steps=100_000, stop_when="never"),
    seeds=(5,),
)
OPTIONS = (
    *("--axis", "decoder_lr=1e-4,3e-4,1e-3,3e-3", "--axis", "decoder_weight_decay=0,1,2,3"),
    *("--width", "50", "--target-dim", "8", "--steps", "100000", "--stop-when", "never"),
    *("--seeds", "5", "--name", "slurm"),
)


def wait_until(happened: Callable[[], bool], seconds: float = 900) -> None:
    """Ask the cluster now and then."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "the cluster takes too long"
        time.sleep(0.5)


def test_a_cancelled_element_is_submitted_again(tmp_path: Path) -> None:
    store = tmp_path / "runs.sqlite"
    command = ["submit", *OPTIONS, "--store", str(store), "--cluster", "slurm", "--elements", "2"]
    command += ["--partition", "main", "--allow-dirty"]
    # One that the cluster has by itself: sbatch is given it, and takes it.
    command += ["--mem", "0", "--sbatch", "comment=a test"]
    assert main(command) == 0
    (folder,) = submissions(store)
    first = Submission.read(folder)

    def done(element: int) -> int:
        return len(first.finished(folder, element))

    wait_until(lambda: done(0) >= 2 and done(1) >= 2)
    subprocess.run(["scancel", first.job_ids[0]], check=True)
    # Slurm itself queues an element again when its node dies: it goes on with what is left.
    subprocess.run(["scontrol", "requeue", first.job_ids[1]], check=True)
    wait_until(lambda: live_elements(folder, first) == [1])
    left = len(first.batches[0]) - done(0)
    assert 0 < left < len(first.batches[0]) and done(1) < len(first.batches[1])

    assert main(command) == 0
    again = submissions(store)[folder.with_name("2")]
    assert sum(len(batch) for batch in again.batches) == left
    every = submissions(store).items()
    wait_until(lambda: not any(live_elements(place, one) for place, one in every))
    assert main(["status", str(store)]) == 0
    assert main(["collect", str(store)]) == 0

    here = tmp_path / "here.sqlite"
    sweep(SPEC, store=here, engine=numba_engine(1), progress=False)
    assert stored_rows(store) == stored_rows(here)
