"""What surrounds a command: settings, limits, closed streams, narrow terminals, absent packages.

Each is harmless, or ends the command with one sentence.
"""

import fcntl
import os
import pty
import resource
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path

import joblib
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from effective_theory import Addition, InputError, ToyModel, critical_training_sizes
from effective_theory import cli as effective_theory_cli
from effective_theory.shell import run_command
from phase_diagrams import SweepSpec, sweep
from phase_diagrams import cli as phase_diagrams_cli
from validation import cli as validation_cli

CELLS = ("--axis", "decoder_lr=1e-4,1e-3", "--width", "20", "--steps", "100", "--seeds", "5")
#: Uses Numba, joblib and a progress bar, and is done in a moment.
CRITICAL = ("effective_theory", "critical-size", "--p", "3", "--orders", "10")
CLIS = {
    "effective_theory": effective_theory_cli,
    "phase_diagrams": phase_diagrams_cli,
    "validation": validation_cli,
}


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a sweep."""
    out = tmp_path_factory.mktemp("stored")
    assert phase_diagrams_cli.main(("sweep", *CELLS, "--jobs", "1", "--out", str(out))) == 0
    return out / "runs.sqlite"


def run(
    *command: str,
    variables: dict[str, str] | None = None,
    before: Callable[[], None] | None = None,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
) -> tuple[int, str, str]:
    """Exit code of a command in a process of its own, and what it says on both streams."""
    process = subprocess.run(
        [sys.executable, "-m", *command],
        env={**os.environ, **(variables or {})},
        stdout=stdout,
        stderr=stderr,
        preexec_fn=before,
        text=True,
        timeout=120,
    )
    return process.returncode, process.stdout or "", process.stderr or ""


def require_a_sentence(said: str, *words: str) -> None:
    assert said.startswith("error: ") and said.endswith(".\n") and said.count("\n") == 1, said
    for word in words:
        assert word in said


@pytest.mark.parametrize(
    ("name", "value", "code", "words"),
    [
        ("LOKY_MAX_CPU_COUNT", "abc", 2, ("LOKY_MAX_CPU_COUNT", "integer")),
        ("LOKY_MAX_CPU_COUNT", "", 2, ("LOKY_MAX_CPU_COUNT", "integer")),
        ("LOKY_MAX_CPU_COUNT", "1.5", 2, ("LOKY_MAX_CPU_COUNT", "integer")),
        ("LOKY_MAX_DEPTH", "abc", 1, ("joblib", "settings")),
        ("LOKY_PICKLER", "abc", 1, ("joblib", "settings")),
        ("JOBLIB_MULTIPROCESSING", "abc", 1, ("joblib", "settings")),
        ("JOBLIB_START_METHOD", "abc", 1, ("joblib", "settings")),
        ("TQDM_MININTERVAL", "abc", 1, ("tqdm", "settings")),
        ("SOURCE_DATE_EPOCH", "abc", 1, ("numpy", "settings")),
    ],
)
def test_a_setting_that_a_library_ends_over_is_named(
    name: str, value: str, code: int, words: tuple[str, ...]
) -> None:
    found, printed, said = run(*CRITICAL, variables={name: value})
    assert (found, printed) == (code, "")
    require_a_sentence(said, *words)


@pytest.mark.parametrize("value", ["foo", "module://absent.backend_inline", "qtagg", ""])
def test_pictures_need_no_window_and_no_notebook(value: str, stored: Path, tmp_path: Path) -> None:
    command = ("phase_diagrams", "plot", str(stored), "--out", str(tmp_path))
    assert run(*command, variables={"MPLBACKEND": value})[::2] == (0, "")
    assert (tmp_path / "phases.png").is_file()


def test_a_command_leaves_the_callers_settings() -> None:
    before = dict(os.environ), sys.stdout, sys.stderr
    assert run_command(lambda: None) == 0
    assert (dict(os.environ), sys.stdout, sys.stderr) == before


def test_a_backend_that_returns_all_at_the_end_is_refused() -> None:
    spec = SweepSpec(Addition(10), {"decoder_lr": [1e-4]}, ToyModel(width=20, steps=10), seeds=(5,))
    with joblib.parallel_config("multiprocessing", n_jobs=2):
        with pytest.raises(InputError, match="loky, threading or dask"):
            sweep(spec, progress=False)
        with pytest.raises(InputError, match="loky, threading or dask"):
            critical_training_sizes(3, orders=5, rng=0)


@pytest.mark.parametrize("options", [(), ("--dask", "local")], ids=["joblib", "Dask"])
@pytest.mark.parametrize("limit", [8, 16, 20])
def test_too_few_open_files_for_workers_are_named(
    limit: int, options: tuple[str, ...], tmp_path: Path
) -> None:
    if options:
        pytest.importorskip("distributed", reason="Dask is not installed")
    command = ("sweep", *CELLS, "--jobs", "2", "--out", str(tmp_path), *options)
    code, printed, said = run(
        "phase_diagrams",
        *command,
        before=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)),
    )
    assert (code, printed) == (1, "")
    require_a_sentence(said, "open files", "ulimit -n", "fewer jobs")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "command", [("show", "STORE"), ("presets",), ("--help",), ("sweep", "--help")], ids=" ".join
)
def test_output_that_cannot_be_written_is_an_error(
    command: tuple[str, ...], unbuffered: str, stored: Path
) -> None:
    given = (str(stored) if word == "STORE" else word for word in command)
    with open("/dev/full", "w") as full:
        code, _, said = run(
            "phase_diagrams",
            *given,
            variables={"PYTHONUNBUFFERED": unbuffered},
            stdout=full.fileno(),
        )
    assert code == 1
    require_a_sentence(said, "standard output", "No space left")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", [("show", "absent"), ("sweep", "--absent")], ids=" ".join)
def test_an_exit_code_does_not_need_stderr(command: tuple[str, ...], unbuffered: str) -> None:
    variables = {"PYTHONUNBUFFERED": unbuffered}
    with open("/dev/full", "w") as full:
        code, *_ = run("phase_diagrams", *command, variables=variables, stderr=full.fileno())
    assert code == 2
    closed = run("phase_diagrams", *command, variables=variables, before=lambda: os.close(2))
    assert closed == (2, "", "")


def test_a_sweep_in_workers_needs_no_open_stream(stored: Path, tmp_path: Path) -> None:
    """Nor may its files take the numbers of streams, to which libraries write."""
    command = ("phase_diagrams", "sweep", *CELLS, "--jobs", "2", "--out", str(tmp_path))
    assert run(*command, before=lambda: os.closerange(0, 3)) == (0, "", "")
    table = tmp_path / "runs.csv"
    assert table.read_bytes() == (stored.parent / "runs.csv").read_bytes()


def help_of(package: str, command: str | None, columns: str | None) -> list[str]:
    """Lines of help as a command line prints them where COLUMNS is set."""
    with pytest.MonkeyPatch.context() as patch, open(os.devnull) as nowhere:
        patch.setattr(sys, "__stdout__", nowhere)  # no terminal of whoever runs the tests
        if columns is None:
            patch.delenv("COLUMNS", raising=False)
        else:
            patch.setenv("COLUMNS", columns)
        lines: list[str] = []
        patch.setattr(sys, "stdout", _Lines(lines))
        with pytest.raises(SystemExit, match="0"):
            CLIS[package].main([*([command] if command else []), "--help"])
    return "".join(lines).splitlines()


class _Lines:
    encoding = "utf-8"

    def __init__(self, written: list[str]) -> None:
        self._written = written

    def write(self, text: str) -> int:
        self._written.append(text)
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False


EVERY = [(name, command) for name, cli in CLIS.items() for command in (None, *cli.COMMANDS)]


@settings(max_examples=30)
@given(
    which=st.sampled_from(EVERY),
    columns=st.one_of(
        st.integers(-10, 60).map(str), st.integers(10**3, 10**30).map(str), st.just("wide")
    ),
)
@example(("phase_diagrams", "sweep"), "1")
@example(("phase_diagrams", "sweep"), "1000000000")
def test_help_is_readable_whatever_the_width(which: tuple[str, str | None], columns: str) -> None:
    found = help_of(*which, columns)
    if not columns.lstrip("-").isdigit() or int(columns) <= 0:
        assert found == help_of(*which, None)
    elif int(columns) < 40:
        assert found == help_of(*which, "40")
    assert max(map(len, found)) <= 500


def test_a_terminal_of_one_column_gets_help_and_progress() -> None:
    ours, theirs = pty.openpty()
    try:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 1, 1, 0, 0))
        variables = {"COLUMNS": ""}
        assert run(*CRITICAL, variables=variables, stderr=theirs)[0] == 0
        code, printed, _ = run("effective_theory", "--help", variables=variables, stderr=theirs)
        assert code == 0 and "critical-size" in printed
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize(
    ("package", "command", "extra"),
    [
        ("torch", ("validation", "sweep", *CELLS), "validation"),
        ("torch", ("validation", "toy", *CELLS), "validation"),
        ("torch", ("validation", "published", "--table", "absent.csv"), "validation"),
        ("torch", ("validation", "submit", *CELLS, "--engine", "torch"), "validation"),
        ("jinja2", ("validation", "toy", *CELLS), "validation"),
        ("submitit", ("validation", "submit", *CELLS), "cluster"),
        ("distributed", ("phase_diagrams", "sweep", *CELLS, "--dask", "local"), "dask"),
        ("bokeh", ("phase_diagrams", "plot", "STORE", "--html", "OUT/page.html"), "html"),
    ],
)
def test_an_absent_package_is_named_with_its_extra(
    package: str,
    command: tuple[str, ...],
    extra: str,
    stored: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, package, None)
    name, *given = (
        word.replace("STORE", str(stored)).replace("OUT", str(tmp_path)) for word in command
    )
    assert CLIS[name].main(given) == 2
    require_a_sentence(capsys.readouterr().err, f"the package's extra [{extra}]")


@pytest.mark.parametrize("error", ["ImportError('broken')", "OSError('libtorch.so is missing')"])
def test_a_damaged_pytorch_is_named(error: str, tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text(f"raise {error}\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    command = ("validation", "sweep", *CELLS, "--out", str(tmp_path))
    code, printed, said = run(*command, variables={"PYTHONPATH": path})
    assert (code, printed) == (2, "")
    require_a_sentence(said, "torch cannot be loaded", "[validation]")


def test_help_and_status_do_without_pytorch(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('no torch')\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    code, printed, said = run("validation", "--help", variables={"PYTHONPATH": path})
    assert (code, said) == (0, "") and "status" in printed
    for command in ("status", "collect"):
        code, printed, said = run(
            "validation", command, str(tmp_path / "absent.sqlite"), variables={"PYTHONPATH": path}
        )
        assert (code, printed) == (2, "")
        require_a_sentence(said, "absent.sqlite")
