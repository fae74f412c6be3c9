"""What commands say of the packages' warnings."""

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

from effective_theory.checks import printable
from phase_diagrams.sweeps.names import ChangedSweep


@contextlib.contextmanager
def notes() -> Iterator[None]:
    """Print at once which sweep's name is given to another one; hush what the summary names."""
    shown = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, ChangedSweep):
            print(f"note: {printable(str(message))}", flush=True)
        else:
            shown(message, category, *place, **more)

    with warnings.catch_warnings():
        # Splits that cannot generalise are named in the summary.
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("always", ChangedSweep)
        warnings.showwarning = show
        yield
