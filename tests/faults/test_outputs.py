"""Outputs replace nothing but their like, at once, and what cannot be written is said first."""

import json
import os
import re
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from effective_theory import Addition, InputError, ToyModel, files
from effective_theory import cli as theory_cli
from effective_theory.commands import train as train_command
from phase_diagrams import PhaseDiagram, Store, SweepSpec, load, numba_engine, refine, sweep
from phase_diagrams import cli as sweep_cli
from phase_diagrams.sweeps.names import require_name
from phase_diagrams.text.table import TABLE, write_csv
from phase_diagrams.toy.engine import NumbaEngine

pytestmark = pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")

SPEC = SweepSpec(
    Addition(5),
    {"decoder_lr": [1e-3, 1e-2], "decoder_weight_decay": [0, 1]},
    ToyModel(width=4, steps=3),
    train_size=10,
)
SMALL = (
    *("--axis", "decoder_lr=1e-3,1e-2", "--axis", "decoder_weight_decay=0,1", "--p", "5"),
    *("--train-size", "10", "--width", "4", "--steps", "3", "--jobs", "1"),
)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store in a folder of its own."""
    path = tmp_path / "store" / "runs.sqlite"
    sweep(SPEC, store=path, engine=numba_engine(1), progress=False)
    return path


def picture(path: Path) -> None:
    files.save_figure(Figure((1, 1)), path)


def report(path: Path) -> None:
    """Write both parts of a report as the command does, for a path of either."""
    pytest.importorskip("torch", reason="needs the extra [validation]")
    from validation.judge.report import report_files

    with files.replacing(path, report_files(PhaseDiagram(SPEC), path.parent)[path]) as file:
        file.write(b"x")


def page(path: Path) -> None:
    pytest.importorskip("bokeh", reason="needs the extra [html]")
    load(path.parent / "store" / "runs.sqlite").plot.page(path)


#: What writes a file of that name.
WRITERS: dict[str, Callable[[Path], None]] = {
    "phases.png": picture,
    "phases.PDF": picture,
    "phases.svg": picture,
    "phases.jpg": picture,
    "phases.webp": picture,
    "runs.csv": lambda path: write_csv(PhaseDiagram(SPEC), path),
    "diagram.npz": lambda path: PhaseDiagram(SPEC).save(path),
    "page.html": page,
    "report.html": report,
    "report.json": report,
}


def begin_store(path: Path) -> None:
    Store(path).close()


#: What may be in the place of an output and is not ours to replace.
FOREIGN: dict[str, Callable[[Path], object]] = {
    "notes": lambda path: path.write_text("notes\n"),
    "one byte": lambda path: path.write_bytes(b"\0"),
    "table of another program": lambda path: path.write_text("a,b\n1,2\n"),
    "page of another program": lambda path: path.write_text("<!DOCTYPE html><title>x</title>"),
    "JSON of another program": lambda path: path.write_text('{"hold": 1}'),
    "zip": lambda path: path.write_bytes(b"PK\x03\x04" + bytes(40)),
    "GIF": lambda path: Image.new("1", (1, 1)).save(path, format="GIF"),
    "store": begin_store,
    "database": lambda path: sqlite3.connect(path).execute("CREATE TABLE t (x)").connection.close(),
    "folder": Path.mkdir,
    "link to nothing": lambda path: path.symlink_to(path.with_name("nothing")),
    "socket": lambda path: os.mknod(path, stat.S_IFSOCK | 0o600),
}


def look(folder: Path) -> dict[str, bytes | str]:
    """What lies in a folder, links as where they lead."""
    return {
        path.name: str(path.readlink())
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else "special"
        for path in folder.iterdir()
    }


@pytest.mark.parametrize("foreign", FOREIGN)
@pytest.mark.parametrize("name", WRITERS)
def test_no_writer_replaces_what_is_not_its_own(
    name: str, foreign: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if name == "page.html":
        request.getfixturevalue("store")
    FOREIGN[foreign](tmp_path / name)
    before = look(tmp_path)
    with pytest.raises(InputError, match="choose another one") as refused:
        WRITERS[name](tmp_path / name)
    assert str(tmp_path / name) in str(refused.value)
    assert look(tmp_path) == before


@pytest.mark.parametrize("name", [name for name in WRITERS if not name.startswith("report")])
def test_a_writer_replaces_its_own_files_and_empty_ones(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if name == "page.html":
        request.getfixturevalue("store")
    path = tmp_path / name
    path.touch()
    WRITERS[name](path)
    first = path.read_bytes()
    assert len(first) > 100
    WRITERS[name](path)
    assert path.stat().st_size > 100
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == [name]


@pytest.mark.parametrize("name", WRITERS)
def test_links_to_files_of_the_same_kind_are_not_followed(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if name == "page.html":
        request.getfixturevalue("store")
    target, link = tmp_path / "target", tmp_path / name
    target.touch()
    link.symlink_to(target)
    with pytest.raises(InputError, match="it is a link"):
        WRITERS[name](link)
    assert target.read_bytes() == b"" and link.is_symlink()


@pytest.mark.parametrize("ending", ["-journal", "-wal", "-shm"])
def test_what_sqlite_keeps_beside_a_store_is_not_written(ending: str, store: Path) -> None:
    with pytest.raises(InputError, match="belongs to a store of runs"):
        write_csv(PhaseDiagram(SPEC), f"{store}{ending}")
    assert [path.name for path in store.parent.iterdir()] == ["runs.sqlite"]


def test_a_failure_while_writing_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "runs.csv"
    write_csv(PhaseDiagram(SPEC), path)
    before = path.read_bytes()
    for failure, expected in (
        (OSError(28, "No space left on device"), InputError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ):
        with pytest.raises(expected), files.replacing(path, TABLE) as file:
            file.write(b"half")
            raise failure
        assert path.read_bytes() == before
    with monkeypatch.context() as patch:
        patch.setattr(Figure, "savefig", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            picture(tmp_path / "phases.png")
    assert [each.name for each in tmp_path.iterdir()] == ["runs.csv"]


def test_a_file_is_replaced_at_once(tmp_path: Path) -> None:
    """Who has the old file open reads it to its end."""
    path = tmp_path / "runs.csv"
    write_csv(PhaseDiagram(SPEC), path)
    before = path.read_bytes()
    with open(path, "rb") as reader:
        write_csv(PhaseDiagram(SPEC.with_more_seeds([1])), path)
        assert reader.read() == before != path.read_bytes()


def test_streams_and_devices_are_written_as_they_stand(
    store: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert sweep_cli.main(["export", str(store), "/dev/stdout"]) == 0
    assert capfd.readouterr().out.count("Addition(p=5)") == SPEC.size
    assert sweep_cli.main(["export", str(store), "/dev/null"]) == 0
    assert sweep_cli.main(["export", str(store), "/dev/full"]) == 2
    assert "/dev/full cannot be written (No space left" in capfd.readouterr().err
    log = store.with_name("all.csv")
    log.write_text("before")
    command = [sys.executable, "-m", "phase_diagrams", "export", str(store), "/dev/stdout"]
    with open(log, "a") as appended:
        subprocess.run(command, stdout=appended, check=True)
    assert log.read_text().startswith("before") and log.read_text().count("Addition(p=5)") > 1
    pipe = store.with_name("pipe.csv")
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    assert sweep_cli.main(["export", str(store), str(pipe)]) == 0
    assert os.read(reader, 10**5).count(b"Addition(p=5)") == SPEC.size
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_sweep_removes_old_maps_of_its_own_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    command = ["sweep", *SMALL, "--name", "one", "--out", str(out)]
    assert sweep_cli.main([*command, "--seeds", "0,1"]) == 0
    assert (out / "majority.png").exists()
    assert sweep_cli.main([*command, "--seeds", "0"]) == 0
    assert not (out / "majority.png").exists()
    for foreign in (b"notes", b""):
        (out / "majority.png").write_bytes(foreign)
        assert sweep_cli.main(command) == 0
        assert (out / "majority.png").read_bytes() == foreign
    Image.new("RGB", (3, 3)).save(out / "majority.png")
    photograph = (out / "majority.png").read_bytes()
    assert sweep_cli.main(command) == 0
    assert (out / "majority.png").read_bytes() == photograph


# What cannot be written is said before anything is computed for it.


@pytest.fixture
def nothing_runs(store: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Once there is a store, any training, drawing or reading of runs ends the test."""

    def too_late(*_: object, **__: object) -> None:
        raise AssertionError("refused too late")

    for place, name in (
        (NumbaEngine, "run"),
        (train_command, "train"),
        (Store, "find"),
        (PhaseDiagram, "plot"),
    ):
        monkeypatch.setattr(place, name, too_late)
    from effective_theory.commands import figure as figure_command

    monkeypatch.setattr(figure_command, "FIGURES", dict.fromkeys(["4a", "4c"], too_late))
    yield


