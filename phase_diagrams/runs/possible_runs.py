"""What holds for every run that an engine can have made: a stored row without it is damaged."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phase_diagrams.runs.summary import (
    CROSSINGS,
    CURVE_COLUMNS,
    FRACTIONS,
    STEPS,
    RunSummary,
    curve_columns,
)
from phase_diagrams.sweeps.cell import Cell
from phase_diagrams.sweeps.systems import Budget

#: What is said of a run, and whether it holds.
Claims = Iterator[tuple[bool, str]]

#: A float64 share times its number of samples is a whole number up to rounding.
_ROUNDING = 1e-6
#: Sums in float32 may make the least loss, 0, slightly negative.
_LEAST_LOSS = -1e-3


@dataclass(frozen=True)
class ClaimedRun:
    """What is said to be a run.

    Attributes
    ----------
    summary
        The run.
    cell
        What was run; its own budget does not matter here.
    budget
        How long it could go on, and when it was to stop.
    engine
        Identity of what ran it.
    """

    summary: RunSummary
    cell: Cell
    budget: Budget
    engine: str


def require_possible(runs: Sequence[ClaimedRun]) -> None:
    """Check runs by all that follows from how runs are made and measured.

    Raises
    ------
    ValueError
        If one of them is no run; the message says in what, as in "the row holds ..".
    """
    for run in runs:
        _require(_ends(run.summary, run.budget))
        _require(_width(run.summary, run.cell))
        _require(_state(run.summary, run.cell, run.engine))
    measured = [run for run in runs if run.cell.system.samples is not None]
    _require(_curves(measured))
    for run in runs:
        if run.cell.system.samples is None:
            _require(_curve_of_parts(run.summary))


def _require(claims: Claims) -> None:
    for holds, otherwise in claims:
        if not holds:
            raise ValueError(otherwise)


def _ends(run: RunSummary, budget: Budget) -> Claims:
    """Claims on how the run ended: as its budget would have ended it."""
    crossings = [step for name in STEPS if (step := getattr(run, name)) is not None]
    yield run.steps_run >= 0 and min(crossings, default=0) >= 0, "a negative number of updates"
    yield run.answers(*budget), "an end before its budget"
    again = run.ending(*budget)
    end, status = again["steps_run"], again["status"]
    yield run.steps_run == end, "another number of updates than its budget gives"
    yield run.status == status, f'the status "{run.status}", which its steps contradict'
    same = all(getattr(run, name) == again[name] for name in STEPS)
    yield same, "a crossing after its end"
    if run.diverged_step is not None:
        before = all(step < run.diverged_step for name, step in _crossings(run))
        yield before, "a crossing in the state that diverged"


def _width(run: RunSummary, cell: Cell) -> Claims:
    """Claims on the columns of the learning curve."""
    columns = len(curve_columns(cell.system))
    yield run.curve.ndim == 2 and run.curve.shape[1] == columns, "a curve with other columns"


def _crossings(run: RunSummary) -> list[tuple[str, int]]:
    crossings = [(name, getattr(run, name)) for name in CROSSINGS]
    return [(name, step) for name, step in crossings if step is not None]


def _state(run: RunSummary, cell: Cell, engine: str) -> Claims:
    """Claims on the last state, and on the best accuracies of all states."""
    yield run.state.size == math.prod(cell.state_shape), "a state of another size"
    if cell.system.samples is None:
        yield _are_shares([getattr(run, name) for name in FRACTIONS]), "an accuracy that is none"
        return
    diverged = run.diverged_step is not None
    if is_unknown(run):
        # Of a longer run, of which the state after this budget was not kept.
        yield not diverged and bool(np.isnan(run.state).all()), "a state that is known in part"
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
    least = _rqi_threshold(cell)
    defined = least is not None and not diverged
    yield math.isnan(run.rqi) or (defined and 0.0 <= run.rqi <= 1.0), "an RQI that is none"
    yield run.rqi_step is None or least is not None, "an RQI that is none"
    above = least is not None and run.rqi > least
    yield above or run.rqi_step != run.steps_run, "an RQI step without its RQI"
    yield not above or run.rqi_step is not None, "an RQI that was not noted"
    # In float64 embeddings may be finite where float32, in which they are kept, has no number.
    lost = np.isnan(run.state) if engine.endswith("float64") else ~np.isfinite(run.state)
    yield diverged or not lost.any(), "embeddings that are not finite"


def is_unknown(run: RunSummary) -> bool:
    """Return whether nothing is known of the run's last state; see `RunSummary.within`."""
    return all(math.isnan(getattr(run, name)) for name in FRACTIONS)


def _rqi_threshold(cell: Cell) -> float | None:
    """Return RQI's threshold; None where the run has no RQI."""
    defined = "rqi" in cell.system.defined(cell.task)
    return cell.system.threshold("rqi", cell.model) if defined else None


def _sides(cell: Cell) -> list[tuple[str, int, float]]:
    """Return training and test set with their numbers of samples and thresholds."""
    system, settings = cell.system, cell.model
    assert system.samples is not None
    sizes = system.samples(settings, cell.task, cell.train_size)
    sides = zip(("train", "test"), sizes, strict=True)
    return [(side, size, _known(system.threshold(side, settings))) for side, size in sides]


def _known(threshold: float | None) -> float:
    """Return a threshold that a system with samples has."""
    assert threshold is not None
    return threshold


def _is_share(value: float, size: int) -> bool:
    return 0.0 <= value <= 1.0 and abs(value * size - round(value * size)) <= _ROUNDING


