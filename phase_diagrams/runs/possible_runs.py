"""What holds for every run that an engine can have made: a stored row without it is damaged."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from effective_theory.toy_model import StopWhen
from phase_diagrams.runs.summary import CURVE_COLUMNS, FRACTIONS, RunSummary
from phase_diagrams.sweeps.spec import Cell

#: What is said of a run, and whether it holds.
Claims = Iterator[tuple[bool, str]]

_STEPS = ("train_step", "test_step", "rqi_step", "diverged_step")
#: A float64 share times its number of samples is a whole number up to rounding.
_ROUNDING = 1e-6
#: Sums in float32 may make the least loss, 0, slightly negative.
_LEAST_LOSS = -1e-3


def require_possible(
    run: RunSummary, cell: Cell, steps: int, stop_when: StopWhen, engine: str
) -> None:
    """Check a run of a cell by all that follows from how runs are made and measured.

    Parameters
    ----------
    run
        The run.
    cell
        What was run; its own budget does not matter here.
    steps, stop_when
        Budget of the run, and when it was to stop.
    engine
        Identity of what ran it.

    Raises
    ------
    ValueError
        If no run can be so; the message says in what, as in "the row holds ..".
    """
    for part in (_ends(run, steps, stop_when), _state(run, cell, engine), _curve(run, cell)):
        for holds, otherwise in part:
            if not holds:
                raise ValueError(otherwise)


def _ends(run: RunSummary, steps: int, stop_when: StopWhen) -> Claims:
    """Claims on how the run ended: as its budget would have ended it."""
    known = [step for name in _STEPS if (step := getattr(run, name)) is not None]
    yield run.steps_run >= 0 and min(known, default=0) >= 0, "a negative number of updates"
    yield run.answers(steps, stop_when), "an end before its budget"
    again = run.within(steps, stop_when)
    yield run.steps_run == again.steps_run, "another number of updates than its budget gives"
    yield run.status == again.status, f'the status "{run.status}", which its steps contradict'
    same = all(getattr(run, name) == getattr(again, name) for name in _STEPS)
    yield same, "a crossing after its end"
    if run.diverged_step is not None:
        before = all(step < run.diverged_step for name, step in _crossings(run))
        yield before, "a crossing in the state that diverged"


def _crossings(run: RunSummary) -> list[tuple[str, int]]:
    found = [(name, getattr(run, name)) for name in _STEPS[:3]]
    return [(name, step) for name, step in found if step is not None]


def _state(run: RunSummary, cell: Cell, engine: str) -> Claims:
    """Claims on the last state, and on the best accuracies of all states."""
    diverged = run.diverged_step is not None
    if is_unknown(run):
        # Of a longer run, of which the state after this budget was not kept.
        yield not diverged and bool(np.isnan(run.embeddings).all()), "a state that is known in part"
        return
    for side, size, threshold in _sides(cell):
        best, last = getattr(run, f"best_{side}_accuracy"), getattr(run, f"{side}_accuracy")
        step = getattr(run, f"{side}_step")
        yield _is_share(best, size), f"a best {side} accuracy that is no share of its samples"
        yield math.isnan(last) == diverged, f"a {side} accuracy that contradicts its status"
        if not diverged:
            yield _is_share(last, size), f"a {side} accuracy that is no share of its samples"
            yield last <= best, f"a {side} accuracy above the best one"
        was_measured = run.diverged_step != 0
        yield was_measured or best == 0.0, f"a best {side} accuracy before the first update"
        crossed = was_measured and best >= threshold
        yield (step is not None) == crossed, f"a {side} step that contradicts the best accuracy"
        yield step != run.steps_run or last >= threshold, f"a {side} step without its accuracy"
    defined = cell.task.residual_threshold is not None and not diverged
    yield math.isnan(run.rqi) or (defined and 0.0 <= run.rqi <= 1.0), "an RQI that is none"
    yield run.rqi_step is None or cell.task.residual_threshold is not None, "an RQI that is none"
    above = run.rqi > cell.model.rqi_threshold
    yield above or run.rqi_step != run.steps_run, "an RQI step without its RQI"
    yield not above or run.rqi_step is not None, "an RQI that was not noted"
    # In float64 embeddings may be finite where float32, in which they are kept, has no number.
    lost = np.isnan(run.embeddings) if engine.endswith("float64") else ~np.isfinite(run.embeddings)
    yield diverged or not lost.any(), "embeddings that are not finite"


def is_unknown(run: RunSummary) -> bool:
    """Return whether nothing is known of the run's last state; see `RunSummary.within`."""
    return all(math.isnan(getattr(run, name)) for name in FRACTIONS)


