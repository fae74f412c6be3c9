"""job.json of a submission, read as what anybody may have written."""

import re
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args

from phase_diagrams import SweepSpec
from phase_diagrams.sweeps.identity import strict_json

EngineKind = Literal["own", "torch"]
Device = Literal["cpu", "cuda"]
Cluster = Literal["slurm", "local", "debug"]

#: The record of the largest sweep, each number on a line of its own, has some 500 MB.
_MOST_BYTES = 10**9
#: Types of a record's fields, and of its engine's.
_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("name", "spec", "identity", "cluster"), (str,)),
    **dict.fromkeys(("batches", "job_ids"), (list,)),
    **{"engine": (dict,), "version": (int,), "commit": (str, NoneType), "dirty": (bool,)},
}
_ENGINE_TYPES: dict[str, tuple[type, ...]] = {"kind": (str,), "device": (str,), "jobs": (int,)}
_CHOICES = {"kind": EngineKind, "device": Device, "cluster": Cluster}
#: Versions and numbers of jobs lie below.
_MOST = 2**31
_JOB_ID = re.compile(r"\w+", re.ASCII)


def read_record(path: Path) -> dict[str, Any]:
    """Return the fields of a submission's record, those of its engine as a dictionary.

    Raises
    ------
    OSError
        If the file cannot be read.
    InputError
        If its sweep is not one that is known here.
    ValueError
        If it is no regular file, too large, not UTF-8 or not JSON, or does not hold what a
        submission writes.
    """
    fields = _checked(_read_json(path))
    _require_places(fields["batches"], SweepSpec.from_json(fields["spec"]))
    return fields


def _read_json(path: Path) -> Any:
    if path.exists() and not path.is_file():
        raise ValueError("it is no file")
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError(f"it has over {_MOST_BYTES} bytes")
    text = path.read_bytes().decode("utf-8")
    try:
        return strict_json(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _checked(content: Any) -> dict[str, Any]:
    """Return a record's fields, or raise ValueError if one is not as `Submission.write` has it."""
    fields = _typed(content, _TYPES)
    everything = {**fields, **_typed(fields["engine"], _ENGINE_TYPES)}
    for name, choices in _CHOICES.items():
        if everything[name] not in get_args(choices):
            raise ValueError(f"its {name} is unknown")
    for name in ("version", "jobs"):
        if not 0 < everything[name] < _MOST:
            raise ValueError(f"its {name} is out of range")
    for name in ("name", "identity", "commit"):
        if fields[name] is not None and not (fields[name] and fields[name].isprintable()):
            raise ValueError(f"its {name} is no printable text")
    ids = fields["job_ids"]
    sound = all(isinstance(job_id, str) and _JOB_ID.fullmatch(job_id) for job_id in ids)
    if not sound or len(ids) not in (0, len(fields["batches"])):
        raise ValueError("its job_ids are not those of its elements")
    return fields


def _typed(content: Any, types: dict[str, tuple[type, ...]]) -> dict[str, Any]:
    """Return an object with exactly these names and types, or raise ValueError."""
    if not isinstance(content, dict) or set(content) != set(types):
        raise ValueError(f"it has not the fields {', '.join(types)}")
    for name, kinds in types.items():
        if type(content[name]) not in kinds:  # True is no number
            raise ValueError(f"its {name} is of another type")
    return content


def _require_places(batches: list[Any], spec: SweepSpec) -> None:
    """Raise ValueError unless all batches are lists of places of the sweep."""
    for batch in batches:
        if not isinstance(batch, list) or not all(_is_place(place, spec.shape) for place in batch):
            raise ValueError("its batches hold what is no place of its sweep")


def _is_place(place: Any, shape: tuple[int, ...]) -> bool:
    return (
        isinstance(place, list)
        and len(place) == len(shape)
        and all(type(k) is int and 0 <= k < size for k, size in zip(place, shape, strict=True))
    )
