"""IDX files, the format of MNIST, read as what anybody may have written.

Two zero bytes, a code for the type of numbers, the number of axes, the length of each axis as a
big-endian 32-bit number, then the numbers. Here they are unsigned bytes.
"""

import gzip
import hashlib
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from effective_theory import InputError

_UNSIGNED_BYTES = 0x08
#: MNIST's training images are 47 MB; whatever claims to have more than this is none of its kind.
_MOST_BYTES = 10**9
_PART = 2**20
_ZIPPED = b"\x1f\x8b"


def read_images(path: Path) -> NDArray[np.uint8]:
    """Return images, shape (N, rows, columns).

    Raises
    ------
    InputError
        If the file cannot be read or holds anything else.
    """
    return _read(path, "images", 3)


def read_labels(path: Path) -> NDArray[np.uint8]:
    """Return labels, shape (N,).

    Raises
    ------
    InputError
        If the file cannot be read or holds anything else.
    """
    return _read(path, "labels", 1)


def digest_of(*paths: Path) -> str:
    """Return the SHA-256 of what files hold, one after the other, gzipped or not.

    Raises
    ------
    InputError
        If one cannot be read, or is too large.
    """
    found = hashlib.sha256()
    for path in paths:
        content = _content(path, _MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise InputError(f"{path} has more than {_MOST_BYTES} bytes.")
        found.update(content)
    return found.hexdigest()


def _read(path: Path, what: str, axes: int) -> NDArray[np.uint8]:
    length = 4 + 4 * axes
    header = _content(path, length)
    if len(header) < length or header[:2] != b"\0\0":
        raise InputError(f"{path} is no IDX file of {what}: its first bytes are not those of one.")
    if header[2] != _UNSIGNED_BYTES or header[3] != axes:
        raise InputError(
            f"{path} is no IDX file of {what}: it has type {header[2]:#04x} and {header[3]} axes "
            f"in place of {_UNSIGNED_BYTES:#04x} (unsigned bytes) and {axes}."
        )
    shape = struct.unpack(f">{axes}I", header[4:])
    size = math.prod(shape)
    if size == 0 or length + size > _MOST_BYTES:
        raise InputError(f"{path} says that it has {' x '.join(map(str, shape))} {what}.")
    content = _content(path, length + size + 1)
    if len(content) != length + size:
        raise InputError(
            f"{path} has {len(content) - length} bytes of {what} in place of the {size} of which "
            "its header speaks; it is cut short or damaged."
        )
    return np.frombuffer(content, np.uint8, offset=length).reshape(shape)


def _content(path: Path, most: int) -> bytes:
    """Return a file's first bytes, ``most`` at most, unzipped if they are gzipped.

    What is unzipped is bounded as it grows: a small file may hold terabytes of zeros.
    """
    try:
        if not path.is_file():
            raise InputError(f"{path} is no file; name an IDX file, plain or gzipped.")
        with path.open("rb") as plain:
            zipped = plain.read(len(_ZIPPED)) == _ZIPPED
        with gzip.open(path) if zipped else path.open("rb") as file:
            parts, left = [], most
            while left and (part := file.read(min(left, _PART))):
                parts.append(part)
                left -= len(part)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read ({error}).") from None
    return b"".join(parts)
