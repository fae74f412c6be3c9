"""The command line as a user meets it."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from effective_theory import Addition, InputError, ToyModel
from effective_theory.files import save_figure
from phase_diagrams import Axis, SweepSpec, sweep
from phase_diagrams.cli import main
from phase_diagrams.commands.parsing import parse_axes, parse_seeds, parse_value

SMALL = (
    *("sweep", "--axis", "decoder_lr=1e-4:1e-2:3:log", "--axis", "decoder_weight_decay=0,2"),
    *("--width", "10", "--steps", "50", "--seeds", "5"),
)


def run(*arguments: str) -> int:
    """Exit code, whether the command returns it or its parser exits with it."""
    try:
        return main(arguments)
    except SystemExit as exit:
        return int(exit.code or 0)


def test_a_sweep_leaves_pictures_table_and_store(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(*SMALL, "--out", str(out)) == 0
    assert sorted(p.name for p in out.iterdir()) == [
        *("phases.png", "runs.csv", "runs.sqlite", "steps.png"),
    ]
    printed = capsys.readouterr().out
    assert "X confusion 6" in printed and "ideal test accuracy of seed 5" in printed
    first = (out / "runs.csv").read_bytes()
    assert run("show", str(out / "runs.sqlite")) == 0
    assert "X confusion 6" in capsys.readouterr().out
    assert run("export", str(out / "runs.sqlite"), str(tmp_path / "again.csv")) == 0
    assert capsys.readouterr().out == f"table: {tmp_path / 'again.csv'}\n"
    assert (tmp_path / "again.csv").read_bytes() == first
    pictures = tmp_path / "pictures"
    command = ("plot", str(out / "runs.sqlite"), "--out", str(pictures), "--palette", "paper")
    assert run(*command) == 0
    assert sorted(p.name for p in pictures.iterdir()) == ["phases.png", "steps.png"]


def test_a_dry_run_computes_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(*SMALL, "--out", str(out), "--dry-run") == 0
    assert "6 runs: 0 done, 6 to do, at most" in capsys.readouterr().out
    assert not out.exists()
    assert run(*SMALL, "--out", str(out)) == 0
    capsys.readouterr()
    assert run(*SMALL, "--out", str(out), "--dry-run") == 0
    assert capsys.readouterr().out == "6 runs: all done.\n"


def test_a_preset_is_changed_by_other_options(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("sweep", "--preset", "released-5b", "--steps", "3", "--out", str(tmp_path))
    assert run(*command, "--dry-run") == 0
    assert "110 runs" in capsys.readouterr().out
    assert run(*command, "--seeds", "1,2", "--axis", "decoder_lr=1e-4", "--dry-run") == 0
    assert "2 runs" in capsys.readouterr().out


def test_presets_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("presets") == 0
    assert "released-5b" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sweep"], "axis is missing"),
        (["sweep", "--preset", "fig99"], "preset 'fig99' is unknown"),
        (["sweep", "--axis", "momentum=1,2"], "axis 'momentum' is unknown"),
        (["sweep", "--axis", "decoder_lr"], "is not understood"),
        (["sweep", "--axis", "decoder_lr=1:2:3:cubic"], "is not understood"),
        (["sweep", "--axis", "decoder_lr=1e-5:1e-2:999999999999:log"], "axis decoder_lr must have"),
        (["sweep", "--axis", "decoder_lr=0:1:3:log"], "decoder_lr needs positive"),
        (
            ["sweep", "--axis", "decoder_lr=1:2:9999999", "--axis", "width=1:2:9999999"],
            "axes make 99999980000001 cells",
        ),
        (["sweep", "--axis", "decoder_lr=1e-2:1e-5:3"], "axis decoder_lr.*must increase"),
        (["sweep", "--axis", "decoder_weight_decay=1" + "0" * 400], "decoder_weight_decay.*finite"),
        (["sweep", "--axis", "embedding_scale=1,1e39"], "embedding_scale must be at most"),
        (["sweep", "--axis", "decoder_lr=1e-3,1e-3"], "axis decoder_lr.*repeated"),
        (["sweep", "--axis", "decoder_lr=1e-3", "--axis", "decoder-lr=1e-4"], "given twice"),
        (["sweep", "--axis", "decoder_lr=-1e-3,1e-3"], "decoder_lr must be zero or positive"),
        (["sweep", "--axis", "decoder_lr=1e-3,abc"], "decoder_lr must be a number"),
        (["sweep", "--axis", "decoder_lr=1e-3:inf:3"], "decoder_lr must have finite limits"),
        (["sweep", "--axis", "embedding_scale=1,2", "--start", "released"], "embedding_scale is"),
        (["sweep", "--axis", "train_size=5,60"], "train_size must be at most 54"),
        (
            ["sweep", "--axis", "decoder_lr=1e-3,1e-2", "--decoder-lr", "0.1"],
            "decoder_lr is swept by an axis and given as an option too",
        ),
        (["sweep", "--preset", "train-size", "--train-size", "30"], "train_size is swept"),
        (["sweep", "--preset", "released-5b", "--p", "1"], "p must be at least 2"),
        (["sweep", "--preset", "released-5b", "--decoder-weight-decay", "-1"], "decoder_weight_de"),
        (["sweep", "--preset", "released-5b", "--embedding-lr", "nan"], "embedding_lr must be fin"),
        (["sweep", "--preset", "released-5b", "--seeds", "a"], "seeds 'a' are not understood"),
        (["sweep", "--preset", "released-5b", "--jobs", "0"], "n_jobs must not be 0"),
        (["sweep", "--preset", "released-5b", "--batch-size", "46"], "batch_size must be at most"),
        (["sweep", "--preset", "released-5b", "--table", "missing.csv"], "missing.csv cannot be"),
        (["sweep", "--preset", "released-5b", "--out", "/proc/none"], "/proc/none"),
        (["show", "missing.sqlite"], "store missing.sqlite does not exist"),
        (["plot", "missing.sqlite"], "store missing.sqlite does not exist"),
        (["sweep", "--preset"], ""),
        (["sweep", "--steps", "many"], "steps"),
        (["swep"], "swep"),
        ([], ""),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import re

    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == 2
    printed = capsys.readouterr().err
    assert re.search(message, printed)
    assert "Traceback" not in printed
    if printed.startswith("error:"):
        assert printed.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(st.characters(codec="ascii"), max_size=30))
def test_any_text_is_an_axis_or_a_named_error(text: str) -> None:
    for parse in (lambda text: parse_axes([text]), parse_seeds):
        try:
            parse(text)
        except InputError as error:
            assert str(error).count("\n") <= text.count("\n")
    parse_value(text)


def test_numbers_of_the_command_line() -> None:
    given = parse_axes(
        [
            *(
                "batch_size=8,16",
                "steps=1e1,1e2",
                "decoder-weight-decay=0:10:11",
                "decoder_lr=1e-5:1e-2:4:log",
            ),
            "loss=mse,cross_entropy",
        ]
    )
    axes = SweepSpec(Addition(10), given).grid
    assert axes["batch_size"].values == (8, 16)
    assert [type(value) for value in axes["steps"].values] == [int, int]
    assert axes["decoder_weight_decay"].values == tuple(range(11))
    assert axes["decoder_lr"].values == pytest.approx((1e-5, 1e-4, 1e-3, 1e-2))
    assert axes["loss"].values == ("mse", "cross_entropy")
    assert parse_axes(["batch_size=None,1e1,20"])["batch_size"] == [None, 10, 20]
    (rates,) = parse_axes(["decoder_lr=1e-4:1e-2:1e1:log"]).values()
    assert isinstance(rates, Axis) and rates.values[-1] == 1e-2


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("0:20", list(range(20))),
        ("1,2/3", [1, (2, 3)]),
        ("0,1,5:8,9/2", [0, 1, 5, 6, 7, (9, 2)]),
        ("7:8", [7]),
        ("1e1", [10]),
    ],
)
def test_seeds_are_numbers_pairs_and_ranges(text: str, seeds: list[object]) -> None:
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize(
    "text", ["", "a", "0 1 2", "0 1,5", "1/2/3", "0:1:2", "0:", ":3", "0:1/2", "5:5", "5:3"]
)
def test_seeds_that_are_none_are_named(text: str) -> None:
    with pytest.raises(InputError, match="^seeds .* such as 0:20|write 0,1,2 or 0:20"):
        parse_seeds(text)


def test_a_range_of_seeds_is_counted_before_it_is_made() -> None:
    with pytest.raises(InputError, match="seeds 0:1e12 must be a range of 1 to"):
        parse_seeds("0:1e12")


def test_a_share_of_the_samples_is_a_training_size(capsys: pytest.CaptureFixture[str]) -> None:
    axis = ("sweep", "--axis", "decoder_lr=1e-3", "--dry-run")
    assert run(*axis, "--train-fraction", "0.8", "--steps", "1e1", "--seeds", "0:3") == 0
    assert "3 runs: 0 done" in capsys.readouterr().out
    for arguments, message in (
        (("--train-size", "44", "--train-fraction", "0.8"), "train_size and train_fraction are"),
        (("--train-fraction", "1"), "train_fraction 1.0 is 55 of 55 samples"),
        (("--axis", "train_fraction=0.2,0.4", "--train-fraction", "0.8"), "train_size is swept"),
        (("--axis", "train_size=20,40", "--train-fraction", "0.8"), "train_size is swept"),
    ):
        assert run(*axis, *arguments) == 2
        assert message in capsys.readouterr().err


def test_axes_that_replace_those_of_a_preset_are_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ("sweep", "--preset", "released-5b", "--steps", "3", "--dry-run")
    assert run(*command, "--axis", "decoder_lr=1e-3,1e-2") == 0
    assert capsys.readouterr().out.splitlines()[0] == (
        "note: the axes of the preset released-5b (decoder_lr, decoder_weight_decay) are replaced "
        "by decoder_lr; all runs have decoder_weight_decay 0.0."
    )
    assert run(*command) == 0
    assert "note:" not in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")
def test_no_output_replaces_a_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = SweepSpec(Addition(5), {"decoder_lr": [1e-3]}, ToyModel(width=4, steps=1), train_size=10)
    store = tmp_path / "runs.png"
    diagram = sweep(spec, store=store, progress=False)
    before = store.read_bytes()
    assert run("export", str(store), str(store)) == 2
    assert run("plot", str(store), "--html", str(store)) == 2
    assert capsys.readouterr().err.count("holds a store of runs; choose another one.") == 2
    with pytest.raises(InputError, match="holds a store of runs"):
        save_figure(diagram.plot(), store)
    other = store.rename(tmp_path / "runs.npz")
    with pytest.raises(InputError, match="holds a store of runs"):
        diagram.save(other)
    assert other.read_bytes() == before


def test_a_count_and_a_share_of_training_samples_exclude_each_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["sweep", "--axis", "decoder_lr=1e-3,1e-2", "--train-fraction", "0.5"]
    assert main([*command, "--train-size", "45", "--out", str(tmp_path)]) == 2
    assert "train_size and train_fraction are both given" in capsys.readouterr().err
    assert (
        main([*command, "--steps", "2", "--width", "3", "--out", str(tmp_path), "--jobs", "1"]) == 0
    )
    assert "train_size 28" in capsys.readouterr().out
