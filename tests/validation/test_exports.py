"""What validation exports: every type that its public calls return."""

import inspect
import typing
from collections.abc import Iterator

import pytest

pytest.importorskip("torch", reason="needs the extra [validation]")


def returned(annotation: object) -> Iterator[type]:
    """Yield the classes of this package in an annotation."""
    if inspect.isclass(annotation) and annotation.__module__.startswith("validation."):
        yield annotation
    for part in typing.get_args(annotation):
        yield from returned(part)


def test_every_type_that_a_public_call_returns_is_exported() -> None:
    import matplotlib.figure

    import validation

    exported = {name: getattr(validation, name) for name in validation.__all__}
    figures = {"Figure": matplotlib.figure.Figure}
    types = set()
    for value in exported.values():
        annotations = [typing.get_type_hints(value, localns=figures).get("return")]
        if inspect.isclass(value):
            annotations = list(typing.get_type_hints(value, localns=figures).values())
            for _, member in inspect.getmembers(value):
                function = member.fget if isinstance(member, property) else member
                if inspect.isfunction(function) and function.__module__.startswith("validation"):
                    hints = typing.get_type_hints(function, localns=figures)
                    annotations.append(hints.get("return"))
        types |= {kind.__name__ for each in annotations for kind in returned(each)}
    assert {"Bound", "NudgedRuns", "Trajectory", "Snapshot"} <= types
    assert types <= set(exported)
