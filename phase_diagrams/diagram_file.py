"""Phase diagrams as files: NumPy's npz, read without trust in what it claims."""

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from effective_theory import InputError
from effective_theory.files import refuse_database, unwritable
from effective_theory.toy_model import MOST_STEPS
from phase_diagrams.spec import SweepSpec

Integers = NDArray[np.integer[Any]]

#: A specification has one line for each value of an axis; longer text is none.
_MOST_CHARACTERS = 10**8
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
#: Lowest and highest integer of each array; others hold -1 for never, or updates.
_LIMITS = {"status": (0, 3), "source": (0, 2)}


def write_diagram(path: str | Path, spec: SweepSpec, arrays: Mapping[str, Integers]) -> None:
    """Write a specification and its arrays to one file, without pickles.

    Raises
    ------
    InputError
        If the path cannot be written.
    """
    refuse_database(path)
    try:
        with open(path, "wb") as file:
            np.savez_compressed(file, spec=np.array(spec.to_json()), **arrays)  # type: ignore[arg-type]
    except OSError as error:
        raise unwritable(path, error) from None


def read_diagram(path: str | Path, names: Iterable[str]) -> tuple[SweepSpec, dict[str, Integers]]:
    """Return the specification and the arrays of a file that `write_diagram` wrote.

    Headers are read before any data: a file cannot make this reserve more memory than the sweep
    that it describes takes, nor run code.

    Raises
    ------
    InputError
        If the file is missing or is not such a diagram.
    """
    try:
        with zipfile.ZipFile(path) as content:
            spec = SweepSpec.from_json(_text(content))
            arrays = {name: _integers(content, name, spec.shape) for name in names}
    except (OSError, EOFError, KeyError, TypeError, ValueError, *_ZIP_ERRORS) as error:
        raise InputError(f"path {path} holds no phase diagram ({error}).") from None
    return spec, arrays


_ZIP_ERRORS = (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError)


def _text(content: zipfile.ZipFile) -> str:
    with content.open("spec.npy") as file:
        shape, dtype = _header(file)
        if shape != () or dtype.kind != "U" or dtype.itemsize > 4 * _MOST_CHARACTERS:
            raise ValueError("spec is no text")
        return str(np.frombuffer(_bytes(file, dtype.itemsize), dtype)[0])


def _integers(content: zipfile.ZipFile, name: str, wanted: tuple[int, ...]) -> Integers:
    with content.open(f"{name}.npy") as file:
        shape, dtype = _header(file)
        if shape != wanted or dtype.kind != "i":
            raise ValueError(f"{name} has not the sweep's shape {wanted} or holds no integers")
        size = int(np.prod(wanted))
        array = np.frombuffer(_bytes(file, size * dtype.itemsize), dtype).reshape(wanted).copy()
    low, high = _LIMITS.get(name, (-1, MOST_STEPS))
    if array.min() < low or array.max() > high:
        raise ValueError(f"{name} holds numbers beyond {low} and {high}")
    return array


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = npy.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f"its format {version} is unknown")
    shape, columns_first, dtype = _HEADERS[version](file)
    if columns_first and len(shape) > 1:
        raise ValueError("its columns come first")
    return shape, dtype


def _bytes(file: IO[bytes], count: int) -> bytes:
    """Return so many bytes, which must be all that is left."""
    found = file.read(count + 1)
    if len(found) != count:
        raise ValueError("it has not the length that its header claims")
    return found
