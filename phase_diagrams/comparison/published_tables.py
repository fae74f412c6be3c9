"""Published tables beside the sweep that they are to be compared with.

In every published table the stored index t is the state after update t, counted from 0, so the
number of completed updates is t + 1; "never" is stored as the budget less one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from effective_theory import InputError
from effective_theory.checks import integer
from effective_theory.toy_model import MOST_STEPS
from phase_diagrams.comparison.table_files import (
    StepTable,
    TableRow,
    read_step_tables,
    table_text,
)
from phase_diagrams.sweeps.axes import same_number
from phase_diagrams.sweeps.description import named_settings
from phase_diagrams.sweeps.presets import preset, preset_names
from phase_diagrams.sweeps.registry import first_system
from phase_diagrams.sweeps.spec import SweepSpec
from phase_diagrams.sweeps.systems import BUDGET
from phase_diagrams.wording import describe, place_name, seed_name


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
    """One row of a table, converted to completed updates.

    Attributes
    ----------
    values
        By axis.
    train_step, test_step, diverged_step
        Completed updates; None where never.
    steps
        The table's budget.
    last
        The last update at which the table tells a crossing from "never".
    """

    values: dict[str, Any]
    train_step: int | None
    test_step: int | None
    steps: int
    last: int
    diverged_step: int | None = None


@dataclass(frozen=True)
class PublishedTable:
    """The rows of a table that are to be compared with a sweep.

    Attributes
    ----------
    cells
        The rows.
    notes
        What the table does not say and was assumed, in words.
    """

    cells: tuple[PublishedCell, ...]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.cells)

    def __iter__(self) -> Iterator[PublishedCell]:
        """Yield the rows."""
        return iter(self.cells)


def read_table(path: str | Path, spec: SweepSpec, steps: int | None = None) -> PublishedTable:
    """Return the rows of a table of train and test steps, for comparison with a sweep.

    A runs.csv of this project counts completed updates and leaves "never" empty; every other table
    holds indices as the published ones do.

    Parameters
    ----------
    path
        Table with a column for each axis, by its field or as the system's published tables name
        it, with train_step and test_step; see `table_files.read_step_tables` for its forms.
    spec
        The sweep that is to be compared with the table: it has the same axes.
    steps
        The table's budget in updates; by default its largest index + 1, which must stand for
        "never": more than one row has it, or the sweep's budget ends there. A table that tells
        "never" otherwise is taken to have the sweep's budget, if its steps are within that.

    Raises
    ------
    InputError
        If the file is missing or is not such a table; if its axes, its task, its loss or its number
        of training samples are not the sweep's; if its budget cannot be told, or the sweep's is so
        much smaller that no label of the table is decided within it.
    """
    if steps is not None:
        steps = integer("table_steps", steps, 1, MOST_STEPS)
    table = _fitting(path, read_step_tables(path, spec.system), spec)
    table = _of_first_seed(path, table, spec)
    _require_fixed_fields(path, table, spec)
    notes = [_not_named(table, spec) if table.ours else _taken_for(path, table, spec)]
    budget, assumed = _budget(path, table, spec, steps)
    if assumed:
        notes.append(f"the table does not say its budget, taken as {budget} updates like ours")
    cells = tuple(_published_cell(row, table.ours, budget, spec) for row in table.rows)
    _require_decided(path, cells, spec)
    return PublishedTable(cells, tuple(filter(None, notes)))


def _fitting(path: str | Path, tables: list[StepTable], spec: SweepSpec) -> StepTable:
    """Return the table that has the sweep's axes and most of its cells, each of them once."""
    named = [table for table in tables if set(_axes(table, spec)) == set(spec.grid)]
    if not named:
        raise InputError(
            f"table {path} has the axes {', '.join(_axes(tables[0], spec))}, "
            f"this sweep has {', '.join(spec.grid)}."
        )
    shared = [len({_index(row, spec) for row in table.rows} - {None}) for table in named]
    if not max(shared):
        values = named[0].rows[0].values
        raise InputError(
            f"table {path} has no cell of this sweep: its first row has "
            f"{place_name({name: describe([values[name]]) for name in spec.grid})}."
        )
    if shared.count(max(shared)) > 1:
        raise InputError(
            f"table {path} holds several tables that fit this sweep: "
            f"{', '.join(table.name or 'one without name' for table in named)}; keep one of them."
        )
    return named[shared.index(max(shared))]


