"""Tables of train and test steps as people have them: CSV and its variants, HDF5.

What a file counts is left as it stands: `published_tables` knows what an index means.
"""

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any

from effective_theory import InputError
from effective_theory.toy_model import MOST_STEPS
from phase_diagrams.sweeps.seeds import Seed
from phase_diagrams.sweeps.systems import System

if TYPE_CHECKING:
    import h5py

_STEPS = {"train_step": "train_step", "test_step": "test_step", "diverged_step": "diverged_step"}
#: The authors' HDF5 files name the steps so.
_STEPS_IN_HDF5 = {**_STEPS, "train": "train_step", "test": "test_step"}

#: Some hundred thousand rows; a file without end would fill the memory.
_MOST_CHARACTERS = 10**7
_HDF5 = b"\x89HDF\r\n\x1a\n"
_NEVER = frozenset({"", "nan", "na", "n/a", "none", "null", "never"})

#: Columns of our own tables that are no settings of a system.
_TOLD = ("system", "task", "start")
#: The last of them, which says that what is not named is default.
OTHERS = "other_settings"

Columns = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class TableRow:
    """One row of a table.

    Attributes
    ----------
    values
        By the field of the settings, or "train_size".
    train_step, test_step, diverged_step
        As the file counts them; None where it says "never" by an empty cell, NaN or -1.
    seed
        Of the split and of the start; None if the file does not say.
    """

    values: dict[str, Any]
    train_step: int | None
    test_step: int | None
    diverged_step: int | None = None
    seed: Seed | None = None


@dataclass(frozen=True)
class StepTable:
    """One table of a file.

    Attributes
    ----------
    rows
        What was measured.
    name
        Its name where the file holds several, such as "coarse".
    ours
        Whether it is a runs.csv of this project, which counts completed updates.
    told
        What else it says of all of its runs, in words: their system, task and start.
    names_all
        Whether settings that it does not name are default.
    """

    rows: tuple[TableRow, ...]
    name: str = ""
    ours: bool = False
    told: Mapping[str, str] = field(default_factory=dict)
    names_all: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """Fields that have a column."""
        return tuple(self.rows[0].values)

    @property
    def marks_never(self) -> bool:
        """Whether "never" is told by an empty cell, NaN or -1, so that no index stands for it."""
        return any(None in (row.train_step, row.test_step) for row in self.rows)


def read_step_tables(path: str | Path, system: System) -> list[StepTable]:
    """Return the tables of train and test steps that a file holds.

    CSV may have a byte order mark, any line ends, semicolons or tabs between cells (and then
    decimal commas); steps may be written as floats. In HDF5 the columns are one-dimensional arrays,
    or the fields of a compound one, or axes beside grids of steps.

    Parameters
    ----------
    path
        The file.
    system
        Whose settings the columns are, by their own names or by those of its published tables.

    Raises
    ------
    InputError
        If the file is missing or holds no such table.
    """
    fields = _columns_of(system)
    try:
        with open(path, "rb") as file:
            content = file.read(_MOST_CHARACTERS + 1)
        if len(content) > _MOST_CHARACTERS:
            raise InputError(f"table {path} has over {_MOST_CHARACTERS} characters; cut it down.")
        if content.startswith(_HDF5):
            tables = _hdf5_columns(path, content, fields)
            return [_table(columns, system, name) for name, columns in tables]
        columns = _csv_columns(content.decode("utf-8-sig"))
        if not any(name in fields for name in columns):
            published = ", ".join(system.published_columns)
            none = f"none of the columns {published}, and " if published else ""
            raise InputError(f"table {path} has {none}no field's name.")
        return [_table(columns, system)]
    except OSError as error:
        raise InputError(f"table {path} cannot be read ({error.strerror or error}).") from None
    except InputError:
        raise
    except (KeyError, OverflowError, RuntimeError, TypeError, ValueError, csv.Error) as error:
        raise InputError(
            f"table {path} is not a table of train and test steps ({error})."
        ) from None


