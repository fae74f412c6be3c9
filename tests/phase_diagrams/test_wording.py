"""What ran is said wherever results are shown, and a name that gets another sweep says so."""

import csv
import dataclasses
import re
import warnings
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from effective_theory import Addition, ModularAddition, ToyModel
from phase_diagrams import Axis, Store, SweepSpec, numba_engine, preset, sweep
from phase_diagrams.cli import main
from phase_diagrams.sweeps.description import change
from phase_diagrams.sweeps.names import ChangedSweep
from phase_diagrams.toy.system import TOY

pytestmark = pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")

SPEC = SweepSpec(
    Addition(10), {"decoder_lr": [1e-3, 1e-2], "decoder_weight_decay": [0, 2]}, ToyModel(steps=30)
)
#: Another value for each field of the model that the sweep does not sweep.
OTHER: dict[str, Any] = {
    **{"embedding_dim": 2, "width": 7, "target_dim": 5, "loss": "cross_entropy", "steps": 20},
    **{"embedding_lr": 0.5, "embedding_weight_decay": 0.5, "embedding_penalty": 0.5},
    **{"batch_size": 8, "embedding_scale": 0.5, "decoder_scale": 0.5, "stop_when": "all"},
    **{"train_threshold": 0.5, "test_threshold": 0.5, "rqi_threshold": 0.5, "adam_epsilon": 0.5},
}


def changed(**fields: Any) -> SweepSpec:
    return dataclasses.replace(SPEC, **fields)


@pytest.mark.parametrize("name", [name for name in TOY.all_fields if name not in SPEC.axes])
def test_each_field_of_the_model_is_named_where_it_differs(name: str) -> None:
    other = changed(model=dataclasses.replace(SPEC.model, **{name: OTHER[name]}))
    found = change(SPEC.settings, other.settings)
    before = f"{getattr(SPEC.model, name)}".removesuffix(".0")
    assert found == (f"{name} {before}", f"{name} {OTHER[name]}")
    assert f"{name} {OTHER[name]}" in str(other)


@pytest.mark.parametrize(
    ("fields", "was", "now"),
    [
        ({"task": ModularAddition(10)}, "task Addition(p=10)", "task ModularAddition(p=10)"),
        ({"train_size": 30}, "train_size 45", "train_size 30"),
        ({"start": "released"}, "start random", "start released"),
        ({"lag": 7}, "lag 1000", "lag 7"),
        ({"seeds": [1, (2, 3)]}, "seed 0", "seeds 1, 2/3"),
        (
            {"axes": {**SPEC.axes, "decoder_lr": [1e-3, 0.1]}},
            "decoder_lr 0.001, 0.01",
            "decoder_lr 0.001, 0.1",
        ),
        (
            {"axes": {"decoder_lr": [1e-3, 1e-2], "width": [8, 9]}},
            "width 200, decoder_weight_decay 0, 2",
            "width 8, 9, decoder_weight_decay 0",
        ),
        ({"axes": {**SPEC.axes, "steps": [10, 20, 30, 40, 50]}}, "steps 30", "steps 10 to 50 (5"),
    ],
)
def test_what_else_a_name_stood_for_is_named(fields: dict[str, Any], was: str, now: str) -> None:
    found = change(SPEC.settings, changed(**fields).settings)
    assert found is not None
    assert found[0].startswith(was) and found[1].startswith(now)
    assert all(len(text) < 80 for text in found)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"seeds": [0, 1, 2]},
        {"axes": {"decoder_lr": [1e-4, 1e-3, 1e-2], "decoder_weight_decay": [0, 2]}},
        {"axes": {"decoder_weight_decay": [0, 1, 2, 3], "decoder_lr": [1e-3, 1e-2]}},
    ],
)
def test_the_same_sweep_and_a_larger_one_are_no_change(
    fields: dict[str, Any], tmp_path: Path
) -> None:
    assert change(SPEC.settings, changed(**fields).settings) is None


def test_a_pair_that_is_no_seeds_is_changed_by_its_order() -> None:
    before, after = {"betas": (0.9, 0.98)}, {"betas": (0.98, 0.9)}
    assert change(before, after) is not None and change(before, before) is None
    assert change({"seeds": ((0, 0),)}, {"seeds": ((0, 0), (1, 1))}) is None


def test_python_warns_when_a_name_is_given_to_another_sweep(tmp_path: Path) -> None:
    store, engine = tmp_path / "runs.sqlite", numba_engine(1)
    small = changed(model=ToyModel(width=4, steps=30))
    sweep(small, store=store, name="one", engine=engine, progress=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ChangedSweep)
        more = small.with_more_seeds([1])
        sweep(more, store=store, name="one", engine=engine, progress=False)
        sweep(more, store=store, name="one", engine=engine, progress=False)
        shorter = dataclasses.replace(more, model=ToyModel(width=4, steps=20))
        sweep(shorter, store=store, name="two", engine=engine, progress=False)
    with pytest.warns(ChangedSweep, match="'one' was: steps 30; is now: steps 20; ") as caught:
        sweep(shorter, store=store, name="one", engine=engine, progress=False)
    assert caught[0].filename == __file__