def _axes(table: StepTable, spec: SweepSpec) -> tuple[str, ...]:
    """Return the fields that the sweep varies, and those that the table does."""
    return tuple(
        name
        for name in table.fields
        if name in spec.grid
        or (name != BUDGET and len({row.values[name] for row in table.rows}) > 1)
    )


def _index(row: TableRow, spec: SweepSpec) -> tuple[int, ...] | None:
    """Return the place of a row on the axes; None if it is on none of the sweep's cells."""
    try:
        return tuple(axis.index(row.values[name]) for name, axis in spec.grid.items())
    except InputError:
        return None


def _of_first_seed(path: str | Path, table: StepTable, spec: SweepSpec) -> StepTable:
    """Return the rows of the sweep's first seed, where rows name seeds; no cell is left twice."""
    seed = spec.seeds[0]
    rows = tuple(row for row in table.rows if row.seed in (None, seed))
    if not rows:
        raise InputError(f"table {path} has no row of the sweep's first seed, {seed_name(seed)}.")
    places = [place for place in (_index(row, spec) for row in rows) if place is not None]
    if len(set(places)) < len(places):
        raise InputError(f"table {path} has two rows of one cell; keep one of them.")
    return replace(table, rows=rows)


def _require_fixed_fields(path: str | Path, table: StepTable, spec: SweepSpec) -> None:
    """Check the fields that the table names and the sweep does not vary, such as the loss."""
    for name in table.fields:
        if name in spec.grid or name == BUDGET:
            continue
        theirs = table.rows[0].values[name]
        ours = getattr(spec.model if name in spec.system.all_fields else spec, name)
        if not (_is_equal(theirs, ours) or (table.ours and theirs == table_text(ours))):
            raise _of_another_sweep(path, name, describe([theirs]), describe([ours]))
    if table.ours:
        _require_own(path, table, spec)


def _require_own(path: str | Path, table: StepTable, spec: SweepSpec) -> None:
    """Check what else a table of ours says, and the settings that it leaves out as default."""
    # The first system's tables do not name it.
    told = {"system": first_system().name, **table.told}
    ours = {"system": spec.system.name, "task": str(spec.task), "start": spec.start}
    for name, theirs in told.items():
        if theirs != ours[name]:
            raise _of_another_sweep(path, name, theirs, ours[name])
    if table.names_all:
        for name, value in _silent(table, spec):
            default = spec.system.all_fields[name]
            raise _of_another_sweep(path, name, describe([default]), describe([value]))


def _of_another_sweep(path: str | Path, name: str, theirs: str, ours: str) -> InputError:
    """Return the error that says in what a table's runs are others than the sweep's."""
    return InputError(
        f"{name} is {theirs} in table {path} and {ours} in this sweep; compare it with a sweep "
        "like its own."
    )


def _silent(table: StepTable, spec: SweepSpec) -> list[tuple[str, Any]]:
    """Return settings of the sweep that are no default and that the table does not name."""
    fields = spec.system.all_fields
    named = named_settings(spec.fixed, fields)
    return [
        (name, value)
        for name, value in named.items()
        if name in fields and name != BUDGET and name not in table.fields
    ]


def _not_named(table: StepTable, spec: SweepSpec) -> str:
    """Return which settings of the sweep an older table of ours does not tell."""
    silent = [name for name, _ in _silent(table, spec)]
    return f"the table does not name {' or '.join(silent)}, taken as ours" if silent else ""


def _is_equal(theirs: Any, ours: Any) -> bool:
    if isinstance(theirs, float) and isinstance(ours, int | float):
        return same_number(theirs, ours)
    return bool(theirs == ours)


