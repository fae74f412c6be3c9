"""Any path of a store is a file on the disk, or is refused in one sentence."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from effective_theory import Addition, InputError, ToyModel
from phase_diagrams import Store, StoreError, SweepSpec, load, numba_engine, sweep
from phase_diagrams.cli import main

SPEC = SweepSpec(
    Addition(5), {"decoder_lr": [1e-3, 1e-2]}, ToyModel(width=6, steps=20), train_size=10
)
OPTIONS = ["--axis", "decoder_lr=1e-3,1e-2", "--p", "5", "--train-size", "10", "--jobs", "1"]
pytestmark = pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")


@pytest.mark.parametrize(
    "name",
    [
        *(":memory:", ":MEMORY:", "file::memory:", "file::memory:?cache=shared"),
        *("file:x?mode=memory", "file:x?mode=memory&cache=shared", "file:x.sqlite", "file:"),
        *("x?mode=memory", "x#y", "%00", "x y", "~", "~/x.sqlite", "-", "x\n", "é", "x\udcff"),
        *("new/folder/:memory:", "./:memory:", "x.sqlite-journal"),
    ],
)
def test_a_name_with_a_meaning_of_its_own_is_a_file(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sweep(SPEC, store=name, engine=numba_engine(1), progress=False)
    assert Path(name).read_bytes().startswith(b"SQLite format 3\0")
    diagram = load(name)
    assert diagram.measured.all()
    assert diagram.run(decoder_lr=1e-3).summary.steps_run == 20
    inside = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert inside == [tmp_path / name]


def test_the_command_line_keeps_its_runs_in_such_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (":memory:", "file:x?mode=memory"):
        command = [*OPTIONS, "--width", "6", "--steps", "20", "--store", name, "--out", "out"]
        assert main(["sweep", *command]) == 0 and Path(name).is_file()
        assert main(["show", name]) == 0
        assert "confusion 2" in capsys.readouterr().out


def make_socket(path: Path) -> None:
    # Its path may not be long.
    os.chdir(path.parent)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path.name)


def make_loop(path: Path) -> None:
    path.symlink_to(path)


def beneath_a_file(path: Path) -> str:
    path.write_text("")
    return f"{path}/runs.sqlite"


def device(path: Path) -> None:
    path.symlink_to("/dev/null")


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "folder": (Path.mkdir, "is a folder; name a file in it"),
    "nothing": (lambda path: "", "is a folder; name a file in it"),
    "here": (lambda path: ".", "is a folder; name a file in it"),
    "fifo": (os.mkfifo, "is a device, pipe or socket, which keeps nothing"),
    "socket": (make_socket, "is a device, pipe or socket, which keeps nothing"),
    "link to a device": (device, "is a device, pipe or socket, which keeps nothing"),
    "null": (lambda path: "/dev/null", "is a device, pipe or socket, which keeps nothing"),
    "full": (lambda path: "/dev/full", "is a device, pipe or socket, which keeps nothing"),
    "loop": (make_loop, "cannot be opened (Too many levels of symbolic links)"),
    "beneath a file": (beneath_a_file, "cannot be opened (Not a directory)"),
    "NUL": (lambda path: f"{path}\0", "cannot be opened (embedded null byte)"),
    "long": (lambda path: "x" * 300, "cannot be opened (File name too long)"),
    "nowhere": (lambda path: "/proc/runs.sqlite", "cannot be used (unable to open database file)"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_file_is_refused_without_delay(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    make, message = REFUSED[kind]
    path = tmp_path / "runs.sqlite"
    made = make(path)
    name = made if isinstance(made, str) else str(path)
    with pytest.raises(StoreError) as refused:
        Store(name)
    assert message in str(refused.value) and str(refused.value).count("\n") == 0
    with pytest.raises(StoreError):
        load(name)
    for more in ([], ["--dry-run"]) if kind in ("fifo", "null", "folder") else ([],):
        assert main(["sweep", *OPTIONS, "--store", name, "--out", "out", *more]) == 2
        error = capsys.readouterr().err
        assert message in error and error.startswith("error: ") and error.count("\n") == 1


@pytest.mark.parametrize("path", [b"runs.sqlite", 3, None, ["runs.sqlite"]])
def test_what_is_no_path_is_refused(path: object) -> None:
    with pytest.raises(InputError, match="store must be the path of a file"):
        Store(path)  # type: ignore[arg-type]


def test_a_link_to_a_file_that_is_not_there_yet_makes_it(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "runs.sqlite")
    Store(tmp_path / "link").close()
    assert (tmp_path / "runs.sqlite").is_file() and (tmp_path / "link").is_symlink()
