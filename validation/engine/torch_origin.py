"""Where a run comes from that PyTorch trained."""

from functools import cache

import torch

from effective_theory.installation import package_versions
from phase_diagrams.runs.origin import Origin, code_commit

_PACKAGES = ("grokking-effective-theory", "numpy")


@cache
def torch_origin(device: torch.device) -> Origin:
    """Return the origin of what PyTorch computes on a device in this process."""
    versions = {**package_versions(_PACKAGES), **torch_versions(device)}
    return Origin(device_name(device), tuple(sorted(versions.items())), code_commit())


def device_name(device: torch.device) -> str:
    """Return the name of a GPU, or "cpu" with its vector instructions."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"cpu, {torch.backends.cpu.get_cpu_capability()}"


def torch_versions(device: torch.device) -> dict[str, str]:
    """Return the version of PyTorch and, for a GPU, of what it compiles with."""
    # PyTorch's with its build, which the installed package's version may lack.
    versions = {"torch": str(torch.__version__)}
    if device.type == "cuda":
        versions |= {"cuda": str(torch.version.cuda), **package_versions(["triton"])}
    return versions
