"""Bring your own trainer: a function of settings and a seed becomes a system of sweeps."""

import hashlib
import inspect
import math
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from effective_theory import InputError
from effective_theory.checks import RunError, finite_array, integer, is_sequence, of_type, shown
from effective_theory.installation import package_versions
from effective_theory.outcome import Status
from effective_theory.toy_model import StopWhen
from phase_diagrams.runs.engines import CellTask, OneByOne
from phase_diagrams.runs.origin import SOURCE, Origin
from phase_diagrams.runs.possible_runs import ClaimedRun, require_possible
from phase_diagrams.runs.summary import CURVE_COLUMNS, RunSummary
from phase_diagrams.sweeps.cell import Cell
from phase_diagrams.sweeps.registry import register_system
from phase_diagrams.sweeps.seeds import Seed
from phase_diagrams.sweeps.starts import Recipe, register_start
from phase_diagrams.sweeps.systems import ACCURACIES, Field, Measure, System


class Trained(NamedTuple):
    """What a trainer returns; a plain tuple in this order will do.

    Attributes
    ----------
    train_step, test_step
        First step with the train or test accuracy at its threshold, from 0 to the budget; None if
        never.
    status
        "finished", "stopped" (as both thresholds were reached, be it in the last step of the
        budget, with ``stop_when="accuracies"``) or "diverged". A run counts as diverged in the step
        after the last one that it reports.
    curve
        Learning curve: columns ``update`` (rising whole numbers), ``train_loss``, ``test_loss``,
        ``train_accuracy`` and ``test_accuracy``, as a dictionary of sequences or a pandas frame.
        All columns but ``update`` may be left out, and so may the curve.
    """

    train_step: int | None
    test_step: int | None
    status: Status = "finished"
    curve: Any = None


#: ``(settings, seed) -> Trained``.
Trainer = Callable[[Any, int], Any]


def register_trainer(
    name: str,
    settings: type[Any],
    trainer: Trainer,
    *,
    version: int = 1,
    fields: Mapping[str, Field] | None = None,
    stop_when: StopWhen = "never",
    unit: str = "update",
    packages: Sequence[str] = (),
) -> System:
    """Register a function that trains a model as a system that can be swept.

    ``SweepSpec(None, axes, settings())`` then sweeps it, with all that sweeps have: a store,
    seeds, refinement, pictures, advice, workers.

    Parameters
    ----------
    name
        The system's name, by which stores know its runs.
    settings
        Frozen dataclass of hyper-parameters, each with a default. Its field ``steps`` is the
        budget, counted in ``unit``: a run with a larger one must pass through the same states.
        Fields ``train_threshold`` and ``test_threshold`` are named in pictures.
    trainer
        ``(settings, seed) -> Trained``; the same arguments must give the same result. It travels
        to the workers.
    version
        Part of what identifies a run: raise it when a change of the code changes results. A changed
        source of ``trainer`` under the same version causes a warning; changes in the code that it
        calls are not noticed.
    fields
        The fields that may be swept, with their scales and labels, and which values make a run
        long; by default all fields.
    stop_when
        "accuracies" if a run ends as soon as both thresholds are reached, "never" if it goes on.
    unit
        What ``steps`` counts, such as "epoch".
    packages
        Packages whose versions are kept with each run, such as ``["scikit-learn"]``.

    Returns
    -------
    System
        The system, which is registered.

    Raises
    ------
    InputError
        If an argument is wrong, or another module has registered a system of that name.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Walk:
    ...     lr: float = 0.1
    ...     steps: int = 100
    >>> def walk(settings, seed):
    ...     step = round(1 / settings.lr) + seed
    ...     return (step, 2 * step, "finished") if 2 * step <= settings.steps else (None, None)
    >>> system = register_trainer("walk", Walk, walk)
    >>> from phase_diagrams import SweepSpec, sweep
    >>> spec = SweepSpec(None, {"lr": [0.01, 0.1]}, Walk(), seeds=[0, 1])
    >>> sweep(spec, n_jobs=1, progress=False).test_step.filled(-1).tolist()
    [[-1, -1], [20, 22]]
    """
    if not callable(trainer):
        raise InputError(
            f"trainer must be a function of settings and a seed, not {shown(trainer)}."
        )
    if not (isinstance(stop_when, str) and stop_when in ("accuracies", "never")):
        raise InputError(f'stop_when must be "accuracies" or "never", not {shown(stop_when)}.')
    if not is_sequence(packages):
        raise InputError(f"packages must be a list of their names, not {shown(packages)}.")
    source = _source(trainer)
    task = _TrainerTask(name, trainer, stop_when, source, tuple(packages))
    system = System(
        name=name,
        settings=settings,
        engine=lambda n_jobs: TrainerEngine(n_jobs, task),
        fields=fields or {},
        measures=_accuracies(settings),
        stops_when=stop_when,
        unit=of_type("unit", unit, str, "text"),
        one_seed=True,
        version=version,
        source=source,
        brought_by=f"run the code that registers it (register_trainer, {trainer.__module__})",
    )
    register_system(system)
    register_start("random", _seed_alone, system=system)
    return system


def _accuracies(settings: Any) -> dict[str, Measure]:
    """Return train and test accuracy with their thresholds, where the settings have these."""
    fields = getattr(settings, "__dataclass_fields__", {})
    held = {side: f"{side}_threshold" for side in ACCURACIES}
    return {
        side: Measure(known.label, held[side] if held[side] in fields else None)
        for side, known in ACCURACIES.items()
    }


