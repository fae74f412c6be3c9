"""What all tests share: published tables, small models and a quiet place for files."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

# Before anything loads PyTorch, whose threads would fight over matrices of a few rows.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import matplotlib
import pytest
from hypothesis import settings

from effective_theory import Addition, Dataset, InitialState, ToyModel
from effective_theory.training import compile_kernels
from phase_diagrams.toy.system import TOY

matplotlib.use("Agg")
# The same examples in every run, whatever the machine's load.
settings.register_profile("repeatable", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("repeatable")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile once, before pytest-xdist starts processes that would all do it."""
    if session.config.getoption("numprocesses", None):
        compile_kernels()


#: Where published tables lie unless PUBLISHED_TABLES says so.
REFERENCE = Path(__file__).parents[2] / "shared" / "reference"


def published_table(name: str) -> Path:
    """Path of a published table; the test is skipped where there is none."""
    path = Path(os.environ.get("PUBLISHED_TABLES", REFERENCE)) / name
    if not path.is_file():
        pytest.skip(f"published table {name} is absent; set PUBLISHED_TABLES to its folder")
    return path


@pytest.fixture
def dataset() -> Dataset:
    """Seed 5 has ideal test accuracy 0.9: the model can learn it."""
    return Dataset.split(Addition(10), 45, rng=5)


@pytest.fixture
def small_model() -> ToyModel:
    """A model that trains in milliseconds."""
    return ToyModel(width=20, target_dim=8, decoder_lr=1e-3, steps=300, stop_when="never")


@pytest.fixture
def small_state(small_model: ToyModel, dataset: Dataset) -> InitialState:
    return InitialState.random(small_model, dataset.task, rng=1)


@pytest.fixture
def own_starts() -> Iterator[None]:
    """Starts of the toy model that a test registers are gone after it."""
    with mock.patch.dict(TOY.starts):
        yield


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium; the test is skipped, with the reason, where there is none."""
    reason = "playwright is absent; install the package's extra [dev]"
    playwright = pytest.importorskip("playwright.sync_api", reason=reason)
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip(f"no browser is found: none of {', '.join(names)} is on the PATH")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=found)
        yield chromium
        chromium.close()
