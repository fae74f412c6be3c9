"""``submit``: hand what is missing of a sweep to a cluster."""

from dataclasses import dataclass

import tyro

from effective_theory.shell import require_extra
from phase_diagrams.commands.options import SweepOptions
from phase_diagrams.commands.places import results_of
from validation.cluster.job_record import Cluster, Device, EngineKind


@dataclass(frozen=True)
class Submit(SweepOptions):
    """Submit the runs of a sweep that are missing, as an array of jobs.

    The same command submits again what jobs have left undone. `status` says how far they are,
    `collect` brings their results into the store.
    """

    system: str | None = None
    """What is swept, by its name (default: toy); with --help beside it, the options it has."""
    cluster: Cluster = "slurm"
    """Slurm; processes on this machine; or this process, one element after the other."""
    engine: EngineKind = "own"
    """The system's own, for toy models the simulator, or batched PyTorch for them."""
    device: Device | None = None
    """Where PyTorch trains (default: cuda with --gpus, otherwise cpu)."""
    elements: int = 8
    """Number of the array's elements at most; the runs are dealt out evenly."""
    partition: str | None = None
    """Slurm's partition (default: Slurm's own)."""
    account: str | None = None
    """Account that Slurm charges (default: your own)."""
    qos: str | None = None
    """Slurm's quality of service (default: Slurm's own)."""
    mem: str | None = None
    """Memory for each element in Slurm's words, such as 16G (default: Slurm's own)."""
    sbatch: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """KEY=VALUE: a further option of sbatch, such as constraint=a100; may be repeated."""
    gpus: int = 0
    """GPUs for each element."""
    cpus: int = 1
    """Cores for each element, which trains as many runs at a time; threads of engine torch."""
    time: int = 60
    """Walltime of an element in minutes; then it is queued again and goes on."""
    setup: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """Shell command before an element starts, such as "module load cuda"; may be repeated."""
    allow_dirty: bool = False
    """Submit although the code differs from its commit."""

    def run(self) -> None:
        """Submit."""
        require_extra("cluster", "submitit")
        if self.engine == "torch":
            require_extra("validation", "torch")
        from validation.cluster.resources import Resources, sbatch_options
        from validation.cluster.submitting import submit

        spec = self.spec()
        name = self.name_of(spec)
        _, store = results_of(name, store=self.store)
        resources = Resources(
            partition=self.partition,
            account=self.account,
            qos=self.qos,
            mem=self.mem,
            gpus=self.gpus,
            cpus=self.cpus,
            time=self.time,
            setup=self.setup,
            sbatch=sbatch_options(self.sbatch),
        )
        folder, jobs = submit(
            spec,
            store,
            name,
            cluster=self.cluster,
            engine=self.engine,
            device=self.device,
            resources=resources,
            elements=self.elements,
            allow_dirty=self.allow_dirty,
        )
        if folder is None:
            print(f"{name}: nothing to submit; all {spec.size} runs are stored or under way.")
            return
        ids = ", ".join(str(job.job_id) for job in jobs)
        print(f"{name}: {len(jobs)} elements submitted as {ids}; records and logs in {folder}")
        print(f"next: python -m validation status {store}")
