"""Files made to harm: nothing that this project reads can run code, hang or fill the memory."""

import io
import json
import pickle
import resource
import sqlite3
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.lib import format as npy

from effective_theory import Addition, InputError, ToyModel
from phase_diagrams import PhaseDiagram, StoreError, SweepSpec, load, numba_engine, preset, sweep
from phase_diagrams.comparison.published_tables import read_table
from phase_diagrams.runs.rows import COLUMNS, STORE_VERSION, TABLES, checksum
from tests.stores import forge as forge_row

SPEC = SweepSpec(
    Addition(5), {"decoder_lr": [1e-3, 1e-2]}, ToyModel(width=6, steps=20), train_size=10
)
pytestmark = pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")


class Bomb:
    """Its pickle, once loaded, leaves a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.mark,)


@pytest.fixture
def little_memory() -> Iterator[None]:
    """Let this process take no more than 2 GiB beyond what it has: what claims more fails."""
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    unlimited = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**31, unlimited[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, unlimited)


@pytest.fixture
def members() -> dict[str, bytes]:
    """The members of a sound diagram's file."""
    diagram, made = PhaseDiagram(SPEC), io.BytesIO()
    np.savez(made, spec=np.array(SPEC.to_json()), **diagram.results.arrays)  # type: ignore[arg-type]
    with zipfile.ZipFile(made) as content:
        return {name: content.read(name) for name in content.namelist()}


def write(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as content:
        for name, data in members.items():
            content.writestr(name, data)
    return path


def array(values: object, **header: object) -> bytes:
    """An array as npy, with a header that may lie."""
    buffer, content = io.BytesIO(), np.asarray(values)
    claimed = {**npy.header_data_from_array_1_0(content), **header}
    npy.write_array_header_1_0(buffer, claimed)
    return buffer.getvalue() + content.tobytes()


def test_a_sound_diagram_is_read(members: dict[str, bytes], tmp_path: Path) -> None:
    assert PhaseDiagram.load(write(tmp_path / "d.npz", members)).spec == SPEC


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("train", array([[1], [2]], shape=(10**12,)), "shape"),
        ("train", array([[1], [2]], shape=(10**6, 10**6)), "shape"),
        ("train", array([[1], [2]], descr="<i1"), "length"),
        ("train", array([1, 2]), "shape"),
        ("train", array([[0.5], [2.0]]), "integers"),
        ("train", array([[-2], [1]]), "numbers beyond"),
        ("train", b"\x93NUMPY\x09\x00", "unknown"),
        ("train", b"", "magic"),
        ("status", array([[4], [0]], descr="<i8"), "numbers beyond"),
        ("source", array([[0], [4]], descr="<i8"), "numbers beyond"),
        ("source", array([[0], [3]], descr="<i8"), "no probabilities"),
        ("spec", array("x" * 9, descr="<U500000000"), "no text"),
        ("spec", array("{}"), "spec"),
        ("spec", array("[" * 100_000), "spec"),
        ("spec", array(SPEC.to_json().replace("float:0x1.0", "float:0x1.0p99999")), "spec"),
        ("spec", array(SPEC.to_json().replace('"p":5', '"p":' + "9" * 4000)), "p must be"),
        ("spec", array([1, 2]), "no text"),
    ],
)
def test_a_diagram_that_lies_is_refused(
    name: str,
    data: bytes,
    message: str,
    members: dict[str, bytes],
    tmp_path: Path,
    little_memory: None,
) -> None:
    path = write(tmp_path / "d.npz", {**members, f"{name}.npy": data})
    with pytest.raises(InputError, match=message):
        PhaseDiagram.load(path)


def test_no_pickle_is_loaded(members: dict[str, bytes], tmp_path: Path) -> None:
    mark, made = tmp_path / "mark", io.BytesIO()
    objects = np.array([[Bomb(mark)], [Bomb(mark)]], dtype=object)
    np.save(made, objects, allow_pickle=True)
    for name in members:
        path = write(tmp_path / "d.npz", {**members, name: made.getvalue()})
        with pytest.raises(InputError, match="holds no phase diagram"):
            PhaseDiagram.load(path)
    for data in (pickle.dumps(Bomb(mark)), made.getvalue()):
        path.write_bytes(data)
        with pytest.raises(InputError, match="holds no phase diagram"):
            PhaseDiagram.load(path)
        with pytest.raises(StoreError):
            load(path)
        with pytest.raises(InputError, match="not a table"):
            read_table(path, SPEC)
    assert not mark.exists()


