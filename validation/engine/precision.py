"""Products of matrices in the precision of their numbers."""

import contextlib
from collections.abc import Iterator
from typing import Any

import torch


@contextlib.contextmanager
def full_precision() -> Iterator[None]:
    """Multiply matrices in their own type (no TF32), and put the user's setting back.

    Recurrent networks and convolutions have settings of their own, which are TF32 by default.
    Within it PyTorch refuses to read ``torch.backends.cudnn.allow_tf32``, its older setting.
    """
    cuda, cudnn, mkldnn = torch.backends.cuda, torch.backends.cudnn, torch.backends.mkldnn
    kinds: tuple[Any, ...] = (
        *(cuda.matmul, cudnn.rnn, cudnn.conv),  # type: ignore[attr-defined]
        *(mkldnn.matmul, mkldnn.rnn, mkldnn.conv),  # type: ignore[attr-defined]
    )
    previous = [kind.fp32_precision for kind in kinds]
    try:
        for kind in kinds:
            kind.fp32_precision = "ieee"
        yield
    finally:
        for kind, precision in zip(kinds, previous, strict=True):
            kind.fp32_precision = precision