def _sides(cell: Cell) -> list[tuple[str, int, float]]:
    """Return training and test set with their numbers of samples and thresholds."""
    return [
        ("train", cell.train_size, cell.model.train_threshold),
        ("test", cell.task.size - cell.train_size, cell.model.test_threshold),
    ]


def _is_share(value: float, size: int) -> bool:
    return 0.0 <= value <= 1.0 and abs(value * size - round(value * size)) <= _ROUNDING


def _curve(run: RunSummary, cell: Cell) -> Claims:
    """Claims on the learning curve: states of this run, from the first to the last one."""
    curve = dict(zip(CURVE_COLUMNS, run.curve.T, strict=True))
    updates = curve["update"]
    if run.diverged_step == 0:
        yield updates.size == 0, "a learning curve without a state"
        return
    yield updates.size > 0, "no learning curve"
    yield bool(np.isfinite(updates).all()), "a learning curve with an update that is no number"
    whole = bool((np.rint(updates) == updates).all() and (np.diff(updates) > 0).all())
    yield whole and updates[0] == 0, "a learning curve whose updates do not follow each other"
    if run.diverged_step is not None:
        yield updates[-1] < run.steps_run, "a learning curve of the state that diverged"
    elif is_unknown(run):
        yield updates[-1] <= run.steps_run, "a learning curve beyond its end"
    else:
        last = np.array([run.steps_run, run.train_accuracy, run.test_accuracy, run.rqi])
        same = np.array_equal(run.curve[-1, [0, 3, 4, 5]], last, equal_nan=True)
        yield same, "a learning curve that does not end in its last state"
    losses = curve["train_loss"], curve["test_loss"]
    yield bool(np.isfinite(losses[0]).all()), "a training loss that is not finite"
    yield not any((loss < _LEAST_LOSS).any() for loss in losses), "a negative loss"
    for side, size, threshold in _sides(cell):
        accuracy, best = curve[f"{side}_accuracy"], getattr(run, f"best_{side}_accuracy")
        yield bool(((accuracy >= 0) & (accuracy <= 1)).all()), f"a {side} accuracy that is none"
        whole = bool((abs(accuracy * size - np.rint(accuracy * size)) <= _ROUNDING).all())
        yield whole, f"a {side} accuracy that is no share of its samples"
        yield not (accuracy > best).any(), f"a {side} accuracy above the best one"
        step = getattr(run, f"{side}_step")
        yield _crosses(updates, accuracy >= threshold, step), f"a {side} step beside its curve"
    rqi, defined = curve["rqi"], cell.task.residual_threshold is not None
    sound = np.isnan(rqi) | ((rqi >= 0) & (rqi <= 1) & defined)
    yield bool(sound.all()), "an RQI that is none"
    above = rqi > cell.model.rqi_threshold
    yield _crosses(updates, above, run.rqi_step), "an RQI step beside its curve"


def _crosses(updates: NDArray[np.float64], above: NDArray[np.bool_], step: int | None) -> bool:
    """Return whether recorded states may be above a threshold first at ``step``."""
    if step is None:
        return not above.any()
    place = int(np.searchsorted(updates, step))
    recorded = place < len(updates) and updates[place] == step
    return not above[:place].any() and (not recorded or bool(above[place]))