def _columns_of(system: System) -> dict[str, str]:
    """Return the columns that a table of the system's runs may have, each with its field."""
    return {
        **system.published_columns,
        **{name: name for name in (*system.all_fields, "train_size")},
    }


def _csv_columns(text: str) -> dict[str, list[str]]:
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    lines = [
        [cell.strip() for cell in line]
        for line in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        if any(cell.strip() for cell in line)
    ]
    head, rows = ([name.lower() for name in lines[0]], lines[1:]) if lines else ([], [])
    if len(set(filter(None, head))) != len(list(filter(None, head))):
        raise ValueError("a column's name is repeated")
    for row in rows:
        if len(row) != len(head):
            raise ValueError(f"a row has {len(row)} cells and the head {len(head)}")
        if delimiter == ";":
            row[:] = [_with_point(cell) for cell in row]
    return {name: [row[place] for row in rows] for place, name in enumerate(head)}


def _with_point(cell: str) -> str:
    """Return a number with a decimal comma as one with a point."""
    if re.fullmatch(r"[+-]?[1-9]\d{0,2}(,\d{3})+", cell):
        raise ValueError(f"{cell} may have a decimal comma or count thousands")
    return cell.replace(",", ".") if re.fullmatch(r"[+-]?\d*,\d+([eE][+-]?\d+)?", cell) else cell


def _table(columns: Columns, system: System, name: str = "") -> StepTable:
    """Return the rows of columns, by the names of fields."""
    for column in ("train_step", "test_step"):
        if column not in columns:
            raise ValueError(f"it has no column {column}")
    known, fields = _columns_of(system), dict[str, str]()
    for column in columns:
        if column in known:
            if known[column] in fields.values():
                raise ValueError(f"two columns are {known[column]}")
            fields[column] = known[column]
    rows, ours = [], "split_seed" in columns
    for place in range(len(columns["train_step"])):
        row = {column: values[place] for column, values in columns.items()}
        # What an unfinished or a refined sweep of ours did not measure tells nothing.
        if row.get("source", "measured") != "measured":
            continue
        rows.append(
            TableRow(
                {
                    field: _value(system, field, row[column], ours)
                    for column, field in fields.items()
                },
                _step(row["train_step"]),
                _step(row["test_step"]),
                _step(row.get("diverged_step", "")),
                _seed(row),
            )
        )
    if not rows:
        raise ValueError("it holds no measured row")
    told = {
        column: " and ".join(dict.fromkeys(str(value) for value in columns[column]))
        for column in _TOLD
        if ours and column in columns
    }
    return StepTable(tuple(rows), name, ours, told, ours and OTHERS in columns)


def _number(value: Any) -> float:
    if isinstance(value, str) and not re.fullmatch(r"[+-]?[\d.]+([eE][+-]?\d+)?", value, re.ASCII):
        raise ValueError(f"{value[:40]!r} is no finite number")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{str(value)[:40]} is not finite")
    return number


def table_text(value: Any) -> str:
    """Return a value as our own tables hold it."""
    if value is None:
        return ""
    return repr(value) if isinstance(value, float) else str(value)


def _value(system: System, field: str, value: Any, ours: bool) -> Any:
    """Return a field's value; of our own tables the text where it is no plain number."""
    types = system.types.get(field, (int,))
    none = str(system.written(field, None)).lower()
    if NoneType in types and str(value).lower() in (*_NEVER, none):
        return None
    if bool in types and value in ("True", "False"):
        return value == "True"
    try:
        return _number(value) if {int, float} & set(types) else value
    except ValueError:
        if ours:
            return value
        raise


def _step(value: Any) -> int | None:
    """Return an index or an update; None where the cell says "never"."""
    if str(value).lower() in _NEVER:
        return None
    number = _number(value)
    if number == -1:
        return None
    if not number.is_integer() or not 0 <= number <= MOST_STEPS:
        raise ValueError(f"step {value} is no count of updates")
    return int(number)


