"""IDX files as MNIST's, small ones, for tests to write."""

import gzip
import struct
from pathlib import Path

import numpy as np


def idx_bytes(values: np.ndarray) -> bytes:
    """The file of an array of unsigned bytes."""
    header = struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
    return header + values.astype(np.uint8).tobytes()


def write_pair(folder: Path, count: int = 30, *, zipped: bool = False) -> tuple[Path, Path]:
    """Random images of 4 x 4 pixels whose label is their brightest row, and their labels."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, count)
    images = rng.integers(0, 60, (count, 4, 4))
    images[np.arange(count), labels] += 180
    paths = folder / "images.idx", folder / "labels.idx"
    for path, values in zip(paths, (images, labels), strict=True):
        content = idx_bytes(values)
        path.write_bytes(gzip.compress(content) if zipped else content)
    return paths