def test_a_name_of_a_sweep_that_cannot_be_read_here_can_be_given_anew(tmp_path: Path) -> None:
    """Its start was registered by a program that is not this one."""
    from phase_diagrams import random_start, register_start

    store = tmp_path / "runs.sqlite"
    register_start("of-another-program", random_start)
    try:
        with Store(store) as kept:
            kept.add_sweep("one", changed(start="of-another-program"))
    finally:
        del TOY.starts["of-another-program"]
    small = changed(model=ToyModel(width=4, steps=3))
    with pytest.warns(ChangedSweep, match="not readable .*of-another-program"):
        sweep(small, store=store, name="one", engine=numba_engine(1), progress=False)


TINY = ("--axis", "decoder_lr=1e-3,1e-2", "--width", "4", "--lag", "9", "--jobs", "1")


def test_the_shell_says_that_a_name_stands_for_something_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["sweep", *TINY, "--name", "one", "--out", str(tmp_path)]
    for steps, said in (("15", False), ("15", False), ("2", True), ("15", True)):
        assert main([*command, "--steps", steps]) == 0
        printed = capsys.readouterr().out
        assert ("note: sweep 'one' was: steps" in printed) == said
        assert f"is now: steps {steps};" in printed or not said
        assert f"start random, steps {steps}, lag 9, width 4" in printed
    assert main([*command, "--steps", "15", "--seeds", "0,1"]) == 0
    assert "note:" not in capsys.readouterr().out


def test_results_say_by_themselves_what_ran(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("bokeh", reason="needs the extra [html]")
    assert main(["sweep", *TINY, "--steps", "15", "--out", str(tmp_path)]) == 0
    store = str(tmp_path / "runs.sqlite")
    capsys.readouterr()
    assert main(["show", store]) == 0
    text = "task Addition(p=10), train_size 45, start random, steps 15, lag 9, width 4, seed 0"
    assert text in capsys.readouterr().out
    for ending in ("png", "pdf", "svg"):
        picture = tmp_path / f"run.{ending}"
        cell = ["show", store, "--cell", "decoder_lr=1e-3", "--out", str(picture)]
        assert main(cell) == 0
        assert text in capsys.readouterr().out
        first = picture.read_bytes()
        assert text.encode() in first.replace(b"\\(", b"(").replace(b"\\)", b")")
        assert main(cell) == 0 and picture.read_bytes() == first
    for name in ("phases.png", "steps.png"):
        with Image.open(tmp_path / name) as image:
            assert text in image.info["Description"]
    assert main(["plot", store, "--html", str(tmp_path / "page.html")]) == 0
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert re.search(rf"2 runs: {re.escape(text)}", page)
    with open(tmp_path / "runs.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    settings = {"task": "Addition(p=10)", "train_size": "45", "start": "random", "steps": "15"}
    assert len(rows) == 2 and all(row | settings | {"lag": "9"} == row for row in rows)


def test_what_is_swept_is_one_column(tmp_path: Path) -> None:
    from phase_diagrams import PhaseDiagram
    from phase_diagrams.text.table import write_csv

    axes = {"steps": [1, 2], "train_size": Axis((20, 30))}
    write_csv(PhaseDiagram(SweepSpec(Addition(10), axes)), tmp_path / "runs.csv")
    head, *rows = (tmp_path / "runs.csv").read_text().splitlines()
    assert head.endswith(",source,task,start,lag,other_settings")
    assert head.split(",").count("steps") == 1
    assert rows[0].startswith("1,20,") and rows[0].endswith(",Addition(p=10),random,1000,default")


def test_a_stored_sweep_of_a_changed_preset_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Such as Figure 6d, which began from embeddings ten times as small before."""
    now = preset("fig6d")
    old = dataclasses.replace(
        now, model=dataclasses.replace(now.model, embedding_scale=0.1, embedding_penalty=1e-3)
    )
    for name, spec in (("fig6d", old), ("fig6b", preset("fig6b")), ("mine", old)):
        with Store(tmp_path / f"{name}.sqlite") as store:
            store.add_sweep(name, spec)
        assert main(["show", str(tmp_path / f"{name}.sqlite")]) == 0
        said = capsys.readouterr().out
        assert ("not the preset fig6d of this version" in said) == (name == "fig6d")
        assert ("it has embedding_penalty 0.001, embedding_scale 0.1" in said) == (name == "fig6d")
