"""Canonical text of configurations, and the identity of a run that follows from it.

Two runs share an identity exactly when they are the same run: floats are written by ``float.hex``,
-0.0 as 0.0, and numbers are coerced by the type of their field before they come here.
"""

import hashlib
import json
from collections.abc import Collection
from typing import Any

from effective_theory import InputError, Task
from phase_diagrams.sweeps.systems import Budget, System

_FLOAT = "float:"


def _encoded(value: Any) -> Any:
    if isinstance(value, float):
        return _FLOAT + (value + 0.0).hex()
    if isinstance(value, str) and value.startswith(_FLOAT):
        raise InputError(f"{value!r} must not begin with {_FLOAT!r}, as stored numbers do.")
    if isinstance(value, dict):
        return {key: _encoded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encoded(item) for item in value]
    return value


def _decoded(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FLOAT):
        return float.fromhex(value.removeprefix(_FLOAT))
    if isinstance(value, dict):
        return {key: _decoded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    return value


def canonical_json(content: Any) -> str:
    """Return plain values as JSON with sorted keys, no spaces and exact floats."""
    return json.dumps(_encoded(content), sort_keys=True, separators=(",", ":"), allow_nan=False)


def read_canonical(text: str) -> Any:
    """Return the plain values that `canonical_json` wrote.

    Raises
    ------
    ValueError
        If the text is no JSON, names a value twice, or has a number that JSON has not.
    """
    return _decoded(strict_json(text))


def strict_json(text: str) -> Any:
    """Return the values of a JSON text that says each thing once, in JSON's own words.

    Raises
    ------
    ValueError
        If the text is no JSON, names a value twice, or has a number that JSON has not.
    """
    return json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object's values by name; of several of one name JSON would take the last."""
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError("a name is given twice")
    return content


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def settings_configuration(system: System, settings: Any) -> dict[str, Any]:
    """Return the fields of settings as plain values, without later ones at their default."""
    fields = {name: getattr(settings, name) for name in system.all_fields}
    later = system.later
    return {
        name: value for name, value in fields.items() if name not in later or value != later[name]
    }


def cell_configuration(
    system: System,
    settings: Any,
    task: Task | None,
    train_size: int | None,
    start: str,
    seed: tuple[int, int],
    batches: str | None = None,
) -> dict[str, Any]:
    """Return what determines a run: settings, task, split and start, without the budget.

    ``batches`` names minibatches that are not drawn as this project draws them.
    """
    fields = settings_configuration(system, settings)
    has_batches = system.batch_size is not None and getattr(settings, system.batch_size) is not None
    return {
        **system.mark,
        "model": {name: value for name, value in fields.items() if name not in Budget._fields},
        "task": None if task is None else task.configuration(),
        "train_size": train_size,
        "start": start,
        "seed": list(seed),
        **({"batches": batches} if batches is not None and has_batches else {}),
    }


def configuration_template(
    system: System, configuration: dict[str, Any], names: Collection[str], batches: str | None
) -> str | None:
    """Return a configuration's canonical text with holes for `%` to fill with other values' texts.

    Cells of one sweep differ in a few values. With a template each value's text is made once, not
    once for each cell, which takes longer than to read a run.

    Parameters
    ----------
    system, configuration
        What determines one of the runs.
    names
        What differs: fields of the settings, "train_size" or "seed". Those that are no part of the
        configuration make no hole.
    batches
        As for `cell_configuration`: whether the text names them depends on the batch size.

    Returns
    -------
    str or None
        None where a name decides what else is in the text: there is no template then.
    """
    decides_on_batches = system.batch_size in names and batches is not None
    if not set(names).isdisjoint(system.later) or decides_on_batches:
        return None
    model = {**configuration["model"]}
    content = {**configuration, "model": model}
    for name in names:
        # A field of the settings may have the name of something beside them.
        part = model if name in system.all_fields else content
        if name in part:
            part[name] = _hole(name)
    text = canonical_json(content).replace("%", "%%")
    for name in names:
        text = text.replace(canonical_json(_hole(name)), f"%({name})s")
    return text


def _hole(name: str) -> str:
    """Return what stands for a value until it is filled in; no name can be so."""
    return f"\0{name}\0"


def identify(configuration: str) -> str:
    """Return the cell id: the SHA-256 of the canonical text, in hexadecimal."""
    return hashlib.sha256(configuration.encode()).hexdigest()
