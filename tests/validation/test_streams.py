"""What a GPU does at the same time touches nothing in common, as far as a CPU can tell."""

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from tests.validation.test_batch import CASES, MODEL, batch_of, drawn

torch = pytest.importorskip("torch", reason="needs the extra [validation]")
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402
from torch.utils._pytree import tree_leaves  # noqa: E402

MAIN, SIDE = 0, 1


class Streams:
    """Stands for `SideStream` and knows which work of one stream the other has waited for."""

    def __init__(self) -> None:
        self.current = MAIN
        #: Operations of each stream so far, and how many of the other's each has waited for.
        self.done, self.waited_for = [0, 0], [0, 0]

    @contextlib.contextmanager
    def after_main(self) -> Iterator[None]:
        self.waited_for[SIDE] = self.done[MAIN]
        self.current = SIDE
        yield
        self.current = MAIN

    def so_far(self) -> int:
        return self.done[SIDE]

    def main_waits(self, mark: int) -> None:
        self.waited_for[MAIN] = max(self.waited_for[MAIN], mark)


class Races(TorchDispatchMode):
    """Finds operations of two streams on the same memory, one of which writes, in no order."""

    def __init__(self, streams: Streams) -> None:
        super().__init__()
        self.streams, self.found = streams, set[str]()
        #: Who touched a piece of memory: stream, number there, name, whether it wrote.
        self._touched: dict[int, list[tuple[int, int, str, bool]]] = {}
        self._owner: dict[int, int] = {}

    def __torch_dispatch__(
        self, function: Any, types: Any, arguments: Any = (), options: Any = None
    ) -> Any:
        options = options or {}
        result = function(*arguments, **options)
        streams, name = self.streams, str(function)
        if function.is_view:
            return result
        me, number = streams.current, streams.done[streams.current]
        streams.done[me] += 1
        read, written = addresses((arguments, options)), addresses(result)
        for address in written - read:
            # A GPU's allocator gives memory again to the stream that had it, and to no other.
            if self._owner.setdefault(address, me) != me:
                self._owner[address] = me
                self._touched.pop(address, None)
        changed = addresses(self._changed(function, arguments, options)) | (written - read)
        for address in read | written:
            self._touch(address, (me, number, name, address in changed))
        return result

    @staticmethod
    def _changed(function: Any, arguments: Any, options: Any) -> list[Any]:
        kinds = function._schema.arguments
        given = dict(zip((kind.name for kind in kinds), arguments, strict=False)) | options
        writes = [kind.name for kind in kinds if kind.alias_info and kind.alias_info.is_write]
        return [given[name] for name in writes]

    def _touch(self, address: int, mine: tuple[int, int, str, bool]) -> None:
        others = self._touched.setdefault(address, [])
        me, _, name, writes = mine
        for stream, number, other, wrote in others:
            is_ordered = stream == me or number < self.streams.waited_for[me]
            if (writes or wrote) and not is_ordered:
                self.found.add(f"{other} before {name}")
        others.append(mine)


def addresses(values: Any) -> set[int]:
    """Return where the memory of tensors begins."""
    tensors = [value for value in tree_leaves(values) if isinstance(value, torch.Tensor)]
    return {tensor.untyped_storage().data_ptr() for tensor in tensors}


def test_what_an_operation_changes_is_known_by_place_and_by_name() -> None:
    a, b = torch.zeros(3), torch.ones(3)
    where, add = torch.ops.aten.where.self_out, torch.ops.aten.add_.Tensor
    for function, arguments, options in ((where, (a > 0, a, b), {"out": a}), (add, (a, b), {})):
        (changed,) = Races._changed(function, arguments, options)
        assert changed is a
    assert Races._changed(torch.ops.aten.add.Tensor, (a, b), {}) == []


def races(name: str) -> set[str]:
    task, changes = CASES[name]
    model = dataclasses.replace(MODEL, **changes)
    batch = batch_of((model, *drawn(model, task)), places=2, dtype=torch.float32)
    batch._beside = Streams()
    with Races(batch._beside) as watch:
        batch._update(3)
    assert min(watch.streams.done) > 50
    # Or a CUDA graph could not be recorded.
    assert watch.streams.waited_for[MAIN] == watch.streams.done[SIDE]
    return watch.found


@pytest.mark.parametrize("name", CASES)
def test_what_is_done_beside_the_update_is_in_no_race_with_it(name: str) -> None:
    assert races(name) == set()


def test_races_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def wait_in_the_end(streams: Streams, mark: int) -> None:
        if mark == streams.done[SIDE]:
            streams.waited_for[MAIN] = mark

    monkeypatch.setattr(Streams, "main_waits", wait_in_the_end)
    assert any("amax" in race and "before aten.mul_" in race for race in races("mse"))
