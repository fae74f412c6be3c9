"""Where commands leave their files unless they are told."""

from pathlib import Path

_STORE = "runs.sqlite"


def results_of(name: str, out: Path | None = None, store: Path | None = None) -> tuple[Path, Path]:
    """Return the folder of a command's results and its store of runs.

    Parameters
    ----------
    name
        Of the results: without ``out`` they lie in results/NAME.
    out, store
        What the user asks for; without ``store`` it lies in the folder.
    """
    out = out if out is not None else Path("results") / name
    return out, store if store is not None else out / _STORE
