"""Submitting batches of a sweep's cells with submitit: to Slurm, to processes here, or in place."""

import dataclasses
import subprocess
import sys
from pathlib import Path

from submitit import AutoExecutor, Job

from effective_theory import InputError
from effective_theory.checks import RunError, integer
from effective_theory.notes import warn_each
from phase_diagrams import Cell, Engine, Store, SweepSpec, System
from phase_diagrams.runs.engines import chosen_engine
from phase_diagrams.sweeping import enter, long_first, stored_results
from phase_diagrams.sweeps.names import require_name
from phase_diagrams.toy.system import TOY
from validation.cluster.collecting import collect
from validation.cluster.element import Element
from validation.cluster.job_record import Cluster, Device, EngineKind
from validation.cluster.jobs import live_elements
from validation.cluster.resources import Resources
from validation.cluster.submissions import EngineChoice, Submission, new_folder, submissions
from validation.provenance import code_version

#: What libraries read, to know how many threads to use.
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
#: Compiled code on the node's own disk, in a folder that nobody else can write to.
_CACHE = (
    'export NUMBA_CACHE_DIR="${NUMBA_CACHE_DIR:-${TMPDIR:-/tmp}/numba-$UID}"',
    'mkdir -p -m 700 "$NUMBA_CACHE_DIR"; [ -O "$NUMBA_CACHE_DIR" ] || unset NUMBA_CACHE_DIR',
)
#: Walltimes after which an element is queued again; each time it has finished some more runs.
_MOST_WALLTIMES = 100


def _name_and_version(choice: EngineChoice, system: System) -> Engine:
    """Return the engine for its name and version only: a login node may have no GPU."""
    if choice.kind == "torch":
        import torch

        from validation.engine.engine import TorchEngine

        return TorchEngine(torch.device(choice.device), torch.float32)
    return chosen_engine(system, None, choice.jobs)


def submit(
    spec: SweepSpec,
    store: Path,
    name: str,
    *,
    cluster: Cluster,
    engine: EngineKind = "own",
    device: Device | None = None,
    resources: Resources | None = None,
    elements: int = 8,
    allow_dirty: bool = False,
) -> tuple[Path | None, list[Job[int]]]:
    """Submit the runs of a sweep that are neither stored nor in a job that waits or runs.

    What earlier elements have finished is collected first. On "debug" the elements run here, one
    after the other, before this returns.

    Parameters
    ----------
    spec, store, name
        The sweep, its store and its name there.
    cluster
        "slurm"; "local" for processes on this machine, or "debug" for this process.
    engine
        "own" for that of the sweep's system, or "torch", batched PyTorch of toy models.
    device
        "cpu" or "cuda" for PyTorch; "cuda" by default where elements ask for GPUs.
    resources
        What each element asks for.
    elements
        Number of the array's elements at most; long and short runs are dealt out evenly.
    allow_dirty
        Submit although the code differs from its commit.

    Returns
    -------
    folder, jobs
        The submission's folder, None if nothing is missing, and its jobs.

    Raises
    ------
    InputError
        If the code differs from its commit, an argument is wrong, or the cluster has no such
        option.
    RunError
        If the cluster does not take the jobs.

    Warns
    -----
    UserWarning
        For each earlier element whose results are damaged: its runs are submitted again.
    """
    resources = resources if resources is not None else Resources()
    require_name(name)
    integer("elements", elements, 1)
    resources.require_cluster(cluster)
    commit, dirty = code_version(allow_dirty=allow_dirty)
    choice = _choice(engine, device, resources, spec.system)
    if cluster == "slurm" and choice.device == "cuda" and not (resources.gpus or resources.sbatch):
        raise InputError(
            "device cuda needs a GPU for each element; give gpus, such as 1, or an option of "
            "sbatch that asks for one."
        )
    named = _name_and_version(choice, spec.system)
    if spec.system is not TOY:
        _require_known_to_elements(spec)
    warn_each(collect(store, name))
    with Store(store) as runs:
        spec = enter(runs, name, spec)
        places = _missing(spec, runs, named)
    if not places:
        return None, []
    batches = [[list(place) for place in places[k::elements]] for k in range(elements)]
    folder = new_folder(store).absolute()
    submission = Submission(
        name=name,
        spec=spec.to_json(),
        batches=[batch for batch in batches if batch],
        engine=choice,
        identity=named.identity,
        version=named.version,
        cluster=cluster,
        commit=commit,
        dirty=dirty,
    )
    submission.write(folder)
    jobs = _start(folder, submission, resources)
    return folder, jobs