def _taken_for(path: str | Path, table: StepTable, spec: SweepSpec) -> str:
    """Return what the table is taken for where it does not tell, by its axes and values.

    The published tables name neither task nor loss nor the number of training samples: those of
    the published diagram are the sweep's, or the table is refused.
    """
    presets = {name: preset(name) for name in preset_names()}
    fitting = {name: s for name, s in presets.items() if _holds(s, spec, table)}
    if not fitting:
        unnamed = [name for name in _fixed(spec) if name != "train_size"]
        return f"the table names neither {' nor '.join(unnamed)}, taken as ours" if unnamed else ""
    # Published diagrams may have the same axes; their starts tell them apart.
    begun = (spec.start, spec.seeds[0])
    like_ours = {n: s for n, s in fitting.items() if (s.start, s.seeds[0]) == begun}
    fields = {name: _fixed(s) for name, s in (like_ours or fitting).items()}
    ours = _fixed(spec)
    same = [name for name, theirs in fields.items() if theirs == ours]
    if not same:
        published, theirs = next(iter(fields.items()))
        name = next(name for name in ours if theirs[name] != ours[name])
        raise InputError(
            f"{name} of this sweep is {ours[name]}, and table {path} has the axes of {published}, "
            f"whose {name} is {theirs[name]}; compare it with a sweep like that."
        )
    return "" if len(same) == len(fields) else f"the table is taken for that of {same[0]}"


def _holds(published: SweepSpec, spec: SweepSpec, table: StepTable) -> bool:
    return (
        published.system is spec.system
        and set(published.grid) <= set(table.fields)
        and all(_index(row, published) is not None for row in table.rows)
    )


def _fixed(spec: SweepSpec) -> dict[str, Any]:
    if spec.task is None:
        return {}
    named = {name: getattr(spec.model, name) for name in spec.system.published_like}
    return {"task": spec.task, **named, "train_size": spec.train_size}


def _budget(
    path: str | Path, table: StepTable, spec: SweepSpec, steps: int | None
) -> tuple[int, bool]:
    """Return the table's budget, and whether it was assumed to be the sweep's."""
    crossings = [s for row in table.rows for s in (row.train_step, row.test_step) if s is not None]
    # The smallest budget in which the steps themselves can be.
    least = max(crossings, default=0) + (not table.ours)
    if steps is None and BUDGET in table.fields:
        steps = int(max(row.values[BUDGET] for row in table.rows))
    if steps is not None:
        if least > steps:
            raise InputError(
                f"table {path} needs a budget of {least} updates, not of {steps}; "
                "leave out --table-steps or give the budget of its runs."
            )
        return steps, False
    if table.ours or table.marks_never:
        return max(least, spec.most_steps), least <= spec.most_steps
    rows = sum(max(crossings) in (row.train_step, row.test_step) for row in table.rows)
    if rows == 1 and least != spec.most_steps:
        raise InputError(
            f"table {path} has its largest index, {least - 1}, in one row, where it may be a "
            "crossing or stand for never; give the budget of its runs with --table-steps."
        )
    return least, False


def _published_cell(row: TableRow, ours: bool, budget: int, spec: SweepSpec) -> PublishedCell:
    values = {name: row.values[name] for name in spec.grid}
    budget = int(row.values.get(BUDGET, budget))
    if ours:
        return PublishedCell(
            values, row.train_step, row.test_step, budget, budget, row.diverged_step
        )
    train, test, diverged = (
        None if index is None else completed_updates(index, budget)
        for index in (row.train_step, row.test_step, row.diverged_step)
    )
    return PublishedCell(values, train, test, budget, budget - 1, diverged)


def _require_decided(path: str | Path, cells: tuple[PublishedCell, ...], spec: SweepSpec) -> None:
    """Refuse a sweep so short that it could meet the table by having learned nothing."""
    ours, theirs = spec.most_steps, max(cell.steps for cell in cells)
    if ours < theirs - 1 and not any(_is_decided(cell, ours) for cell in cells):
        raise InputError(
            f"{BUDGET} {ours} are too few for table {path}, whose runs had {theirs} updates: "
            f"none of its labels is decided within {ours}; sweep with --{BUDGET} {theirs}."
        )


def _is_decided(cell: PublishedCell, limit: int) -> bool:
    """Return whether both thresholds are reached by an update, so that later ones add nothing."""
    steps = cell.train_step, cell.test_step
    return all(step is not None and step <= limit for step in steps)
