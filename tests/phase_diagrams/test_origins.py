"""Every run knows what made it, and a diagram of several origins says so."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from effective_theory import Addition, ToyModel, installation
from effective_theory.installation import checkout
from phase_diagrams import (
    PhaseDiagram,
    Store,
    StoreError,
    SweepSpec,
    load,
    numba_engine,
    refine,
    sweep,
)
from phase_diagrams.cli import main
from phase_diagrams.runs import origin
from phase_diagrams.runs.origin import Origin, mixtures
from phase_diagrams.sweeps.cell import Cell
from phase_diagrams.sweeps.starts import Recipe
from phase_diagrams.toy import engine as engines
from phase_diagrams.toy.engine import run_cell
from phase_diagrams.toy.origin import numba_origin
from phase_diagrams.toy.system import TOY
from tests.checkouts import git
from tests.stores import forge

SPEC = SweepSpec(
    Addition(5), {"decoder_lr": [1e-3, 1e-2]}, ToyModel(width=6, steps=20), train_size=10
)
pytestmark = pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")

HERE = Origin("x86_64 znver4", (("numba", "0.68"), ("numpy", "2.4")), "ab" * 20)
GENERIC = Origin("x86_64 generic", HERE.versions, HERE.commit)

texts = st.text(max_size=8)
origins = st.builds(
    Origin,
    texts,
    st.dictionaries(texts, texts, max_size=3).map(lambda found: tuple(sorted(found.items()))),
    st.none() | texts,
)


@pytest.mark.parametrize(
    "setting",
    [
        {"NUMBA_CPU_NAME": "generic"},
        {"NUMBA_CPU_NAME": "nehalem", "NUMBA_CPU_FEATURES": "+sse4.2"},
        {"NUMBA_CPU_FEATURES": ""},
        {"NUMBA_ENABLE_AVX": "0"},
        {"NUMBA_OPT": "1"},
        {"NUMBA_LOOP_VECTORIZE": "0"},
        {"NUMBA_DISABLE_JIT": "1"},
    ],
    ids=str,
)
def test_what_changes_machine_code_changes_the_origin_and_not_the_key(
    setting: dict[str, str],
) -> None:
    code = (
        "from phase_diagrams import numba_engine; "
        "from phase_diagrams.toy.origin import numba_origin; "
        "e = numba_engine(); print(e.identity, e.version); print(numba_origin().to_json())"
    )
    environment = {**os.environ, **setting}
    said = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    key, found = said.stdout.splitlines()
    ours, theirs = numba_origin(), Origin.from_json(found)
    assert key == f"{numba_engine().identity} {numba_engine().version}"
    assert theirs.instruction_set != ours.instruction_set and theirs.versions == ours.versions
    assert said.stderr == ""


def test_a_store_filled_on_two_instruction_sets_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store, first = tmp_path / "runs.sqlite", SweepSpec(
        SPEC.task, {"decoder_lr": [1e-3]}, SPEC.model, train_size=10
    )  # fmt: skip
    monkeypatch.setattr(engines, "numba_origin", lambda: GENERIC)
    sweep(first, store=store, engine=numba_engine(1), progress=False)
    assert load(store).origins == {GENERIC: 1}
    monkeypatch.setattr(engines, "numba_origin", lambda: HERE)
    mixed = r"instruction set \(x86_64 generic; x86_64 znver4\); another instruction set"
    with pytest.warns(UserWarning, match=mixed):
        found = sweep(SPEC, store=store, engine=numba_engine(1), progress=False)
    assert found.origins == {GENERIC: 1, HERE: 1}
    with pytest.warns(UserWarning, match=mixed):
        assert load(store).origins == {GENERIC: 1, HERE: 1}
    options = ["--p", "5", "--train-size", "10", "--width", "6", "--steps", "20", "--jobs", "1"]
    command = ["sweep", "--axis", "decoder_lr=1e-3,1e-2", "--store", str(store), *options]
    capsys.readouterr()
    assert main([*command, "--name", "sweep", "--out", str(tmp_path)]) == 0
    assert "runs of several origins are mixed: instruction set" in capsys.readouterr().out
    assert main(["show", str(store)]) == 0
    shown = capsys.readouterr().out
    assert "runs of several origins are mixed: instruction set" in shown
    versions = f"numba 0.68, numpy 2.4; commit {'ab' * 6}\n"
    assert f"1 run by numba-float32: x86_64 generic; {versions}" in shown
    assert f"1 run by numba-float32: x86_64 znver4; {versions}" in shown
    assert main(["show", str(store), "--cell", "decoder_lr=1e-3"]) == 0
    assert f"origin: x86_64 generic; {versions}" in capsys.readouterr().out


def test_one_origin_is_listed_and_not_worth_a_word_to_a_sweep(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "runs.sqlite"
    diagram = sweep(SPEC, store=store, engine=numba_engine(1), progress=False)
    assert diagram.origins == load(store).origins == {numba_origin(): 2}
    assert main(["show", str(store)]) == 0
    shown = capsys.readouterr().out
    assert f"2 runs by numba-float32: {numba_origin()}\n" in shown and "mixed" not in shown


def test_a_refined_diagram_knows_the_origins_of_its_coarse_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engines, "numba_origin", lambda: GENERIC)
    model = ToyModel(width=20, steps=800, embedding_lr=1e-2)
    spec = SweepSpec(Addition(10), {"decoder_lr": [1e-4, 1e-3, 1e-2]}, model, seeds=(5,))
    coarse = sweep(spec, engine=numba_engine(1), progress=False)
    monkeypatch.setattr(engines, "numba_origin", lambda: HERE)
    with pytest.warns(UserWarning, match="runs of several origins are mixed"):
        fine = refine(coarse, 4, engine=numba_engine(1), progress=False)
    assert fine.origins[GENERIC] == 3 and fine.origins[HERE] > 0
    assert set(fine.origins) == {GENERIC, HERE}  # of inferred cells there is none


def test_the_process_that_ran_a_cell_says_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(cell: Cell, recipe: Recipe) -> object:
        import os

        from phase_diagrams.runs.origin import Origin
        from phase_diagrams.toy import engine as engines

        original = engines.numba_origin
        engines.numba_origin = lambda: Origin(f"process {os.getpid()}", (), None)  # type: ignore
        try:
            return engines.run_cell(cell, recipe)
        finally:  # other tests may use the same workers
            engines.numba_origin = original  # type: ignore

    monkeypatch.setattr(engines, "run_cell", run)
    found = [summary for _, summary in numba_engine(2).run(SPEC.cells())]
    names = {summary.origin.instruction_set for summary in found if summary.origin is not None}
    assert names and f"process {os.getpid()}" not in names


def test_git_is_asked_once_in_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, git = [], installation._git
    monkeypatch.setattr(installation, "_git", lambda *words: asked.append(words) or git(*words))
    origin.code_commit.cache_clear()
    numba_origin.cache_clear()
    for cell in SPEC.cells():
        run_cell(cell)
    assert len(asked) <= 3


def test_a_commit_is_that_of_the_packages_own_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    package = tmp_path / "venv" / "site-packages"
    package.mkdir(parents=True)
    assert checkout(tmp_path) == checkout(tmp_path / "absent") == (None, [])
    git(tmp_path, "init")
    assert checkout(tmp_path) == (None, [])  # no commit yet
    git(tmp_path, "commit", "--allow-empty", "-m", "first")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert checkout(tmp_path) == (commit, [])
    # Installed somewhere in a user's repository, the package is not of that one's commit.
    assert checkout(package) == (None, [])
    (tmp_path / "notes.txt").write_text("")
    assert checkout(tmp_path) == (commit, ["notes.txt"])
    assert checkout(tmp_path, "venv") == (commit, [])
    # A hook's git says where its own repository is.
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    assert checkout(tmp_path) == (commit, ["notes.txt", "other/"])


@pytest.mark.parametrize("script", [None, "exit 1", "echo nonsense; echo noise >&2"])
def test_without_a_git_that_answers_the_commit_is_not_known(
    script: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    if script is not None:
        (tmp_path / "git").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert checkout(Path(__file__).parents[2]) == (None, [])
    assert capfd.readouterr() == ("", "")


@given(origins)
def test_an_origin_reads_back_from_its_text(found: Origin) -> None:
    assert Origin.from_json(found.to_json()) == found
    assert Origin.from_json(found.to_json()).to_json() == found.to_json()


@pytest.mark.parametrize(
    "forged",
    [
        *("", "null", "[]", "{}", "NaN", "1", '"text"', b"{}", 3, "[" * 10_000),
        json.dumps({"commit": None, "instruction_set": 3, "versions": {}}),
        json.dumps({"commit": 3, "instruction_set": "", "versions": {}}),
        json.dumps({"commit": None, "instruction_set": "", "versions": {"numpy": 2}}),
        json.dumps({"commit": None, "instruction_set": "", "versions": []}),
        '{"commit":null,"instruction_set":"","versions":{},"more":1}',
        '{"commit":null,"instruction_set":"a","instruction_set":"b","versions":{}}',
    ],
)
def test_a_forged_origin_is_damage(forged: object, tmp_path: Path) -> None:
    store = tmp_path / "runs.sqlite"
    sweep(SPEC, store=store, engine=numba_engine(1), progress=False)
    forge(store, origin=forged)
    with pytest.raises(StoreError, match="is damaged"):
        load(store)


@example([Origin("", (), None), Origin("", (("commit", ""),), None)])
@given(st.lists(origins, min_size=2, max_size=4, unique=True))
def test_each_part_in_which_origins_differ_is_named_with_its_values(found: list[Origin]) -> None:
    (sentence,) = mixtures(dict.fromkeys(found, 1), TOY)
    assert sentence.startswith("runs of several origins are mixed: ")
    for each in found:
        if len({other.instruction_set for other in found}) > 1:
            assert "instruction set (" in sentence and each.instruction_set in sentence
        for package, version in each.versions:
            if any(dict(other.versions).get(package) != version for other in found):
                assert f"{package} (" in sentence and version in sentence


@given(origins, st.integers(1, 9))
def test_a_single_origin_is_no_mixture(found: Origin, count: int) -> None:
    counts: list[dict[Origin | None, int]] = [{}, {None: count}, {found: count}]
    assert all(mixtures(each, TOY) == [] for each in counts)
    (sentence,) = mixtures({found: count, None: 2}, TOY)
    assert f"origin of 2 of {count + 2} runs is not known" in sentence


def test_only_what_may_change_bits_is_said_to() -> None:
    for name, said in (("numba", True), ("llvmlite", True), ("numpy", False)):
        two = [Origin("a", ((name, version),), None) for version in ("1", "2")]
        (sentence,) = mixtures(dict.fromkeys(two, 1), TOY)
        assert ("may round in another way" in sentence) is said
        assert ("should not differ" in sentence) is not said


def test_a_run_of_an_engine_that_says_no_origin_is_stored_without(tmp_path: Path) -> None:
    cell, engine = next(iter(SPEC.cells())), numba_engine(1)
    summary = engines.summarised(_history(cell))
    with Store(tmp_path / "runs.sqlite") as store:
        store.add(cell, summary, "mine", 1)
    with Store(tmp_path / "runs.sqlite") as store:
        ((_, kept),) = store.find([cell], "mine", 1)
    assert kept is not None and kept.origin is None
    diagram = PhaseDiagram(SPEC)
    diagram.record((0, 0), kept)
    assert diagram.origins == {None: 1} and engine.identity != "mine"


def _history(cell: Cell):  # type: ignore[no-untyped-def]
    from effective_theory import train
    from phase_diagrams.runs.summary import curve_updates

    dataset, state = cell.draw()
    return train(cell.model, dataset, state, record_at=curve_updates(cell.model.steps))
