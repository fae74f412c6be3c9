"""IDX files: what is read, and what hostile ones are told."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from effective_theory import InputError
from effective_theory.task_registry import task_from_configuration
from tests.images.idx_files import idx_bytes, write_pair
from validation.data import idx
from validation.data.idx import read_images, read_labels
from validation.data.images import IdxImages


@pytest.mark.parametrize("zipped", [False, True])
def test_plain_and_gzipped_files_are_the_same_task(tmp_path: Path, zipped: bool) -> None:
    (tmp_path / "plain").mkdir()
    images, labels = write_pair(tmp_path, zipped=zipped)
    task = IdxImages(str(images), str(labels), count=20)
    other = IdxImages(*map(str, write_pair(tmp_path / "plain")), count=20)
    assert task.digest == other.digest and len(task.digest) == 64
    assert task.images.shape == (20, 16) and task.images.dtype == np.float32
    assert task.images.max() <= 1 and task.size == 20 and task.classes == 10
    brightest = task.images.reshape(-1, 4, 4).sum(axis=2).argmax(axis=1)
    np.testing.assert_array_equal(task.labels, brightest)
    np.testing.assert_array_equal(task.images, other.images)


def test_files_are_the_same_however_they_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, labels = write_pair(tmp_path)
    task = IdxImages(str(images), str(labels), count=20)
    monkeypatch.chdir(tmp_path)
    assert IdxImages(images.name, f"./{labels.name}", count=20) == task


def test_a_stored_task_is_made_again_from_the_same_files_alone(tmp_path: Path) -> None:
    images, labels = write_pair(tmp_path)
    stored = IdxImages(str(images), str(labels), count=20).configuration()
    assert task_from_configuration(stored) == IdxImages(str(images), str(labels), count=20)
    images.write_bytes(idx_bytes(np.zeros((30, 4, 4))))
    with pytest.raises(InputError, match="name the files that the sweep was made with"):
        task_from_configuration(stored)


HEADER = struct.pack(">BBBBIII", 0, 0, 8, 3, 2, 2, 2)
HOSTILE = {
    "empty": (b"", "first bytes"),
    "short header": (HEADER[:9], "first bytes"),
    "another format": (b"\x89PNG\r\n\x1a\n" + bytes(40), "first bytes"),
    "floats": (b"\0\0\x0d\x03" + HEADER[4:] + bytes(32), "type 0x0d and 3 axes"),
    "labels": (idx_bytes(np.zeros(20)), "type 0x08 and 1 axes"),
    "cut short": (HEADER + bytes(7), "7 bytes of images in place of the 8"),
    "too long": (HEADER + bytes(9), "9 bytes of images in place of the 8"),
    "none": (struct.pack(">BBBBIII", 0, 0, 8, 3, 0, 28, 28), "0 x 28 x 28 images"),
    "huge": (struct.pack(">BBBBIII", 0, 0, 8, 3, *3 * [2**32 - 1]), "4294967295 x 4294967295"),
    "cut gzip": (gzip.compress(HEADER + bytes(8))[:-6], "cannot be read"),
    "damaged gzip": (b"\x1f\x8b\x08\0" + bytes(30), "cannot be read|first bytes"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_file_of_images_is_one_sentence(name: str, tmp_path: Path) -> None:
    content, message = HOSTILE[name]
    path = tmp_path / "images.idx"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        read_images(path)
    assert "\n" not in str(error.value) and str(path) in str(error.value)


def test_a_small_file_that_unzips_to_gigabytes_is_not_unzipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idx, "_MOST_BYTES", 10**5)
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(HEADER + bytes(10**7)))
    asked: list[int] = []
    read = gzip.GzipFile.read
    monkeypatch.setattr(
        gzip.GzipFile, "read", lambda self, size: asked.append(size) or read(self, size)
    )
    with pytest.raises(InputError, match="in place of the 8"):
        read_images(path)
    with pytest.raises(InputError, match="more than 100000 bytes"):
        IdxImages(str(path), str(path), count=2)
    assert max(asked) <= 10**5 + 1


def test_what_cannot_be_read_or_used_is_named(tmp_path: Path) -> None:
    images, labels = write_pair(tmp_path)
    with pytest.raises(InputError, match="is no file"):
        read_labels(tmp_path)
    with pytest.raises(InputError, match="image_file is missing"):
        IdxImages()
    with pytest.raises(InputError, match="count must be at most the 30"):
        IdxImages(str(images), str(labels), count=31).images  # noqa: B018
    labels.write_bytes(idx_bytes(np.full(30, 12)))
    with pytest.raises(InputError, match="label 12"):
        IdxImages(str(images), str(labels), count=30).labels  # noqa: B018
