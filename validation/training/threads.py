"""Training on one thread, whatever PyTorch is set to."""

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Use one thread, and 0 for numbers too small to be normal, in a ``with`` block.

    With several threads a sum may be taken in another order: bits would depend on the machine. What
    strong weight decay leaves of weights below 1e-38 makes arithmetic ten times slower.
    """
    threads, flushed = torch.get_num_threads(), _flushes()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(flushed)


def _flushes() -> bool:
    """Return whether this thread takes 0 for numbers too small to be normal."""
    return not (torch.full((2,), 1e-39) * 1.0).any()
