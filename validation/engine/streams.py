"""Streams of a GPU, which does their work at the same time; a CPU does all in turn."""

import contextlib
from collections.abc import Iterator

import torch


def new_stream(device: torch.device) -> torch.cuda.Stream | None:
    """Return a stream of a GPU's own; a CPU has none."""
    return torch.cuda.Stream(device) if device.type == "cuda" else None  # type: ignore[no-untyped-call]


def on_stream(stream: torch.cuda.Stream | None) -> contextlib.AbstractContextManager[object]:
    """Return a context in which a GPU's work goes to a stream; without one it does nothing."""
    # PyTorch takes None, too, but starts CUDA even where all is done on the CPU.
    return contextlib.nullcontext() if stream is None else torch.cuda.stream(stream)


class SideStream:
    """A second stream of a device, recorded as a branch when a CUDA graph is captured.

    What is begun here may run until the main stream waits for it, at the same time as the main
    stream's later work. Tensors that it reads must stay as they are until then.

    Parameters
    ----------
    device
        The device; for a CPU everything here does nothing.
    """

    def __init__(self, device: torch.device) -> None:
        self._stream = new_stream(device)

    @contextlib.contextmanager
    def after_main(self) -> Iterator[None]:
        """Put what is done inside beside the main stream, after all that this was given so far."""
        if self._stream is not None:
            self._stream.wait_stream(torch.cuda.current_stream(self._stream.device))
        with on_stream(self._stream):
            yield

    def so_far(self) -> torch.cuda.Event | None:
        """Return a mark behind the work that was put here so far."""
        return None if self._stream is None else self._stream.record_event()

    def main_waits(self, mark: torch.cuda.Event | None) -> None:
        """Let the main stream's next work wait until the mark."""
        if self._stream is not None and mark is not None:
            torch.cuda.current_stream(self._stream.device).wait_event(mark)