def _seed_alone(settings: Any, task: None, train_size: None, seed: Seed) -> tuple[None, int]:
    """Return what a trainer starts from: it has its data and its start from the seed."""
    return None, seed[0]


def _source(trainer: Trainer) -> str | None:
    """Return a hash of the function's source; None where Python does not know it."""
    try:
        text = inspect.getsource(trainer)
    except (OSError, TypeError):
        return None
    return hashlib.sha256(inspect.cleandoc(text).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class TrainerEngine(OneByOne):
    """Runs a user's own trainer, in parallel over cells with joblib."""

    trainer: "_TrainerTask | None" = None
    identity: str = "trainer"
    version: int = 1

    def task(self) -> CellTask:
        """Return what trains a cell."""
        assert self.trainer is not None
        return self.trainer

    def run(self, cells: Iterable[Cell]) -> Iterator[tuple[Cell, RunSummary]]:
        """Yield each cell with its result as it comes; see `OneByOne.run`."""
        # Workers do not know the system, without which not all can be checked.
        for cell, summary in super().run(cells):
            try:
                require_possible([ClaimedRun(summary, cell, cell.budget, self.identity)])
            except ValueError as error:
                raise InputError(
                    f"trainer {cell.system.name!r} returned what it must not: {error}."
                ) from None
            yield cell, summary


@dataclass(frozen=True)
class _TrainerTask:
    """A trainer on its way to a worker."""

    name: str
    trainer: Trainer
    stop_when: StopWhen
    source: str | None
    packages: tuple[str, ...]

    def __call__(self, cell: Cell, recipe: Recipe) -> RunSummary:
        """Train a cell and return what a sweep keeps of it."""
        _, seed = cell.draw(recipe)
        try:
            returned = self.trainer(cell.model, seed)
        except Exception as error:
            raise RunError(
                f"trainer {self.name!r} failed with seed {seed} and {cell.model} "
                f"({type(error).__name__}: {error}); finished runs are kept."
            ) from error
        try:
            return _summary(returned, cell.model.steps, self.stop_when, self._origin())
        except InputError as error:
            raise InputError(f"trainer {self.name!r} returned what it must not: {error}") from None

    def _origin(self) -> Origin:
        versions = {"python": platform.python_version(), **package_versions(self.packages)}
        if self.source is not None:
            versions[f"{SOURCE}{self.name}"] = self.source
        return Origin(platform.machine(), tuple(sorted(versions.items())), None)


def _summary(returned: Any, steps: int, stop_when: StopWhen, origin: Origin) -> RunSummary:
    """Return what a sweep keeps of what a trainer returned, or raise InputError."""
    if not isinstance(returned, tuple) or not 2 <= len(returned) <= len(Trained._fields):
        raise InputError(f"it must be a tuple {Trained._fields}, not {shown(returned)}.")
    train_step, test_step, status, given = Trained(*returned)
    if not (isinstance(status, str) and status in get_args(Status)):
        raise InputError(f"status must be one of {get_args(Status)}, not {shown(status)}.")
    crossings = [
        None if step is None else integer(name, step, 0, steps)
        for name, step in (("train_step", train_step), ("test_step", test_step))
    ]
    reached = None not in crossings and stop_when == "accuracies"
    if status not in (("stopped",) if reached else ("finished", "diverged")):
        raise InputError(
            f'status is {status!r}; a run has "stopped" where both steps are reached and '
            'stop_when="accuracies" was registered, and otherwise "finished" its budget, or '
            '"diverged" before.'
        )
    curve = _curve(given, steps)
    end = max(step for step in crossings if step is not None) if reached else steps
    if status == "diverged":
        end = 1 + int(max([-1, *curve[:, 0], *(s for s in crossings if s is not None)]))
        if end > steps:
            raise InputError('status "diverged" contradicts a state after the last step.')
    last = dict(zip(CURVE_COLUMNS, curve[-1], strict=True)) if len(curve) else {}
    known = last if last.get(CURVE_COLUMNS[0]) == end else {}
    return RunSummary(
        status=status,
        train_step=crossings[0],
        test_step=crossings[1],
        rqi_step=None,
        diverged_step=end if status == "diverged" else None,
        steps_run=end,
        train_accuracy=float(known.get("train_accuracy", math.nan)),
        test_accuracy=float(known.get("test_accuracy", math.nan)),
        best_train_accuracy=math.nan,
        best_test_accuracy=math.nan,
        rqi=math.nan,
        state=np.zeros((0, 0), np.float32),
        curve=curve,
        origin=origin,
    )


def _curve(given: Any, steps: int) -> NDArray[np.float64]:
    """Return a learning curve with all columns, NaN where a trainer gave none."""
    if given is None:
        return np.zeros((0, len(CURVE_COLUMNS)))
    columns = CURVE_COLUMNS[:-1]
    if not hasattr(given, "keys") or "update" not in given or not set(given) <= set(columns):
        raise InputError(
            f"curve must be a dictionary or frame with the column update and some of "
            f"{', '.join(columns[1:])}, not {shown(given)}."
        )
    updates = finite_array("curve update", given["update"], (None,), np.float64)
    curve = np.full((len(updates), len(CURVE_COLUMNS)), np.nan)
    for name in given:
        column = np.asarray(given[name], np.float64)
        if column.shape != updates.shape:
            raise InputError(f"curve {name} must have {len(updates)} values, as update has.")
        curve[:, CURVE_COLUMNS.index(name)] = column
    rising = (np.diff(updates, prepend=-1) > 0).all() and (np.rint(updates) == updates).all()
    if not rising or (updates > steps).any():
        raise InputError(f"curve update must hold rising whole numbers from 0 to {steps}.")
    return curve
