"""The cache of compiled kernels: shared by processes that begin at once, renewed after an edit.

It may be damaged, full or nowhere: then kernels are compiled all the same, and a line says so.

A small package with the project's own compilation.py stands for the simulator, which compiles for
many seconds.
"""

import contextlib
import importlib.util
import io
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effective_theory import notes
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
#: Before it: a user whom the system does not know.
NOBODY = """
import pwd
def unknown(uid):
    raise KeyError(uid)
pwd.getpwuid = unknown
"""
#: Calls the kernel here and in two worker processes.
WORKERS = """
from joblib import Parallel, delayed
from small.kernels.caller import caller
def task(x):
    from small.kernels.caller import caller
    return caller(x)
print({caller(20.0), *Parallel(2)(delayed(task)(20.0) for _ in range(8))})
"""
UNKEPT = (
    "compiled code cannot be kept, so that every process compiles for itself; "
    "set NUMBA_CACHE_DIR to a folder that can be written to.\n"
)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return written(tmp_path)


def written(folder: Path) -> Path:
    """The small package's kernels in a folder."""
    kernels = folder / "small" / "kernels"
    kernels.mkdir(parents=True)
    (folder / "small" / "__init__.py").write_text("")
    (kernels / "__init__.py").write_text("")
    shutil.copy(compilation.__file__, kernels / "compilation.py")
    # All that it takes from the project: the whole of it would load for a second.
    (folder / "effective_theory").mkdir()
    (folder / "effective_theory" / "__init__.py").write_text("")
    shutil.copy(notes.__file__, folder / "effective_theory" / "notes.py")
    (kernels / "callee.py").write_text(CALLEE)
    (kernels / "caller.py").write_text(CALLER)
    return kernels


def begun(
    package: Path,
    code: str = MAIN,
    environment: dict[str, str] | None = None,
    most_bytes: int | None = None,
) -> subprocess.Popen[str]:
    """Start a process; it may be unable to write files of more than some bytes."""
    inherited = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"}
    given = inherited if environment is None else environment

    def limit() -> None:
        if most_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**given, "PYTHONPATH": str(package.parent.parent)},
        preexec_fn=limit,
    )


def results_and_notes(
    *processes: subprocess.Popen[str],
) -> list[tuple[tuple[bool, str, int, int], str]]:
    """Results of processes that begin at once, as below, and what each says on stderr."""
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
        found.append(((compiled == "True", result, int(hits), int(misses)), errors))
    return found


def results(*processes: subprocess.Popen[str]) -> list[tuple[bool, str, int, int]]:
    """Whether it was compiled already, result, hits and misses of processes that begin at once."""
    return [result for result, _ in results_and_notes(*processes)]


def files(package: Path, ending: str) -> list[Path]:
    return sorted(package.rglob(f"*.{ending}"))


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


@pytest.mark.parametrize("ending", ["nbi", "nbc"])
@pytest.mark.parametrize("share", [0, 0.5])
def test_damaged_files_are_noticed_and_replaced(share: float, ending: str, package: Path) -> None:
    """Empty after a power cut, or cut; met by several processes at once, each with a line."""
    assert results(begun(package)) == [(False, "41.0", 0, 1)]
    for file in files(package, ending):
        content = file.read_bytes()
        file.write_bytes(content[: int(share * len(content))])
    both = results_and_notes(*(begun(package) for _ in range(2)))
    assert [result[:2] for result, _ in both] == [(True, "41.0")] * 2
    assert any(said for _, said in both)
    for _, said in both:
        assert not said or (said.count("\n") == 1 and "is damaged; it is compiled anew" in said)
    assert results_and_notes(begun(package)) == [((True, "41.0", 1, 0), "")]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[Path, bytes]]:
    """A module with a kernel, and the files that its cache consists of."""
    folder = tmp_path_factory.mktemp("kept")
    source = folder / "module.py"
    source.write_text(CALLEE.replace("small", "effective_theory"))
    assert called(source) == (42.0, 0)
    return source, {file: file.read_bytes() for file in folder.rglob("*.nb?")}


def called(source: Path) -> tuple[float, int]:
    """Result of a kernel in a module that is loaded anew, and how often its cache was of use."""
    spec = importlib.util.spec_from_file_location("module_with_a_kernel", source)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with mock.patch.object(compilation, "_FOLDER", source.parent):
        spec.loader.exec_module(module)
    result = module.callee(21.0)
    return result, sum(module.callee.stats.cache_hits.values())


