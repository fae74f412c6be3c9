"""Images as tasks: what sweeps and trainings ask of them."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from effective_theory import InputError, Task, register_task
from effective_theory.checks import integer, of_type
from effective_theory.shell import require_extra
from validation.data.idx import digest_of, read_images, read_labels

_DIGITS = 10


class ImageTask(Task):
    """Images, each with the label of what it shows.

    A subclass says ``images`` and ``labels``.
    """

    @property
    def images(self) -> NDArray[np.float32]:
        """Grey values from 0 to 1, shape (N, pixels)."""
        raise NotImplementedError

    @property
    def classes(self) -> int:
        """Number of labels."""
        return _DIGITS


@register_task
@dataclass(frozen=True)
class Digits(ImageTask):
    """The 1797 handwritten digits of 8 x 8 pixels that scikit-learn brings along.

    Raises
    ------
    InputError
        If scikit-learn is not installed, when the images are asked for.
    """

    @cached_property
    def _loaded(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        require_extra("images", "sklearn")
        from sklearn.datasets import load_digits

        images, labels = load_digits(return_X_y=True)
        return (images / 16).astype(np.float32), labels.astype(np.int64)

    @property
    def images(self) -> NDArray[np.float32]:
        """Grey values from 0 to 1, shape (1797, 64)."""
        return self._loaded[0]

    @property
    def labels(self) -> NDArray[np.int64]:
        """The digits, shape (1797,)."""
        return self._loaded[1]


@register_task
@dataclass(frozen=True)
class IdxImages(ImageTask):
    """Images in IDX files that the user names, plain or gzipped, such as MNIST's.

    Parameters
    ----------
    image_file, label_file
        The files: unsigned bytes of shape (N, rows, columns), and of shape (N,). Their absolute
        paths are kept: a store that moves to another machine needs them at the same place.
    count
        Images that are used, from the first on: of 11 000 with a training size of 1000 the test
        set has 10 000.
    digest
        SHA-256 of both files: a stored sweep does not go on with others at their place. By default
        taken from the files.

    Raises
    ------
    InputError
        If a file cannot be read or is another one than the digest's; when images and labels are
        asked for, if a file holds something else, fewer than ``count`` of them or a label above 9.
    """

    image_file: str = ""
    label_file: str = ""
    count: int = 11_000
    digest: str = ""

    def __post_init__(self) -> None:
        integer("count", self.count, 2)
        for name in ("image_file", "label_file", "digest"):
            of_type(name, getattr(self, name), str, "text")
        for name in ("image_file", "label_file"):
            if not getattr(self, name):
                raise InputError(f"{name} is missing; name an IDX file, plain or gzipped.")
            object.__setattr__(self, name, os.path.abspath(getattr(self, name)))
        found = digest_of(Path(self.image_file), Path(self.label_file))
        if self.digest not in ("", found):
            raise InputError(
                f"digest {self.digest[:12]}.. is not that of {self.image_file} and "
                f"{self.label_file}; name the files that the sweep was made with."
            )
        object.__setattr__(self, "digest", found)

    @cached_property
    def images(self) -> NDArray[np.float32]:
        """Grey values from 0 to 1, shape (count, pixels)."""
        images = read_images(Path(self.image_file))
        self._require_count(self.image_file, len(images))
        return (images[: self.count].reshape(self.count, -1) / 255).astype(np.float32)

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """The digits, shape (count,)."""
        labels = read_labels(Path(self.label_file))
        self._require_count(self.label_file, len(labels))
        if labels.max() >= _DIGITS:
            raise InputError(
                f"{self.label_file} has the label {labels.max()}; digits are below 10."
            )
        return labels[: self.count].astype(np.int64)

    def _require_count(self, file: str, there: int) -> None:
        if there < self.count:
            raise InputError(f"count must be at most the {there} of {file}, not {self.count}.")