def test_members_with_names_of_other_places_are_not_unpacked(
    members: dict[str, bytes], tmp_path: Path
) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    absolute = tmp_path / "absolute.npy"
    harm = {"../outside.npy": b"x", str(absolute): b"x"}
    PhaseDiagram.load(write(inner / "d.npz", {**members, **harm}))
    assert [path.name for path in tmp_path.iterdir()] == ["inner"]
    assert [path.name for path in inner.iterdir()] == ["d.npz"]


def test_zeros_beyond_what_a_header_claims_are_not_unpacked(
    members: dict[str, bytes], tmp_path: Path
) -> None:
    """64 MiB in a small file; it could be gigabytes."""
    path = tmp_path / "d.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as content:
        for name, data in members.items():
            with content.open(name, "w") as file:
                file.write(data)
                if name == "train.npy":
                    for _ in range(16):
                        file.write(bytes(2**22))
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="length"):
            PhaseDiagram.load(path)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 2**23


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "runs.sqlite"
    sweep(SPEC, store=path, engine=numba_engine(1), progress=False)
    return path


@pytest.mark.parametrize(
    ("column", "forge"),
    [
        ("status", lambda value: "won"),
        ("status", lambda value: b"stopped"),
        ("steps_run", lambda value: None),
        ("steps_run", lambda value: -5),
        ("train_step", lambda value: "3"),
        ("train_step", lambda value: 0.5),
        ("train_accuracy", lambda value: "high"),
        ("embeddings", lambda value: b""),
        ("embeddings", lambda value: value + value),
        ("embeddings", lambda value: value[:-1]),
        ("embeddings", lambda value: "text"),
        ("curve", lambda value: value[:-8]),
        ("curve", lambda value: "text"),
        ("curve", lambda value: b""),
        ("train_accuracy", lambda value: 1e308),
        ("best_test_accuracy", lambda value: 1e308),
        ("rqi", lambda value: 1e308),
        ("status", lambda value: "diverged"),
        ("status", lambda value: "stopped"),
        ("diverged_step", lambda value: 3),
        ("steps_run", lambda value: 2**62),
        ("steps", lambda value: 2**62),
        ("stop_when", lambda value: "won"),
        ("configuration", lambda value: value.replace("addition", "modular_addition")),
    ],
)
def test_a_forged_row_with_a_right_checksum_is_damage(
    column: str, forge: Callable[[object], object], store: Path
) -> None:
    (found,) = sqlite3.connect(store).execute(f"SELECT {column} FROM runs").fetchone()
    forge_row(store, **{column: forge(found)})
    with pytest.raises(StoreError, match="is damaged"):
        load(store)


@pytest.mark.parametrize(
    "row", [(None, SPEC.to_json()), (b"sweep", SPEC.to_json()), ("sweep", b"{}")]
)
def test_a_forged_sweep_with_a_right_checksum_is_damage(
    row: tuple[object, object], store: Path
) -> None:
    connection = sqlite3.connect(store)
    connection.execute("DELETE FROM sweeps")
    connection.execute("INSERT INTO sweeps VALUES (?, ?, ?)", (*row, checksum(row)))
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="is damaged"):
        load(store)


def forged_sweep(change: Callable[[dict[str, Any]], object]) -> str:
    """The specification as JSON with a change, which may be another text."""
    content = json.loads(SPEC.to_json())
    changed = change(content)
    return changed if isinstance(changed, str) else json.dumps(content)


