"""Collecting what elements have finished into the store of their sweep."""

from pathlib import Path

from phase_diagrams import Store, StoreError
from validation.cluster.submissions import submissions


def collect(store: Path, name: str | None = None) -> list[str]:
    """Copy what elements have finished to the store; return a sentence for each damaged element.

    Runs that are there already stay; elements may still be running.

    Parameters
    ----------
    store
        The store of the sweep.
    name
        The sweep's name there; by default all sweeps.

    Raises
    ------
    InputError
        If the record of a submission cannot be used.
    StoreError
        If the sweep's store is damaged.
    """
    damaged = []
    with Store(store) as runs:
        for folder, submission in submissions(store, name).items():
            for element in range(len(submission.batches)):
                try:
                    # What is known of a run only through a longer one is no run of its own.
                    finished = submission.finished(folder, element, exact=True)
                except StoreError as error:
                    damaged.append(f"{error} Its runs count as missing.")
                    continue
                for cell, summary in finished:
                    runs.add(cell, summary, submission.identity, submission.version)
    return damaged