@settings(max_examples=40)
@given(data=st.data())
def test_whatever_becomes_of_the_files_the_kernel_is_right(
    data: st.DataObject, kept: tuple[Path, dict[Path, bytes]]
) -> None:
    source, whole = kept
    for file, content in whole.items():
        file.write_bytes(content)
    file = data.draw(st.sampled_from(sorted(whole)))
    content = whole[file]
    place = data.draw(st.integers(0, len(content) - 1))
    damaged = data.draw(
        st.one_of(
            st.just(content[:place]),
            st.integers(1, 255).map(
                lambda change: (
                    content[:place] + bytes([content[place] ^ change]) + content[place + 1 :]
                )
            ),
            st.binary(max_size=100),
            st.binary(min_size=1, max_size=100).map(lambda more: content + more),
        )
    )
    file.write_bytes(damaged)
    with contextlib.redirect_stderr(io.StringIO()):
        assert called(source) == (42.0, 0)
        assert called(source) == (42.0, 1)


@pytest.mark.parametrize("most_bytes", [0, 100, 3000])
def test_a_full_disk_costs_the_cache_only(most_bytes: int, package: Path) -> None:
    """What is written fails from so many bytes on: at the index, or later at the code."""
    [(result, said)] = results_and_notes(begun(package, most_bytes=most_bytes))
    assert result == (False, "41.0", 0, 1)
    assert said.count("\n") == 1 and "cannot be kept in" in said and "File too large" in said
    assert not list(package.rglob("*.tmp.*"))
    [(again, said)] = results_and_notes(begun(package))
    assert again[1:] == ("41.0", 0, 1) and not said


#: Environments without a home, in which a process of this test can still find Python's packages.
HOMELESS: dict[str, dict[str, str]] = {
    "no variable": {},
    "XDG relative": {"XDG_CACHE_HOME": "cache"},
    "XDG not writable": {"XDG_CACHE_HOME": "/dev/null"},
    "NUMBA_CACHE_DIR not writable": {"NUMBA_CACHE_DIR": "/dev/null/cache"},
    "home not writable": {"HOME": "/dev/null"},
    "home relative": {"HOME": "here"},
}


@pytest.mark.parametrize("kind", HOMELESS)
def test_without_a_folder_kernels_are_compiled_in_memory(kind: str, package: Path) -> None:
    # A file stands where the package's own folder would be: nobody, not even root, can write there.
    (package / "__pycache__").write_text("")
    environment = {**HOMELESS[kind], "PYTHONDONTWRITEBYTECODE": "1"}
    [(result, said)] = results_and_notes(begun(package, NOBODY + MAIN, environment))
    assert result == (False, "41.0", 0, 1)
    assert said == UNKEPT
    assert not list(package.rglob("*.nb?"))


def test_without_a_home_the_given_folder_is_used(package: Path, tmp_path: Path) -> None:
    (package / "__pycache__").write_text("")
    environment = {"NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}
    for compiled in (False, True):
        [(result, said)] = results_and_notes(begun(package, NOBODY + MAIN, environment))
        assert result == (compiled, "41.0", int(compiled), int(not compiled))
        assert said == ""


def test_workers_leave_it_to_the_driver_to_say_that_nothing_is_kept(package: Path) -> None:
    (package / "__pycache__").write_text("")
    environment = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    process = begun(package, NOBODY + WORKERS, environment)
    assert process.communicate(timeout=120) == ("{41.0}\n", UNKEPT)


def test_workers_share_a_cache_that_the_driver_has_mended(package: Path) -> None:
    assert results(begun(package)) == [(False, "41.0", 0, 1)]
    for file in files(package, "nb?"):
        file.write_bytes(file.read_bytes()[:-1])
    printed, said = begun(package, WORKERS).communicate(timeout=120)
    assert printed == "{41.0}\n" and said.count("\n") == 1 and "is damaged" in said


@pytest.mark.parametrize("value", ["rubbish", "no.such.Locator"])
def test_settings_of_numba_about_other_caches_are_not_ours(value: str, package: Path) -> None:
    environment = {**os.environ, "NUMBA_CACHE_LOCATOR_CLASSES": value}
    assert results(begun(package, MAIN, environment)) == [(False, "41.0", 0, 1)]
    assert files(package, "nbc")
