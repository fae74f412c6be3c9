"""One BLAS thread while a kernel runs.

A training step is too small for two threads, and the order of their sums would change the bits.
"""

import importlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits

_lock = threading.Lock()
_users = 0
_limits: threadpool_limits | None = None


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Hold BLAS at one thread; the last of several concurrent users puts the old number back."""
    global _users, _limits
    with _lock:
        _users += 1
        if _users == 1:
            # Numba takes its products from SciPy's BLAS, which must be loaded to be limited.
            importlib.import_module("scipy.linalg.cython_blas")
            _limits = threadpool_limits(limits=1, user_api="blas")
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0 and _limits is not None:
                _limits.restore_original_limits()
                _limits = None