STORE = "STORE"
#: Commands up to the option whose value is a file, and an ending with which that file is right.
FILES = [
    (theory_cli.main, ["train", "--steps", "9", "--plot"], ".png"),
    (theory_cli.main, ["figure", "4a", "--out"], ".png"),
    (sweep_cli.main, ["figure", "3", "--out"], ".pdf"),
    (sweep_cli.main, ["compare", STORE, STORE, "--engine-a", "other", "--out"], ".png"),
    (sweep_cli.main, ["export", STORE], ".csv"),
    (sweep_cli.main, ["plot", STORE, "--html"], ".html"),
    (sweep_cli.main, ["show", STORE, "--cell", "decoder_lr=1e-3", "--out"], ".svg"),
]


@pytest.mark.usefixtures("nothing_runs")
@pytest.mark.parametrize(("main", "command", "ending"), FILES)
def test_a_file_that_cannot_be_written_is_refused_first(
    main: Callable[[list[str]], int],
    command: list[str],
    ending: str,
    tmp_path: Path,
    store: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = [str(store) if each == STORE else each for each in command]
    (tmp_path / "notes").write_text("notes")
    (tmp_path / f"foreign{ending}").write_text("notes")
    before = look(tmp_path)
    pictures = ending in (".png", ".pdf", ".svg")
    for path in (
        f"missing/x{ending}",
        f"notes/x{ending}",
        f"foreign{ending}",
        str(tmp_path),
        str(store),
        *(["x", "x.y"] if pictures else []),
    ):
        assert main([*arguments, path]) == 2, path
        said = capsys.readouterr().err
        assert said.startswith(f"error: path {path} ") and said.count("\n") == 1
    assert look(tmp_path) == before


#: Commands up to the option whose value is a folder, and a file that they leave there.
FOLDERS = [
    (["sweep", *SMALL, "--out"], "runs.csv"),
    (["sweep", *SMALL, "--out"], "phases.png"),
    (["refine", STORE, "--to", "2", "--out"], "steps.png"),
    (["plot", STORE, "--out"], "phases.png"),
    (["plot", STORE, "--kind", "against", "--out"], "against-decoder_weight_decay.png"),
    (["plot", STORE, "--boundary", "decoder_lr", "--out"], "boundary.png"),
]


@pytest.mark.parametrize(("command", "name"), FOLDERS)
def test_a_folder_that_holds_something_else_is_refused_first(
    command: list[str],
    name: str,
    tmp_path: Path,
    store: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arguments = [str(store) if each == STORE else each for each in command]
    out = tmp_path / "out"
    out.mkdir()
    (out / name).write_text("notes")

    def too_late(*_: object, **__: object) -> None:
        raise AssertionError("refused too late")

    monkeypatch.setattr(NumbaEngine, "run", too_late)
    monkeypatch.setattr(PhaseDiagram, "boundary", too_late)
    assert sweep_cli.main([*arguments, str(out)]) == 2
    assert f"{out / name} holds something else than" in capsys.readouterr().err
    assert sweep_cli.main([*arguments, str(out / name)]) == 2
    assert f"path {out / name} cannot be written" in capsys.readouterr().err
    assert look(out) == {name: b"notes"}


@pytest.mark.parametrize("name", ["runs.csv", "phases.png", "steps.png"])
@pytest.mark.usefixtures("nothing_runs")
def test_a_store_in_the_place_of_an_output_is_refused_first(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    other = tmp_path / "." / "out" / name
    command = ["sweep", *SMALL, "--out", str(out), "--store", str(other)]
    assert sweep_cli.main(command) == 2
    assert "is both the store and an output" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.usefixtures("nothing_runs")
def test_runs_are_not_read_to_be_compared_with_themselves(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    link = store.with_name("link.sqlite")
    link.symlink_to(store)
    for other, *options in (
        (store,),
        (link,),
        (store, "--by", "place"),
        (store, "--engine-a", NumbaEngine.identity),
        (store, "--name-a", "sweep"),
    ):
        assert sweep_cli.main(["compare", str(store), str(other), *options]) == 2
        assert "both are the same stored runs" in capsys.readouterr().err


DECAY = ("--decoder-weight-decay", "0")
#: Commands on a stored sweep with one wrong value, and what is said of it.
WRONG = [
    (["show", STORE, "--cell", "decoder_lr=7"], "decoder_lr: 7 is not on the axis"),
    (
        ["show", STORE, "--cell", "decoder_lr=1e-3,decoder_weight_decay=0,seed=99"],
        "seed 99 is not in this sweep",
    ),
    (["show", STORE, "--cell", "width=3"], "width is not an axis"),
    (["plot", STORE, "--boundary", "width"], "along must be an axis"),
    (["advise", STORE, *DECAY, "--decoder-lr", "7"], "decoder_lr 7 lies outside"),
    (["advise", STORE, "--width", "3"], "width"),
    (["advise", STORE, *DECAY, "--decoder-lr", "1e-3", "--seed", "99"], "seed 99 is not in"),
    (["refine", STORE, "--to", "3"], "to must be a power of two"),
    (["refine", STORE, "--to", "width=2"], "to names 'width'"),
]


@pytest.mark.usefixtures("nothing_runs")
@pytest.mark.parametrize(("command", "message"), WRONG)
def test_a_wrong_value_is_refused_before_runs_are_read(
    command: list[str], message: str, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweep_cli.main([str(store) if word == STORE else word for word in command]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.usefixtures("nothing_runs")
def test_a_page_that_would_be_too_large_is_refused_before_runs_are_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("bokeh", reason="needs the extra [html]")
    values = np.linspace(1e-4, 1e-2, 200)
    with Store(tmp_path / "runs.sqlite") as kept:
        kept.add_sweep(
            "large", SweepSpec(Addition(10), {"decoder_lr": values, "embedding_lr": values})
        )
    page = tmp_path / "page.html"
    assert sweep_cli.main(["plot", str(tmp_path / "runs.sqlite"), "--html", str(page)]) == 2
    assert "of 40000 runs, more than 64; sweep fewer" in capsys.readouterr().err


# Names of sweeps.

GOOD_NAMES = ["a", "released-5b", "Γ, π-2", "数", "a..b", ".a", "a b", "x" * 255]
BAD_NAMES = [
    *("", " ", " a", "a ", ".", "..", "...", "/", "a/b", "../a", "/tmp/a", "a\\b", "-a", "--out"),
    *("a\nb", "a\rb", "\x1b[2J", "a\0b", "\x7f", "a\tb", "\u202eabc", "a\u200bb", "a\u2028b"),
    *("\udcff", "\u00a0", "x" * 256, "数" * 86),
]


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_a_name_may_be_of_any_letters(name: str, tmp_path: Path) -> None:
    assert require_name(name) == name
    (tmp_path / name).mkdir()
    with Store(tmp_path / "runs.sqlite") as kept:
        kept.add_sweep(name, SPEC)
        assert kept.spec() == (name, SPEC)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_is_no_folders_is_refused_before_anything_is_made(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path, engine = tmp_path / "new" / "runs.sqlite", numba_engine(1)
    for call in (
        lambda: sweep(SPEC, store=path, name=name, engine=engine),
        lambda: refine(PhaseDiagram(SPEC), 2, store=path, name=name, engine=engine),
    ):
        with pytest.raises(InputError, match=r"^name must"):
            call()
    command = ["sweep", *SMALL, f"--name={name}"]
    for more in ([], ["--out", "out"], ["--store", "store"], ["--dry-run"]):
        assert sweep_cli.main([*command, *more]) == 2
        said = capsys.readouterr().err
        assert said.startswith("error: name must") and said.count("\n") == 1
        assert said[:-1].isprintable() and len(said) < 250
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a/b", "../x", "\x1b[2J", "a\nb", "\u202eb", "-a"])
def test_names_that_stores_have_from_before_stay_readable(
    name: str, store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from phase_diagrams.runs import store as store_module

    with monkeypatch.context() as patch, Store(store) as kept:
        patch.setattr(store_module, "require_name", lambda name: name)
        kept.add_sweep(name, SPEC)
    assert load(store, name).name == name
    where = [str(store), f"--name={name}"]
    assert sweep_cli.main(["show", *where]) == 0
    assert sweep_cli.main(["export", str(store), "/dev/null", f"--name={name}"]) == 0
    other = [str(store), str(store), f"--name-a={name}", "--name-b=sweep"]
    assert sweep_cli.main(["compare", *other]) == 2
    assert sweep_cli.main(["show", str(store)]) == 2  # it names both
    printed = capsys.readouterr()
    assert "\x1b" not in printed.out + printed.err and "\u202e" not in printed.out + printed.err
    assert sweep_cli.main(["refine", *where, "--to", "2", "--dry-run"]) == 0
    assert sweep_cli.main(["refine", *where, "--to", "2"]) == 2
    assert "name must" in capsys.readouterr().err
    assert [path.name for path in store.parent.iterdir()] == ["runs.sqlite"]


def test_stored_names_are_printed_as_escapes(
    store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from phase_diagrams.runs import store as store_module

    with monkeypatch.context() as patch, Store(store) as kept:
        patch.setattr(store_module, "require_name", lambda name: name)
        other = SweepSpec(SPEC.task, SPEC.axes, ToyModel(width=4, steps=2), train_size=10)
        kept.add_sweep("\x1b[2J\u202e", other)
    command = ["compare", str(store), str(store), "--name-a=\x1b[2J\u202e", "--name-b=sweep"]
    assert sweep_cli.main(command) == 0
    printed = capsys.readouterr().out
    assert "\\x1b[2J\\u202e" in printed and "\x1b" not in printed


def test_a_reports_page_and_numbers_are_known_again(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs the extra [validation]")
    from validation.judge.report import report_files

    kinds = {path.name: kind for path, kind in report_files(PhaseDiagram(SPEC), tmp_path).items()}
    folder = Path(__file__).parents[2] / "validation"
    record = folder / "records" / "released-5b-cpu"
    assert kinds["report.json"].is_that_of(record / "report.json")
    assert kinds["agreement.png"].is_that_of(record / "agreement.png")
    # What is written begins with the shared page, in which the report's title stands.
    block = r"{% block title %}(.*?){% endblock %}"
    (title,) = re.findall(block, (folder / "judge" / "report" / "page.html").read_text())
    page = re.sub(block, title, (folder / "pages" / "base.html").read_text())
    (tmp_path / "report.html").write_text(page)
    assert kinds["report.html"].is_that_of(tmp_path / "report.html")
    (tmp_path / "report.json").write_text(json.dumps({"holds": True}, indent=1))
    assert kinds["report.json"].is_that_of(tmp_path / "report.json")