def _are_shares(values: Any) -> bool:
    """Return whether values are from 0 to 1 where they are known."""
    known = np.asarray(values, float)
    return bool((np.isnan(known) | ((known >= 0) & (known <= 1))).all())


def _curves(runs: Sequence[ClaimedRun]) -> Claims:
    """Claims on the learning curves of runs: each of its run's states, from first to last.

    All curves are checked at once, one below the other: one by one they would take most of the
    time that a stored run does.
    """
    without = [run.summary.diverged_step == 0 for run in runs]
    empty = [run.summary.curve.size == 0 for run in runs]
    yield all(empty[k] for k in np.flatnonzero(without)), "a learning curve without a state"
    runs = [run for run, is_without in zip(runs, without, strict=True) if not is_without]
    if not runs:
        return
    yield not any(run.summary.curve.size == 0 for run in runs), "no learning curve"
    lengths = [len(run.summary.curve) for run in runs]
    ends = np.cumsum(lengths)
    rows = np.concatenate([run.summary.curve[:, : len(CURVE_COLUMNS)] for run in runs])
    columns = dict(zip(CURVE_COLUMNS, rows.T, strict=True))
    updates = columns["update"]
    yield bool(np.isfinite(updates).all()), "a learning curve with an update that is no number"
    is_first = np.zeros(len(rows), bool)
    is_first[ends - lengths] = True
    whole = bool((np.rint(updates) == updates).all())
    follow = bool(np.where(is_first, updates == 0, np.diff(updates, prepend=0) > 0).all())
    yield whole and follow, "a learning curve whose updates do not follow each other"
    yield from _last_states(runs, rows[ends - 1])
    losses = columns["train_loss"], columns["test_loss"]
    yield bool(np.isfinite(losses[0]).all()), "a training loss that is not finite"
    yield not any((loss < _LEAST_LOSS).any() for loss in losses), "a negative loss"
    sides = [_sides(run.cell) for run in runs]
    for place, side in enumerate(("train", "test")):
        size, threshold = np.repeat([run[place][1:] for run in sides], lengths, axis=0).T
        bests = [getattr(run.summary, f"best_{side}_accuracy") for run in runs]
        accuracy, best = columns[f"{side}_accuracy"], np.repeat(bests, lengths)
        yield bool(((accuracy >= 0) & (accuracy <= 1)).all()), f"a {side} accuracy that is none"
        shares = bool((abs(accuracy * size - np.rint(accuracy * size)) <= _ROUNDING).all())
        yield shares, f"a {side} accuracy that is no share of its samples"
        yield not (accuracy > best).any(), f"a {side} accuracy above the best one"
        step = np.repeat([_step(run.summary, f"{side}_step") for run in runs], lengths)
        yield _cross(updates, accuracy >= threshold, step), f"a {side} step beside its curve"
    rqi = columns["rqi"]
    # Where a run has no RQI nothing is above its threshold.
    thresholds = [_rqi_threshold(run.cell) for run in runs]
    threshold = np.repeat([math.nan if each is None else each for each in thresholds], lengths)
    sound = np.isnan(rqi) | ((rqi >= 0) & (rqi <= 1) & ~np.isnan(threshold))
    yield bool(sound.all()), "an RQI that is none"
    above = rqi > threshold
    step = np.repeat([_step(run.summary, "rqi_step") for run in runs], lengths)
    yield _cross(updates, above, step), "an RQI step beside its curve"


def _curve_of_parts(run: RunSummary) -> Claims:
    """Claims on a learning curve of which not every column need be known."""
    columns = dict(zip(CURVE_COLUMNS, run.curve[:, : len(CURVE_COLUMNS)].T, strict=True))
    updates = columns.pop("update")
    follow = bool((np.rint(updates) == updates).all() and (np.diff(updates, prepend=-1) > 0).all())
    yield follow, "a learning curve whose updates do not follow each other"
    yield not (updates > run.steps_run).any(), "a learning curve beyond its end"
    fractions = [values for name, values in columns.items() if name.endswith(("accuracy", "rqi"))]
    yield _are_shares(fractions), "a learning curve with an accuracy that is none"


def _last_states(runs: Sequence[ClaimedRun], rows: NDArray[np.float64]) -> Claims:
    """Claims on the last row of each learning curve: the run's last state, where it is kept."""
    ends, updates = np.array([run.summary.steps_run for run in runs]), rows[:, 0]
    diverged = np.array([run.summary.diverged_step is not None for run in runs])
    unknown = np.array([is_unknown(run.summary) for run in runs]) & ~diverged
    before = (updates < ends)[diverged].all()
    yield bool(before), "a learning curve of the state that diverged"
    yield bool((updates <= ends)[unknown].all()), "a learning curve beyond its end"
    kept = {"update": "steps_run"} | {name: name for name in CURVE_COLUMNS if name in FRACTIONS}
    last = np.array([[getattr(run.summary, name) for name in kept.values()] for run in runs], float)
    whole = ~(diverged | unknown)
    columns = [CURVE_COLUMNS.index(name) for name in kept]
    same = np.array_equal(rows[whole][:, columns], last[whole], equal_nan=True)
    yield same, "a learning curve that does not end in its last state"


def _step(run: RunSummary, name: str) -> float:
    """Return a step, or infinity where it was never reached."""
    step: int | None = getattr(run, name)
    return math.inf if step is None else step


def _cross(
    updates: NDArray[np.float64], above: NDArray[np.bool_], step: NDArray[np.float64]
) -> bool:
    """Return whether recorded states may be above a threshold first at ``step``."""
    return bool(np.where(updates < step, ~above, above | (updates != step)).all())