@pytest.mark.parametrize(
    "change",
    [
        lambda spec: spec["axes"].append(spec["axes"][0]),
        lambda spec: spec["axes"].append({**spec["axes"][0], "values": [0.5]}),
        lambda spec: spec["axes"][0].update(more=1),
        lambda spec: spec["axes"][0].update(scale=None),
        lambda spec: spec["axes"][0].update(values="12"),
        lambda spec: spec.update(more=1),
        lambda spec: spec["model"].update(more=1),
        lambda spec: spec["model"].pop("width"),
        lambda spec: spec["task"].update(more=1),
        lambda spec: spec.update(refined={}),
        lambda spec: spec.update(refined={"decoder_lr": 2.0}),
        lambda spec: spec.update(refined={"decoder_lr": 3}),
        lambda spec: spec.update(refined={"width": 2}),
        lambda spec: spec.update(refined=[["decoder_lr", 2]]),
        lambda spec: spec.update(seeds=[[0, 0, 0]]),
        lambda spec: spec.update(seeds=[[0, 0], [0, 0]]),
        lambda spec: spec.update(seeds=[[True, 0]]),
        lambda spec: spec.update(train_size=float("nan")),
        lambda spec: SPEC.to_json().replace('"lag":', '"lag":2000,"lag":'),
        lambda spec: SPEC.to_json().replace('"width":6', '"width":7,"width":6'),
        lambda spec: SPEC.to_json().replace('"p":5', '"p":4,"p":5'),
        lambda spec: SPEC.to_json().replace('"scale":"log"', '"scale":"log","scale":"log"'),
    ],
)
def test_a_sweep_that_says_what_none_does_is_refused(
    change: Callable[[dict[str, Any]], object], store: Path, members: dict[str, bytes]
) -> None:
    text = forged_sweep(change)
    with pytest.raises(InputError):
        SweepSpec.from_json(text)
    connection = sqlite3.connect(store)
    connection.execute("DELETE FROM sweeps")
    row = ("sweep", text)
    connection.execute("INSERT INTO sweeps VALUES (?, ?, ?)", (*row, checksum(row)))
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="holds the sweep 'sweep', which cannot be read"):
        load(store)
    path = write(store.with_suffix(".npz"), {**members, "spec.npy": array(text)})
    with pytest.raises(InputError, match="holds no phase diagram"):
        PhaseDiagram.load(path)


@pytest.mark.parametrize(
    "statement",
    [
        # Never ends.
        "CREATE VIEW runs AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x FROM c) "
        "SELECT x FROM c",
        # Takes 10^12 bytes.
        "CREATE VIEW runs AS SELECT zeroblob(1000000000000) AS cell_id",
        "CREATE TABLE runs (x, y AS (zeroblob(1000000000000)))",
        "CREATE TABLE runs (cell_id)",
    ],
    ids=["endless view", "huge view", "huge column", "another table"],
)
def test_a_store_with_other_tables_is_refused(statement: str, store: Path) -> None:
    connection = sqlite3.connect(store)
    connection.execute("DROP TABLE runs")
    connection.execute(statement)
    connection.commit()
    connection.close()
    for refused in (lambda: load(store), lambda: sweep(SPEC, store=store, progress=False)):
        with pytest.raises(StoreError, match="its tables are not those of format"):
            refused()


def test_a_trigger_is_refused_before_it_acts(store: Path) -> None:
    connection = sqlite3.connect(store)
    connection.execute("CREATE TRIGGER t AFTER INSERT ON sweeps BEGIN DELETE FROM runs; END")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="its tables are not those of format"):
        sweep(SPEC, store=store, progress=False)


def test_a_blob_that_claims_more_than_the_file_is_damage(store: Path, little_memory: None) -> None:
    """The length of the learning curve, in the head of each row, set to the largest there is."""
    content = bytearray(store.read_bytes())
    connection = sqlite3.connect(store)
    (length,) = connection.execute("SELECT max(length(curve)) FROM runs").fetchone()
    connection.close()
    kind = 2 * length + 12  # how SQLite writes the type of a blob, in base 128
    claimed = bytes([0x80 | kind >> 7, kind & 0x7F])
    assert content.count(claimed) >= 1
    store.write_bytes(content.replace(claimed, b"\xff\x7e"))
    with pytest.raises(StoreError):
        load(store)


HEAD = "eta_dec,weight_decay,train_step,test_step\n"


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "1e-4,1," + "9" * 10_000 + ",2\n",
        HEAD + "inf,1,1,2\n",
        HEAD + "nan,1,1,2\n",
        HEAD + "1e999,1,1,2\n",
        HEAD + "1e-4,1,1\n",
        HEAD + "\0,1,1,2\n",
        HEAD + '"1e-4,1,1,2\n' * 20_000,
        HEAD + "=cmd|' /C calc'!A0,1,1,2\n",
        "../../etc/passwd,weight_decay,train_step,test_step\n1,1,1,1\n",
    ],
)
def test_a_table_that_lies_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(InputError, match="table.csv"):
        read_table(path, preset("released-5b"))


def test_a_table_without_end_is_refused(little_memory: None) -> None:
    with pytest.raises(InputError, match="/dev/zero has over 10000000 characters"):
        read_table("/dev/zero", SPEC)


def test_a_store_that_is_a_device_is_refused() -> None:
    with pytest.raises(StoreError, match="/dev/zero"):
        load("/dev/zero")


def test_what_the_store_trusts_is_not_widened() -> None:
    """Rows of this format come from COLUMNS alone: one more would go unchecked."""
    assert set(COLUMNS) <= set(TABLES[STORE_VERSION]["runs"].split())
