"""A saved diagram that was damaged is refused in one sentence, whatever the damage."""

import io
import os
import random
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib import format as npy

from effective_theory import Addition, InputError, ToyModel
from phase_diagrams import PhaseDiagram, SweepSpec
from tests.faults.test_malicious_files import little_memory, write

__all__ = ["little_memory"]
SPEC = SweepSpec(
    Addition(5), {"decoder_lr": [1e-3, 1e-2]}, ToyModel(width=6, steps=20), train_size=10
)
COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


def arrays() -> dict[str, np.ndarray]:
    return {"spec": np.array(SPEC.to_json()), **PhaseDiagram(SPEC).results.arrays}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("sound") / "d.npz"
    PhaseDiagram(SPEC).save(path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged") / "d.npz"


def read_or_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    try:
        diagram = PhaseDiagram.load(path)
    except InputError as error:
        assert str(error).startswith(f"path {path} holds no phase diagram (") and "\n" not in str(
            error
        )
    else:
        # Bytes that say nothing of the content, such as times.
        assert diagram.spec == SPEC


def test_any_flipped_bit_is_refused_or_says_nothing(sound: bytes, place: Path) -> None:
    choose = random.Random(0)
    for bit in choose.sample(range(8 * len(sound)), 3000):
        damaged = bytearray(sound)
        damaged[bit // 8] ^= 1 << bit % 8
        read_or_refused(place, bytes(damaged))


@given(data=st.data())
def test_any_other_damage_is_refused_or_says_nothing(
    data: st.DataObject, sound: bytes, place: Path
) -> None:
    begin = data.draw(st.integers(0, len(sound)))
    end = data.draw(st.integers(begin, min(begin + 64, len(sound))))
    read_or_refused(place, sound[:begin] + data.draw(st.binary(max_size=64)) + sound[end:])


@given(header=st.one_of(st.binary(max_size=80), st.text(max_size=80).map(str.encode)))
def test_a_header_of_any_content_with_a_right_checksum_is_refused(
    header: bytes, place: Path
) -> None:
    magic = npy.magic(1, 0) + struct.pack("<H", len(header)) + header
    members = {f"{name}.npy": as_bytes(array) for name, array in arrays().items()}
    for name in ("spec.npy", "train.npy"):
        write(place, {**members, name: magic})
        with pytest.raises(InputError, match="holds no phase diagram"):
            PhaseDiagram.load(place)


@pytest.mark.parametrize(
    "header", [b"(" * 9000, b"{'descr': " + b"-" * 9000, b"'''", b"{\n  1\n 2"]
)
def test_headers_that_python_cannot_parse_are_refused(
    header: bytes, place: Path, little_memory: None
) -> None:
    magic = npy.magic(1, 0) + struct.pack("<H", len(header)) + header
    write(place, {"spec.npy": magic})
    with pytest.raises(InputError, match="holds no phase diagram"):
        PhaseDiagram.load(place)


def as_bytes(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


@pytest.mark.parametrize("method", COMPRESSIONS)
@pytest.mark.parametrize("claimed", COMPRESSIONS)
def test_a_compression_that_is_not_numpys_is_refused(
    method: int, claimed: int, place: Path
) -> None:
    with zipfile.ZipFile(place, "w", method) as content:
        for name, array in arrays().items():
            content.writestr(f"{name}.npy", as_bytes(array))
    with zipfile.ZipFile(place) as content:
        entries = [member.header_offset for member in content.infolist()]
        directory = content.start_dir
    damaged = bytearray(place.read_bytes())
    # The method stands in each member's head and in the directory.
    damaged[entries[0] + 8 : entries[0] + 10] = struct.pack("<H", claimed)
    damaged[directory + 10 : directory + 12] = struct.pack("<H", claimed)
    place.write_bytes(bytes(damaged))
    if method == claimed and method in COMPRESSIONS[:2]:
        assert PhaseDiagram.load(place).spec == SPEC
    else:
        with pytest.raises(InputError, match="holds no phase diagram"):
            PhaseDiagram.load(place)


def fifo(folder: Path) -> Path:
    os.mkfifo(folder / "fifo")
    return folder / "fifo"


@pytest.mark.parametrize(
    "made",
    [
        lambda folder: Path("/dev/zero"),
        lambda folder: Path("/dev/null"),
        lambda folder: folder,
        lambda folder: folder / "missing",
        fifo,
    ],
)
def test_what_is_no_regular_file_is_refused(
    made: Callable[[Path], Path], tmp_path: Path, little_memory: None
) -> None:
    path = made(tmp_path)
    with pytest.raises(InputError, match=f"path {path} holds no phase diagram"):
        PhaseDiagram.load(path)


@pytest.mark.parametrize("name", ["status", "source", "unmeasured", "train"])
def test_integers_that_stand_for_nothing_are_refused(name: str, place: Path) -> None:
    members = {f"{member}.npy": as_bytes(array) for member, array in arrays().items()}
    beyond = np.full_like(arrays()[name], 77 if name != "train" else -2)
    write(place, {**members, f"{name}.npy": as_bytes(beyond)})
    with pytest.raises(InputError, match=f"{name} holds numbers beyond"):
        PhaseDiagram.load(place)


@pytest.mark.parametrize("name", list(arrays()))
def test_zeros_that_unpack_to_a_multiple_of_the_file_are_not_kept(name: str, place: Path) -> None:
    import tracemalloc

    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as content:
        for member, array in arrays().items():
            with content.open(f"{member}.npy", "w") as file:
                file.write(as_bytes(array))
                if member == name:
                    file.write(bytes(2**26))
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="length"):
            PhaseDiagram.load(place)
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()
