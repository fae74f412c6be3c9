"""Phase diagrams as files: NumPy's npz, read without trust in what it claims."""

import math
import os
import stat
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from effective_theory import InputError
from effective_theory.checks import path_of
from effective_theory.files import FileKind, replacing
from effective_theory.toy_model import MOST_STEPS
from phase_diagrams.phases import RUN_PHASES, Phase, Source
from phase_diagrams.sweeps.spec import SweepSpec

Integers = NDArray[np.integer[Any]]
Arrays = dict[str, NDArray[Any]]

#: Bytes of a specification, four for each character, of which a value on an axis takes some 30.
_MOST_TEXT = 4 * 10**8
#: NumPy reads no longer header.
_MOST_HEADER = 2**14
#: What `numpy.savez` and `numpy.savez_compressed` write.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_CHUNK = 2**20
#: By how much probabilities that sum to 1 may miss it.
_ROUNDING = 1e-9
#: The first member that `write_diagram` writes, behind the 30 bytes of a zip file's header.
DIAGRAM = FileKind("a phase diagram", rb"PK\x03\x04.{26}spec\.npy")
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
#: Lowest and highest integer of each array; all others hold updates, or -1 for never.
_LIMITS = {
    "status": (0, 3),
    "source": (min(Source), max(Source)),
    "unmeasured": (Phase.NOT_RUN, max(RUN_PHASES)),
    "probed": (0, 1),
    "is_part": (0, 1),
    "spent": (0, 2**62),
}


def write_diagram(path: str | Path, spec: SweepSpec, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write a specification and its arrays to one file, without pickles.

    Raises
    ------
    InputError
        If the path does not end in .npz or cannot be written.
    """
    if path_of("path", path).suffix.lower() != ".npz":
        raise InputError(f"path {path} must end in .npz, as NumPy's files of arrays do.")
    with replacing(path, DIAGRAM) as file:
        np.savez_compressed(file, spec=np.array(spec.to_json()), **arrays)  # type: ignore[arg-type]


def read_diagram(path: str | Path, names: Iterable[str]) -> tuple[SweepSpec, Arrays, Arrays]:
    """Return the specification and the arrays of a file that `write_diagram` wrote.

    Those of a prediction stand apart; there are none unless the sweep was predicted.

    A member meets its checksum before it is understood, and headers are read before any data: a
    file cannot make this reserve more memory than the sweep that it describes takes, nor run code.

    Raises
    ------
    InputError
        If the file is missing or is not such a diagram, or is damaged.
    """
    try:
        # A device or a pipe may have no end, or keep this waiting for its begin.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise ValueError("it is no regular file")
        with zipfile.ZipFile(path) as content:
            spec = SweepSpec.from_json(_text(content))
            arrays: Arrays = {name: _integers(content, name, spec.shape) for name in names}
            prediction = _prediction(content, spec.shape, arrays["source"])
    # Each library that takes part has errors of its own, and damage can lead to any of them.
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise InputError(f"path {path} holds no phase diagram ({reason}).") from None
    return spec, arrays, prediction


def _prediction(content: zipfile.ZipFile, shape: tuple[int, ...], source: Integers) -> Arrays:
    """Return the arrays of a prediction, which predicted cells must have."""
    if "probabilities.npy" not in content.namelist():
        if (source == Source.PREDICTED).any():
            raise ValueError("it has predicted cells and no probabilities")
        return {}
    probabilities = _floats(content, "probabilities", (*shape, len(RUN_PHASES)), 1.0)
    totals = probabilities.sum(axis=-1)
    if not (np.isnan(totals) | (abs(totals - 1) < _ROUNDING)).all():
        raise ValueError("probabilities of a cell do not sum to 1")
    parts = ["is_part"] if "is_part.npy" in content.namelist() else []
    return {
        "probabilities": probabilities,
        "lengths": _floats(content, "lengths", shape, float(MOST_STEPS)),
        "probed": _integers(content, "probed", shape),
        "spent": _integers(content, "spent", (2,)),
        **{name: _integers(content, name, ()) for name in parts},
    }


def _text(content: zipfile.ZipFile) -> str:
    with _member(content, "spec", _MOST_TEXT) as file:
        shape, dtype = _header(file)
        if shape != () or dtype.kind != "U" or dtype.itemsize > _MOST_TEXT:
            raise ValueError("spec is no text")
        return str(np.frombuffer(_bytes(file, dtype.itemsize), dtype)[0])


def _integers(content: zipfile.ZipFile, name: str, wanted: tuple[int, ...]) -> Integers:
    array = _array(content, name, wanted, "i")
    low, high = _LIMITS.get(name, (-1, MOST_STEPS))
    if array.min() < low or array.max() > high:
        raise ValueError(f"{name} holds numbers beyond {low} and {high}")
    return array


def _floats(
    content: zipfile.ZipFile, name: str, wanted: tuple[int, ...], high: float
) -> NDArray[np.float64]:
    """Return numbers from 0 to ``high``, or NaN."""
    array = _array(content, name, wanted, "f").astype(np.float64)
    if not ((array >= 0) & (array <= high) | np.isnan(array)).all():
        raise ValueError(f"{name} holds numbers beyond 0 and {high:g}")
    return array


def _array(content: zipfile.ZipFile, name: str, wanted: tuple[int, ...], kind: str) -> NDArray[Any]:
    size = math.prod(wanted)
    with _member(content, name, size * np.dtype(np.int64).itemsize) as file:
        shape, dtype = _header(file)
        if shape != wanted or dtype.kind != kind:
            numbers = "integers" if kind == "i" else "floats"
            raise ValueError(f"{name} has not the sweep's shape {wanted} or holds no {numbers}")
        return np.frombuffer(_bytes(file, size * dtype.itemsize), dtype).reshape(wanted).copy()


def _member(content: zipfile.ZipFile, name: str, most: int) -> IO[bytes]:
    """Return a member that meets its checksum and has at most ``most`` bytes of data."""
    member = content.getinfo(f"{name}.npy")
    if member.compress_type not in _METHODS:
        raise ValueError(f"{name} is compressed as NumPy does not do")
    left = most + _MOST_HEADER
    with content.open(member) as file:
        while chunk := file.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise ValueError(f"{name} has not the length that the sweep's shape gives it")
    return content.open(member)


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = npy.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f"its format {version} is unknown")
    shape, columns_first, dtype = _HEADERS[version](file)
    if columns_first and len(shape) > 1:
        raise ValueError("its columns come first")
    return shape, dtype


def _bytes(file: IO[bytes], count: int) -> bytes:
    """Return ``count`` bytes, which must be all that is left."""
    content = file.read(count + 1)
    if len(content) != count:
        raise ValueError("it has not the length that its header claims")
    return content
