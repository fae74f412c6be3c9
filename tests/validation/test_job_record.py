"""job.json is read as what anybody may have written: a submission, or one sentence."""

import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from effective_theory import Addition, InputError, ToyModel
from phase_diagrams import SweepSpec

pytest.importorskip("torch", reason="needs the extra [validation]")

from validation.cli import main
from validation.cluster.submissions import EngineChoice, Submission, jobs_folder, submissions

SPEC = SweepSpec(Addition(5), {"decoder_lr": [1e-3, 1e-2]}, ToyModel(steps=3), train_size=10)
SOUND = Submission(
    name="small",
    spec=SPEC.to_json(),
    batches=[[[0, 0]], [[1, 0]]],
    engine=EngineChoice(),
    identity="numba-float32",
    version=2,
    cluster="slurm",
    commit=None,
    dirty=True,
    job_ids=["12_0", "12_1"],
)
CONTENT = dataclasses.asdict(SOUND)
QUICK = settings(max_examples=150, suppress_health_check=list(HealthCheck))

#: Any value of JSON, those that fit a field now and then.
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.just(10**400), st.floats(), st.text(max_size=5),
    st.sampled_from(["", "a\nb", "\x1b[2J", "\ud800", "cuda", "torch", "local", "../x", "1\0"]),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


def outcome(folder: Path, text: str | bytes) -> Submission | None:
    """The submission that a record holds; None if it is refused in one sentence."""
    folder.mkdir(parents=True, exist_ok=True)
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    (folder / "job.json").write_bytes(data)
    try:
        found = Submission.read(folder)
    except InputError as error:
        assert str(error).startswith(f"submission {folder} cannot be ") and len(str(error)) < 600
        return None
    cells = [cell for k in range(len(found.batches)) for cell in found.cells(k)]
    assert len(cells) == sum(map(len, found.batches))
    assert found.name.isprintable() and found.identity.isprintable()
    return found


def paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The places of all values in a value."""
    inside = value.items() if isinstance(value, dict) else []
    inside = enumerate(value) if isinstance(value, list) else inside
    return [here, *(path for key, each in inside for path in paths(each, (*here, key)))]


def replaced(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    if not path:
        return other
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], other)
    return copy


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    SOUND.write(tmp_path)
    assert Submission.read(tmp_path) == SOUND
    SOUND.write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["job.json"]


@pytest.mark.parametrize("path", paths(CONTENT), ids=str)
def test_any_value_in_the_place_of_any_other_is_read_or_refused(
    path: tuple[Any, ...], tmp_path: Path
) -> None:
    @QUICK
    @given(VALUES)
    @example(True)
    @example(-1)
    @example(10**30)
    @example([[[0, -1]]])
    @example([[[0, 0, 0]]])
    @example([[[0]]])
    @example([[[0, True]]])
    @example([[0, 0]])
    def reads(value: Any) -> None:
        outcome(tmp_path, json.dumps(replaced(CONTENT, path, value)))

    reads()


SPECIFICATION = json.loads(SPEC.to_json())


@pytest.mark.parametrize("path", paths(SPECIFICATION), ids=str)
def test_any_value_in_a_specification_is_read_or_refused(
    path: tuple[Any, ...], tmp_path: Path
) -> None:
    @QUICK
    @given(VALUES)
    @example("float:0x1.0p99999")
    @example("float:")
    @example(10**30)
    @example([])
    def reads(value: Any) -> None:
        spec = json.dumps(replaced(SPECIFICATION, path, value))
        outcome(tmp_path, json.dumps({**CONTENT, "spec": spec}))

    reads()


@QUICK
@given(VALUES)
def test_any_value_for_the_whole_is_refused(value: Any) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        assert outcome(Path(folder), json.dumps(value)) is None


TEXT = json.dumps(CONTENT)


def deep(text: str) -> str:
    return text * 10**5


@pytest.mark.parametrize(
    "text",
    [
        *("", "null", "[]", "{}", "{", TEXT[:-1], TEXT + "x", deep("["), deep('{"a":')),
        TEXT.replace("[[0, 0]]", deep("[") + deep("]")),
        TEXT.replace("[0, 0]", "[0, NaN]"),
        TEXT.replace('"version": 2', '"version": Infinity'),
        TEXT.replace('"version": 2', '"version": 1e999'),
        TEXT.replace('"version": 2', '"version": ' + "9" * 5000),
        TEXT.replace('"version": 2', '"version": 1, "version": 2'),
        TEXT.replace('"jobs": 1', '"jobs": 1, "jobs": 1'),
        TEXT.replace('"small"', '"\\ud800"'),
        TEXT.replace('"12_0"', '"../../1"'),
        TEXT.replace('"12_0", ', ""),
        TEXT[:-1] + ', "more": 1}',
        TEXT.replace(json.dumps(SPEC.to_json()), json.dumps(deep("["))),
        TEXT.encode("utf-16"),
        TEXT.replace("small", "ä").encode("latin-1").replace(b"\\u00e4", b"\xe4"),
        b"\xff" * 100,
        b"\0" * 100,
    ],
    ids=lambda text: repr(text[:20]),
)
def test_damaged_and_hostile_records_are_refused(text: str | bytes, tmp_path: Path) -> None:
    assert outcome(tmp_path, text) is None


def huge(path: Path) -> None:
    with open(path, "wb") as file:
        file.truncate(2**40)


@pytest.mark.parametrize(
    "make",
    [Path.mkdir, os.mkfifo, huge, lambda path: path.symlink_to("/dev/zero"), lambda path: None],
    ids=["folder", "pipe", "terabyte", "device", "nothing"],
)
def test_what_is_no_file_of_text_is_refused_unread(
    make: Callable[[Path], object],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    store = tmp_path / "runs.sqlite"
    folder = jobs_folder(store) / "1"
    folder.mkdir(parents=True)
    make(folder / "job.json")
    for command in ("status", "collect"):
        assert main([command, str(store)]) == 2
        said = capsys.readouterr().err
        assert f"submission {folder} cannot be read" in said and said.count("\n") == 1


@pytest.mark.parametrize("name", ["0", "01", "²", "٣", "1a", "-1", ""])
def test_folders_that_are_no_submissions_are_left_alone(name: str, tmp_path: Path) -> None:
    store = tmp_path / "runs.sqlite"
    (jobs_folder(store) / name).mkdir(parents=True)
    assert submissions(store) == {}


def test_a_file_in_the_place_of_the_folder_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("submitit", reason="needs the extra [cluster]")
    store = tmp_path / "runs.sqlite"
    jobs_folder(store).write_text("notes")
    command = ["submit", "--axis", "decoder_lr=1e-3", "--width", "4", "--steps", "3"]
    command += ["--cluster", "debug", "--allow-dirty", "--store", str(store)]
    assert main(command) == 2
    assert f"path {jobs_folder(store)} cannot be written" in capsys.readouterr().err
    assert jobs_folder(store).read_text() == "notes"