def _seed(row: Mapping[str, Any]) -> Seed | None:
    if "seed" in row:
        return _whole(row["seed"]), _whole(row["seed"])
    if "split_seed" in row:
        return _whole(row["split_seed"]), _whole(row["init_seed"])
    return None


def _whole(value: Any) -> int:
    """Return a seed, which may have more digits than a float."""
    return int(value) if isinstance(value, str) else int(_number(value))


def _hdf5_columns(
    path: str | Path, content: bytes, fields: Mapping[str, str]
) -> Iterator[tuple[str, Columns]]:
    """Yield the tables of an HDF5 file: arrays that share what follows their names."""
    try:
        import h5py
    except ImportError:
        raise InputError(
            f"table {path} is HDF5, which needs h5py; install the package's extra [hdf5]."
        ) from None
    with h5py.File(io.BytesIO(content), "r") as file:
        arrays: dict[str, Any] = {}
        file.visititems(lambda name, item: arrays.update(_arrays(name, item)))
    known = {**fields, **_STEPS_IN_HDF5}
    groups: dict[str, dict[str, Any]] = {}
    for name, array in arrays.items():
        folder, _, leaf = name.rpartition("/")
        prefixes = [k for k in known if leaf == k or leaf.startswith(f"{k}_")]
        if prefixes:
            column = max(prefixes, key=len)
            group = groups.setdefault(f"{folder}{leaf.removeprefix(column)}".strip("_"), {})
            group[known[column]] = array
    complete = {name: group for name, group in groups.items() if _is_complete(group, fields)}
    if not complete:
        raise ValueError("it has no arrays such as lr, wd, train and test")
    for name, group in complete.items():
        yield name, _unfolded(group, list(fields.values()))


def _arrays(name: str, item: "h5py.Dataset | h5py.Group") -> dict[str, Any]:
    """Return the arrays of numbers that an item of a file holds; nothing for other items."""
    # A small file can claim arrays that fill the memory, and name other files.
    if not hasattr(item, "dtype") or item.is_virtual or item.external or item.shape is None:
        return {}
    if item.size > _MOST_CHARACTERS or math.prod(item.chunks or (1,)) > _MOST_CHARACTERS:
        return {}
    if item.dtype.names:
        kinds = {column: item.dtype[column].kind for column in item.dtype.names}
        folder = name.rpartition("/")[0]
        fields = [column for column, kind in kinds.items() if kind in "iuf"]
        return {f"{folder}/{column}".strip("/"): item[column] for column in fields}
    return {name: item[()]} if item.dtype.kind in "iuf" else {}


def _is_complete(group: Mapping[str, Any], fields: Mapping[str, str]) -> bool:
    swept = any(name in fields.values() for name in group)
    return {"train_step", "test_step"} < set(group) and swept


def _unfolded(group: Mapping[str, Any], fields: Sequence[str]) -> Columns:
    """Return columns as they are, or those of grids of steps beside their axes.

    The shape tells which axis goes along the rows; of a square grid it is the one that comes first
    among ``fields``, as the authors' notebooks have it.
    """
    shape = group["train_step"].shape
    if len(shape) == 1:
        return _of_one_length({name: array for name, array in group.items() if array.ndim == 1})
    axes = sorted((name for name in group if name in fields), key=fields.index)
    lengths = tuple(group[name].size for name in axes)
    if lengths != shape:
        axes, lengths = axes[::-1], lengths[::-1]
    if lengths != shape or any(group[name].ndim != 1 for name in axes) or len(shape) != 2:
        raise ValueError(f"its steps have the shape {shape} and its axes {lengths}")
    columns = {
        axes[0]: group[axes[0]].repeat(shape[1]),
        axes[1]: [value for _ in range(shape[0]) for value in group[axes[1]]],
    }
    return _of_one_length(
        {**columns, **{name: group[name].ravel() for name in _STEPS if name in group}}
    )


def _of_one_length(columns: Mapping[str, Any]) -> Columns:
    if len({len(values) for values in columns.values()}) > 1:
        raise ValueError("its arrays differ in length")
    return {name: [value.item() for value in values] for name, values in columns.items()}
