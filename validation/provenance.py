"""Where numbers come from: code, versions and machine."""

import datetime
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from effective_theory import InputError
from effective_theory.installation import checkout, package_versions
from effective_theory.machine import describe_machine
from phase_diagrams.runs.origin import SOURCES

if TYPE_CHECKING:
    from validation.engine.engine import TorchEngine

_PACKAGES = ("grokking-effective-theory", "numpy", "scipy", "numba", "joblib")


@dataclass(frozen=True)
class Provenance:
    """What a result was made with.

    Attributes
    ----------
    date
        Day in UTC.
    commit, dirty
        The code: its commit, None outside a git checkout, and whether files differed from it.
    versions
        Of Python, the packages and CUDA.
    machine
        Processor, number of cores and system.
    device
        What PyTorch trained on: the name of the GPU, or "cpu" with its vector instructions.
    flags
        Settings that may change bits: precision of products, threads, cells in a batch.
    """

    date: str
    commit: str | None
    dirty: bool
    versions: dict[str, str]
    machine: str
    device: str
    flags: dict[str, str | int | bool | None]

    @classmethod
    def of(cls, engine: "TorchEngine") -> "Provenance":
        """Return that of what this process computes with the engine."""
        import torch

        from validation.engine.precision import full_precision
        from validation.engine.torch_origin import device_name, torch_versions

        commit, dirty = code_version(allow_dirty=True)
        versions = {
            "python": platform.python_version(),
            **torch_versions(engine.device),
            **package_versions(_PACKAGES),
        }
        with full_precision():
            precision = str(torch.backends.cuda.matmul.fp32_precision)
        return cls(
            date=datetime.datetime.now(datetime.UTC).date().isoformat(),
            commit=commit,
            dirty=dirty,
            versions=versions,
            machine=describe_machine(),
            device=device_name(engine.device),
            flags={
                "fp32_precision": precision,
                "tf32": precision != "ieee",
                "torch_threads": torch.get_num_threads(),
                "cells_per_batch": engine.cells_per_batch,
            },
        )


def code_version(*, allow_dirty: bool) -> tuple[str | None, bool]:
    """Return the commit of this code, and whether files that decide on a run differ from it.

    Raises
    ------
    InputError
        If files differ, or the commit is not known, and that is not allowed.
    """
    commit, changes = checkout(Path(__file__).parents[1], *SOURCES)
    if not allow_dirty and commit is None:
        raise InputError(
            "commit of this code is not known: it is no git checkout; submit from one, "
            "or give --allow-dirty."
        )
    if not allow_dirty and changes:
        raise InputError(
            f"code differs from its commit ({len(changes)} files, such as {changes[0]}); "
            "commit it, or give --allow-dirty."
        )
    return commit, bool(changes)
