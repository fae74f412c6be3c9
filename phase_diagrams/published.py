"""Published tables: what they hold, and how much of it a diagram meets.

In every published table the stored index t is the state after update t, counted from 0, so the
number of completed updates is t + 1; "never" is stored as the budget less one.
"""

import csv
import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from effective_theory import InputError
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.phases import classify
from phase_diagrams.spec import SweepSpec

#: Columns of the published tables, by the field that they sweep.
COLUMNS = {
    "eta_repr": "embedding_lr",
    "eta_dec": "decoder_lr",
    "weight_decay": "decoder_weight_decay",
}

#: Some hundred thousand rows; a file without end would fill the memory.
_MOST_CHARACTERS = 10**7


def completed_updates(index: int, steps: int) -> int | None:
    """Return the completed updates that a stored index stands for; None for "never".

    Parameters
    ----------
    index
        Index of the released code.
    steps
        Budget of the published run, in updates.
    """
    return None if index >= steps - 1 else index + 1


def published_index(step: int | None, steps: int) -> int:
    """Return the index that the released code stores for a crossing, or for "never".

    The very last update cannot be told from "never" there.
    """
    return steps - 1 if step is None else min(max(step - 1, 0), steps - 1)


@dataclass(frozen=True)
class PublishedCell:
    """One row of a published table, converted to completed updates."""

    values: dict[str, float]
    train_step: int | None
    test_step: int | None


@dataclass(frozen=True)
class Agreement:
    """How much of a published table a diagram meets.

    Attributes
    ----------
    cells
        Cells compared.
    labels
        Cells with the published phase.
    steps
        Cells with both steps within ``tolerance`` updates, where "never" equals only "never".
    commonest
        Cells that always saying the commonest published phase would meet.
    """

    cells: int
    labels: int
    steps: int
    commonest: int
    tolerance: int

    def __str__(self) -> str:
        """Return the agreement in one sentence."""
        return (
            f"{self.labels} of {self.cells} labels as published (always the commonest: "
            f"{self.commonest}), {self.steps} cells with both steps within {self.tolerance} updates"
        )


def read_table(path: str | Path, spec: SweepSpec) -> list[PublishedCell]:
    """Return the rows of a published table of train and test steps.

    Parameters
    ----------
    path
        CSV file with the columns of COLUMNS that it sweeps, train_step and test_step.
    spec
        The sweep that is to be compared with the table: it has the same axes, and a budget.

    Raises
    ------
    InputError
        If the file is missing or is not such a table, or its axes are not the sweep's.
    """
    steps = spec.model.steps
    try:
        with open(path, newline="", encoding="utf-8") as file:
            text = file.read(_MOST_CHARACTERS + 1)
        if len(text) > _MOST_CHARACTERS:
            raise InputError(f"table {path} has over {_MOST_CHARACTERS} characters; cut it down.")
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        axes = [column for column in COLUMNS if rows and column in rows[0]]
        if not axes:
            raise InputError(f"table {path} has none of the columns {', '.join(COLUMNS)}.")
        if {COLUMNS[column] for column in axes} != set(spec.grid):
            raise InputError(
                f"table {path} has the axes {', '.join(COLUMNS[column] for column in axes)}, "
                f"this sweep has {', '.join(spec.grid)}."
            )
        return [
            PublishedCell(
                {COLUMNS[column]: _finite(row[column]) for column in axes},
                completed_updates(int(row["train_step"]), steps),
                completed_updates(int(row["test_step"]), steps),
            )
            for row in rows
        ]
    except OSError as error:
        raise InputError(f"table {path} cannot be read ({error.strerror}).") from None
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise InputError(
            f"table {path} is not a table of train and test steps ({error})."
        ) from None


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is not finite")
    return value


def agreement(diagram: PhaseDiagram, table: list[PublishedCell], tolerance: int = 2) -> Agreement:
    """Compare the first seed of a diagram with a published table, rates matched to 1e-9 relative.

    Raises
    ------
    InputError
        If the table's axes or values are not the diagram's.
    """
    spec, phases = diagram.spec, diagram.phases
    measured = diagram.train_step, diagram.test_step
    labels = within = 0
    published = []
    for row in table:
        index = diagram.find(seed=spec.seeds[0], **row.values).index
        phase = classify(row.train_step, row.test_step, lag=spec.lag)
        published.append(phase)
        labels += phases[index] == phase
        ours = (_as_stored(steps[index], spec.model.steps) for steps in measured)
        theirs = (row.train_step, row.test_step)
        within += all(_is_near(a, b, tolerance) for a, b in zip(ours, theirs, strict=True))
    commonest = max((published.count(phase) for phase in set(published)), default=0)
    return Agreement(len(table), int(labels), within, commonest, tolerance)


def _as_stored(step: Any, steps: int) -> int | None:
    """Our step after a round trip through the published index."""
    known = None if step is np.ma.masked else int(step)
    return completed_updates(published_index(known, steps), steps)


def _is_near(ours: int | None, theirs: int | None, tolerance: int) -> bool:
    if ours is None or theirs is None:
        return ours is theirs
    return abs(ours - theirs) <= tolerance
