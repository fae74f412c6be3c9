"""What elements ask the cluster for: what Slurm is given, and what is refused before."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from effective_theory import InputError
from validation.cli import main
from validation.cluster.resources import Resources, sbatch_options

pytest.importorskip("submitit", reason="submitit is not installed")


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Programs of Slurm that take every job and run none."""
    for name, answer in (("sbatch", "Submitted batch job 12"), ("srun", ""), ("squeue", "")):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\necho '{answer}'\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    return tmp_path


def test_slurm_is_given_what_the_command_line_says(slurm: Path) -> None:
    store = slurm / "runs.sqlite"
    command = ["submit", "--axis", "decoder_lr=1e-3,1e-2", "--steps", "9", "--store", str(store)]
    command += ["--allow-dirty", "--partition", "gpu", "--account", "physics", "--qos", "long"]
    command += ["--mem", "16G", "--time", "30", "--cpus", "4", "--engine", "torch", "--gpus", "1"]
    command += ["--sbatch", "constraint=a100|h100", "--sbatch", "mail_type=END", "--elements", "2"]
    assert main(command) == 0
    script = slurm / "runs-jobs" / "1" / "logs" / "12_submission.sh"
    options = {
        line.removeprefix("#SBATCH ")
        for line in script.read_text().splitlines()
        if line.startswith("#SBATCH ")
    }
    assert {
        *("--partition=gpu", "--account=physics", "--qos=long", "--mem=16G", "--time=30"),
        *("--cpus-per-task=4", "--gpus-per-node=1", "--mail-type=END", "--array=0-1%2"),
        "--constraint='a100|h100'",
    } <= options


def test_slurm_keeps_its_defaults_where_nothing_is_said(slurm: Path) -> None:
    store = slurm / "runs.sqlite"
    command = ["submit", "--axis", "decoder_lr=1e-3,1e-2", "--steps", "9", "--store", str(store)]
    assert main([*command, "--allow-dirty"]) == 0
    script = slurm / "runs-jobs" / "1" / "logs" / "12_submission.sh"
    for name in ("partition", "account", "qos", "mem", "gpus"):
        assert f"#SBATCH --{name}" not in script.read_text()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sbatch_options(["exclusive"]), "sbatch must be KEY=VALUE, such as"),
        (lambda: sbatch_options(["=a100"]), "sbatch must be KEY=VALUE, such as"),
        (lambda: sbatch_options(["--constraint=a100"]), "without dashes before them"),
        (lambda: sbatch_options(["constraint="]), "sbatch constraint must be text of one line"),
        (lambda: sbatch_options(["constraint=a\n#SBATCH --x=y"]), "must be text of one line"),
        (lambda: sbatch_options(["con straint=a100"]), "must name long options"),
        (
            lambda: sbatch_options(["mail-type=END", "mail_type=ALL"]),
            "sbatch sets mail-type twice; give it once.",
        ),
        (
            lambda: sbatch_options(["time=20"]),
            "sbatch must not set time; time is an option of its own.",
        ),
        (lambda: sbatch_options(["partition=gpu"]), "partition is an option of its own"),
        (lambda: sbatch_options(["cpus-per-task=2"]), "cpus is an option of its own"),
        (lambda: sbatch_options(["array=0-9"]), "elements is an option of its own"),
        (lambda: sbatch_options(["output=/dev/null"]), "on which elements rely"),
        (lambda: Resources(sbatch={"qos": "long"}), "qos is an option of its own"),
        (lambda: Resources(sbatch=["a=b"]), "sbatch must be a dictionary such as"),  # type: ignore[arg-type]
        (lambda: Resources(account=""), "account must be text of one line that is not empty"),
        (lambda: Resources(qos="a\nb"), "qos must be text of one line"),
        (lambda: Resources(partition=7), "partition must be text, not 7"),  # type: ignore[arg-type]
        (lambda: Resources(mem="much"), "mem must be an amount of memory such as 16G"),
        (lambda: Resources(time=0), "time must be at least 1"),
        (lambda: Resources(cpus=0), "cpus must be at least 1"),
        (lambda: Resources().require_cluster("cloud"), "cluster must be one of slurm, local"),  # type: ignore[arg-type]
        (
            lambda: Resources(mem="1G").require_cluster("debug"),
            "mem is for cluster slurm; leave it out on debug.",
        ),
    ],
)
def test_what_slurm_would_misread_is_refused_in_one_sentence(
    make: Callable[[], Any], message: str
) -> None:
    with pytest.raises(InputError) as failure:
        make()
    assert message in str(failure.value) and "\n" not in str(failure.value)
