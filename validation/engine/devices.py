"""The devices that PyTorch trains on here."""

import torch

from effective_theory import InputError
from effective_theory.checks import shown

_KINDS = ("cpu", "cuda")


def device_named(device: str | torch.device | None) -> torch.device:
    """Return a device that is there; by default the GPU, where there is one.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        found = torch.device(device)
    except (RuntimeError, TypeError):
        raise InputError(f'device must be "cpu" or "cuda", not {shown(device)}.') from None
    if found.type not in _KINDS:
        raise InputError(f'device must be "cpu" or "cuda", not "{found}".')
    if found.type == "cuda" and (found.index or 0) >= torch.cuda.device_count():
        raise InputError(f'device "{found}" is not there for PyTorch; choose "cpu".')
    return found
