"""Which elements of a submission wait or run, as the cluster says now."""

import os
import subprocess
from pathlib import Path

from effective_theory.checks import RunError
from validation.cluster.submissions import Submission


def live_elements(folder: Path, submission: Submission) -> list[int]:
    """Return the elements of the submission in a folder whose jobs wait or run.

    Raises
    ------
    RunError
        If Slurm does not answer.
    """
    if submission.cluster == "slurm":
        jobs = _slurm_jobs()
        return [k for k, job_id in enumerate(submission.job_ids) if job_id in jobs]
    if submission.cluster == "local":
        # A process of that number may be another's by now; an element's names its logs.
        logs = folder / "logs"
        return [k for k, pid in enumerate(submission.job_ids) if _names(pid, logs)]
    return []


def _slurm_jobs() -> set[str]:
    """Return the ids of this user's jobs that wait or run."""
    command = ["squeue", "--me", "--array", "--noheader", "--format=%i %T"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise RunError(f"Slurm does not say which jobs run ({error}); try again.") from None
    jobs = (line.split() for line in answer.splitlines())
    return {job_id for job_id, state in jobs if state != "COMPLETING"}


def _names(pid: str, folder: Path) -> bool:
    """Return whether an argument of a process is the path of a folder."""
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return any(_is_one_place(argument, folder) for argument in arguments)


def _is_one_place(argument: bytes, folder: Path) -> bool:
    try:
        return os.path.samefile(argument, folder)
    except OSError:  # most arguments are no path
        return False