def _require_known_to_elements(spec: SweepSpec) -> None:
    """Raise InputError where another process, as an element's, does not know a sweep's system."""
    read = "import sys; from phase_diagrams import SweepSpec; SweepSpec.from_json(sys.stdin.read())"
    done = subprocess.run(
        [sys.executable, "-c", read], input=spec.to_json(), capture_output=True, text=True
    )
    if done.returncode:
        raise InputError(
            f'system "{spec.system.name}" is not known to other processes, such as elements; '
            "install a package that names its module under the entry point grokking.systems."
        )


def _choice(
    kind: EngineKind, device: Device | None, resources: Resources, system: System
) -> EngineChoice:
    """Return the engine that the options describe; those that have no effect on it are refused."""
    jobs, gpus = resources.cpus, resources.gpus
    if kind == "torch":
        if system is not TOY:
            raise InputError(
                f"engine torch is for toy models; leave it out for the own one of {system.plural}."
            )
        return EngineChoice(kind, device or ("cuda" if gpus else "cpu"), jobs)
    for name, value in (("gpus", gpus), ("device", device)):
        if value:
            raise InputError(f"{name} is for engine torch; {system.plural} run on CPUs here.")
    return EngineChoice(kind, "cpu", jobs)


def _missing(spec: SweepSpec, store: Store, engine: Engine) -> list[tuple[int, ...]]:
    """Return the places of runs that are neither stored nor under way, the long ones first."""
    todo = [cell for cell, summary in stored_results(spec, store, engine) if summary is None]
    under_way = {
        _request(cell, one.identity, one.version)
        for folder, one in submissions(store.path).items()
        for element in live_elements(folder, one)
        for cell in one.cells(element)
    }
    identity = engine.identity, engine.version
    places = [cell.index for cell in todo if _request(cell, *identity) not in under_way]
    return long_first(spec, places)


def threads_command(engine: EngineChoice) -> str:
    """Return the shell command that says how many threads an element's libraries use.

    Runs side by side have one each; a batch of PyTorch has all cores.
    """
    count = engine.jobs if engine.kind == "torch" else 1
    return " ".join(["export", *(f"{name}={count}" for name in _THREADS)])


def _request(cell: Cell, identity: str, version: int) -> tuple[object, ...]:
    """Return what makes two runs the same work."""
    return cell.cell_id, cell.budget, identity, version


def _start(folder: Path, submission: Submission, resources: Resources) -> list[Job[int]]:
    """Hand the elements to the cluster and note their ids."""
    threads = threads_command(submission.engine)
    tasks = [Element(folder, submission, k) for k in range(len(submission.batches))]
    try:
        executor = AutoExecutor(
            folder / "logs",
            cluster=submission.cluster,
            slurm_max_num_timeout=_MOST_WALLTIMES,
            local_max_num_timeout=_MOST_WALLTIMES,
        )
        executor.update_parameters(
            name=submission.name,
            **resources.parameters(),
            slurm_setup=[threads, *_CACHE, *resources.setup],
            local_setup=[threads, *resources.setup],
        )
        jobs: list[Job[int]] = executor.submit_array(tasks)
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        raise RunError(f"{submission.cluster} does not take the jobs ({error}).") from None
    ids = [str(job.job_id) for job in jobs]
    dataclasses.replace(submission, job_ids=ids).write(folder)
    if submission.cluster == "debug":
        for job in jobs:
            # To ask runs it; asked for its result instead, it would start a debugger on failure.
            failure = job.exception()
            if failure is not None:
                raise failure
    return jobs
