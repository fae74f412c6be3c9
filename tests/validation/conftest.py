"""What tests of validation share."""

from collections.abc import Iterator
from unittest import mock

import pytest

from phase_diagrams.toy.system import TOY


@pytest.fixture(scope="module")
def own_starts() -> Iterator[None]:
    """Starts that a module registers are gone after it."""
    with mock.patch.dict(TOY.starts):
        yield
