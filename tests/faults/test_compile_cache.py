"""The cache of compiled kernels: shared by processes that begin at once, renewed after an edit.

A small package with the project's own compilation.py stands for the simulator, which compiles for
many seconds.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from effective_theory.kernels import compilation

CALLEE = """
from small.kernels.compilation import kernel

@kernel
def callee(x: float) -> float:
    return x * 2.0
"""
CALLER = """
from small.kernels.callee import callee
from small.kernels.compilation import kernel

@kernel
def caller(x: float) -> float:
    return callee(x) + 1.0
"""
#: Says when it is ready, begins when it is told to, and prints result, hits and misses.
MAIN = """
import sys
from small.kernels.caller import caller
from small.kernels.compilation import is_compiled
print("ready", is_compiled(caller), flush=True)
sys.stdin.readline()
result = caller(20.0)
print(result, sum(caller.stats.cache_hits.values()), sum(caller.stats.cache_misses.values()))
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    kernels = tmp_path / "small" / "kernels"
    kernels.mkdir(parents=True)
    (tmp_path / "small" / "__init__.py").write_text("")
    (kernels / "__init__.py").write_text("")
    shutil.copy(compilation.__file__, kernels / "compilation.py")
    (kernels / "callee.py").write_text(CALLEE)
    (kernels / "caller.py").write_text(CALLER)
    return kernels


def begun(package: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(package.parent.parent)}
    environment.pop("NUMBA_CACHE_DIR", None)
    return subprocess.Popen(
        [sys.executable, "-c", MAIN],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def results(*processes: subprocess.Popen[str]) -> list[tuple[bool, str, int, int]]:
    """Whether it was compiled already, result, hits and misses of processes that begin at once."""
    ready = [process.stdout.readline().split()[1] for process in processes if process.stdout]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("begin\n")
        process.stdin.flush()
    found = []
    for process, compiled in zip(processes, ready, strict=True):
        said, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        result, hits, misses = said.split()
        found.append((compiled == "True", result, int(hits), int(misses)))
    return found


def test_processes_that_compile_at_once_agree_and_leave_a_sound_cache(package: Path) -> None:
    both = results(*(begun(package) for _ in range(3)))
    assert [(compiled, result) for compiled, result, _, _ in both] == [(False, "41.0")] * 3
    assert results(begun(package)) == [(True, "41.0", 1, 0)]


def test_an_edit_of_a_callee_is_noticed(package: Path) -> None:
    """Numba alone would go on with the callee that is compiled into its caller."""
    assert results(begun(package)) == [(False, "41.0", 0, 1)]
    (package / "callee.py").write_text(CALLEE.replace("2.0", "3.0"))
    assert results(begun(package)) == [(False, "61.0", 0, 1)]
    (package / "callee.py").write_text(CALLEE)
    assert results(begun(package)) == [(True, "41.0", 1, 0)]
