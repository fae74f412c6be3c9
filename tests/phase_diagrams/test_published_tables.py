"""Tables as people have them, and what a sweep may be told of its agreement with one."""

import dataclasses
import math
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from effective_theory import Addition, InputError, ModularAddition, ToyModel
from phase_diagrams import PhaseDiagram, SweepSpec, preset, register_trainer, sweep
from phase_diagrams.cli import main
from phase_diagrams.comparison.published import Agreement, published_agreement
from phase_diagrams.comparison.published_tables import read_table
from phase_diagrams.sweeps.axes import Axis
from phase_diagrams.sweeps.registry import SYSTEMS
from phase_diagrams.text.table import write_csv
from tests.conftest import published_table
from tests.phase_diagrams.test_diagram import made_up

pytestmark = pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")

RATES, DECAYS = (1e-4, 1e-3), (0.0, 1.0, 2.0)
HEAD = "eta_dec,weight_decay,train_step,test_step"
FIG5B = "fig5b_mse_eta_dec_x_weight_decay.csv"
#: Updates at which the runs of a little grid reach both thresholds, with a budget without end.
LEARNED = {
    (0, 0): (100, 200),
    (0, 1): (100, 5000),
    (0, 2): (100, math.inf),
    (1, 0): (9000, 12_000),
    (1, 1): (50, 60),
    (1, 2): (math.inf, math.inf),
}
Learned = dict[tuple[int, int], tuple[float, float]]


def spec_of(steps: int, **changes: object) -> SweepSpec:
    axes = {"decoder_lr": Axis(RATES, "log"), "decoder_weight_decay": Axis(DECAYS, "linear")}
    spec = SweepSpec(Addition(10), axes, ToyModel(steps=steps), seeds=(58,), start="released")
    return dataclasses.replace(spec, **changes)


def swept(learned: Learned, steps: int) -> PhaseDiagram:
    """A sweep of these runs, which ends after its budget."""
    return made_up(
        spec_of(steps),
        {
            (*place, 0): tuple(int(t) if t <= steps else None for t in both)  # type: ignore[misc]
            for place, both in learned.items()
        },
    )


def table_of(learned: Learned, steps: int, path: Path) -> Path:
    """A published table of these runs: indices, and the last one for never."""
    lines = [HEAD]
    for (rate, decay), both in learned.items():
        indices = [str(int(min(t, steps)) - 1) for t in both]
        lines.append(",".join([repr(RATES[rate]), repr(DECAYS[decay]), *indices]))
    path.write_text("\n".join(lines) + "\n")
    return path


def met(path: Path, diagram: PhaseDiagram, steps: int | None = None) -> Agreement:
    return published_agreement(diagram, read_table(path, diagram.spec, steps))


def test_a_short_sweep_does_not_meet_a_long_table_by_learning_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    table = published_table(FIG5B)
    command = ["sweep", "--preset", "released-5b", "--steps", "20", "--out", str(tmp_path)]
    assert main([*command, "--table", str(table)]) == 2
    error = capsys.readouterr().err
    assert "10000 updates" in error and "decided within 20" in error
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ours", [300, 6000, 20_000])
def test_the_same_runs_agree_whatever_the_two_budgets(ours: int, tmp_path: Path) -> None:
    found = met(table_of(LEARNED, 10_000, tmp_path / "t.csv"), swept(LEARNED, ours))
    assert found.labels == found.steps == found.cells
    assert found.cells == {300: 2, 6000: 3, 20_000: 6}[ours]
    assert f"{min(ours, 10_000)} of the" in str(found)
    assert ("undecided" in str(found)) == (ours < 10_000)


times = st.one_of(st.integers(1, 400), st.just(math.inf))
learned = st.fixed_dictionaries({place: st.tuples(times, times) for place in LEARNED})


@given(runs=learned, ours=st.integers(2, 400), theirs=st.integers(2, 400))
def test_a_sweep_that_learned_nothing_meets_no_decided_label(
    runs: Learned, ours: int, theirs: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """With a smaller budget than the table's it is refused or misses all that is judged."""
    theirs += ours + 1
    path = table_of(runs, theirs, tmp_path_factory.mktemp("t") / "t.csv")
    nothing = swept(dict.fromkeys(runs, (math.inf, math.inf)), ours)
    known = [max(both) for both in runs.values() if max(both) <= ours]
    if known:
        found = met(path, nothing, theirs)
        assert (found.cells, found.labels, found.steps) == (len(known), 0, 0)
        assert f"the sweep's {ours} of the table's {theirs} updates" in str(found)
    else:
        with pytest.raises(InputError, match=f"steps {ours} are too few"):
            met(path, nothing, theirs)


@given(runs=learned, ours=st.integers(20, 400), theirs=st.integers(20, 400))
def test_labels_are_those_within_the_smaller_budget(
    runs: Learned, ours: int, theirs: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Counted here from the definition of the phases, for runs that differ in a cell."""
    path = table_of(runs, theirs, tmp_path_factory.mktemp("t") / "t.csv")
    other = {**runs, (0, 0): (30, 35)}
    limit = min(ours, theirs - 1)

    def label(both: tuple[float, float]) -> str:
        train, test = (t <= limit for t in both)
        return "both" if train and test else "train" if train else "neither"

    def is_known(place: tuple[int, int]) -> bool:
        both_known = {label(runs[place]), label(other[place])}
        return ours >= theirs - 1 or "both" in both_known

    known = [place for place in runs if is_known(place)]
    try:
        found = met(path, swept(other, ours), theirs)
    except InputError as error:
        assert ours < theirs and ("too few" in str(error) or not known)
        return
    assert found.cells == len(known)
    assert found.labels == sum(label(runs[place]) == label(other[place]) for place in known)


def test_the_budget_of_a_table_is_its_largest_index_or_what_one_says(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"{HEAD}\n1e-4,0,99,199\n1e-4,1,99,4999\n")
    with pytest.raises(InputError, match="4999, in one row.*--table-steps"):
        read_table(path, spec_of(10_000))
    assert [c.test_step for c in read_table(path, spec_of(10_000), 10_000)] == [200, 5000]
    assert [c.test_step for c in read_table(path, spec_of(5000))] == [200, None]
    with pytest.raises(InputError, match="needs a budget of 5000 updates, not of 4000"):
        read_table(path, spec_of(10_000), 4000)
    with pytest.raises(InputError, match="table_steps must be"):
        read_table(path, spec_of(10_000), 0)
    assert main(["sweep", "--preset", "released-5b", "--table-steps", "9"]) == 2


def variants(plain: str) -> dict[str, bytes]:
    """The same table as programs write it."""
    semicolons = plain.replace(",", ";")
    floats = plain.replace(",99,", ",99.0,").replace("4999", "4.999e+03")
    rows = plain.splitlines()
    marked = {mark: plain.replace("9999", mark) for mark in ("", "NaN", "nan", "-1", "never")}
    return {
        "plain": plain.encode(),
        "byte order mark": plain.encode("utf-8-sig"),
        "CRLF": plain.replace("\n", "\r\n").encode(),
        "byte order mark, semicolons and CRLF": semicolons.replace("\n", "\r\n").encode(
            "utf-8-sig"
        ),
        "decimal commas": semicolons.replace(".", ",").encode(),
        "tabs": plain.replace(",", "\t").encode(),
        "floats": floats.encode(),
        "decimal commas in floats": floats.replace(",", ";").replace(".", ",").encode(),
        "spaces": plain.replace(",", " , ").encode(),
        "quotes": plain.replace("eta_dec", '"eta_dec"').encode(),
        "capitals": plain.replace(HEAD, HEAD.title()).encode(),
        "a column more": "\n".join(f"{k},{row}" for k, row in enumerate(rows)).encode(),
        "names of fields": plain.replace("eta_dec", "decoder_lr")
        .replace("weight_decay", "decoder_weight_decay")
        .encode(),
        "no last line end, empty lines": (plain.strip() + "\n\n,,,").encode(),
        "another order": "\n".join([rows[0], *rows[:0:-1]]).encode(),
        **{f"never is {mark!r}": text.encode() for mark, text in marked.items()},
    }


PLAIN = (
    f"{HEAD}\n0.0001,0.0,99,199\n0.0001,1.0,99,4999\n0.0001,2.0,99,9999\n"
    "0.001,0.0,8999,9999\n0.001,1.0,49,59\n0.001,2.0,9999,9999\n"
)


@pytest.mark.parametrize("variant", variants(PLAIN))
def test_a_table_is_read_as_people_have_it(variant: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(variants(PLAIN)[variant])
    expected = {(*RATES[:1], 0.0): (100, 200), (*RATES[:1], 1.0): (100, 5000)}
    expected |= {(1e-4, 2.0): (100, None), (1e-3, 0.0): (9000, None)}  # type: ignore[dict-item]
    expected |= {(1e-3, 1.0): (50, 60), (1e-3, 2.0): (None, None)}  # type: ignore[dict-item]
    found = {
        tuple(cell.values.values()): (cell.train_step, cell.test_step)
        for cell in read_table(path, spec_of(10_000))
    }
    assert found == expected
    compared = met(path, swept(LEARNED, 10_000))
    assert compared.labels == compared.steps == compared.cells == 6
    assert ("does not say its budget" in str(compared)) == variant.startswith("never")


@pytest.mark.parametrize(
    "step", ["-2", "1.5", "inf", "-inf", "1e400", "1e13", "x", "1_0", "٣", "+"]
)
@pytest.mark.parametrize("column", [2, 3])
def test_what_is_no_step_is_refused(step: str, column: int, tmp_path: Path) -> None:
    cells = ["1e-4", "0", "99", "9999"]
    cells[column] = step
    path = tmp_path / "t.csv"
    path.write_text(f"{HEAD}\n{','.join(cells)}\n")
    with pytest.raises(InputError, match="t.csv is not a table"):
        read_table(path, spec_of(10_000))


@pytest.mark.parametrize("rate", ["", "nan", "-inf", "1e400", "1,5", "x", "None"])
def test_what_is_no_rate_is_refused(rate: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"{HEAD}\n{rate},0,99,9999\n")
    with pytest.raises(InputError, match="t.csv is not a table"):
        read_table(path, spec_of(10_000))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{HEAD}\n1e-4,0,1,9999\n0.0001,0.0,1,9999\n", "two rows of one cell"),
        (f"{HEAD},eta_dec\n1e-4,0,1,9999,1e-4\n", "repeated"),
        (f"{HEAD},decoder_lr\n1e-4,0,1,9999,1e-4\n", "two columns are decoder_lr"),
        (f"{HEAD}\n1e-4,0,1,9999,7\n", "5 cells and the head 4"),
        (f"{HEAD}\n1e-4,0,1\n", "3 cells and the head 4"),
        (f"{HEAD}\n", "no measured row"),
        (HEAD.replace(",", ";") + "\n0,0001;0;10,000;9999\n", "count thousands"),
        (f"{HEAD}\n0.5,7,1,9999\n", "no cell of this sweep: its first row has decoder_lr=0.5"),
        (f"{HEAD},eta_repr\n1e-4,0,1,9999,1e-4\n", "embedding_lr is 0.0001 .* and 0.001 in this"),
        (f"{HEAD},loss\n1e-4,0,1,9999,cross_entropy\n", "loss is cross_entropy .* and mse in this"),
        (f"{HEAD},train_size\n1e-4,0,1,9999,40\n", "train_size is 40 in .* and 45 in this"),
        (
            f"{HEAD},eta_repr\n1e-4,0,1,9999,1e-3\n1e-4,1,1,9999,1e-2\n",
            "has the axes decoder_lr, decoder_weight_decay, embedding_lr, this sweep has",
        ),
        (f"{HEAD},seed\n1e-4,0,1,9999,3\n", "no row of the sweep's first seed, seed 58"),
    ],
)
def test_a_table_that_is_not_of_this_sweep_is_refused(
    text: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_table(path, spec_of(10_000))


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("loss", {"model": ToyModel(loss="cross_entropy", steps=10_000)}),
        ("task", {"task": ModularAddition(10), "start": "random"}),
        ("train_size", {"train_size": 40}),
    ],
)
@pytest.mark.parametrize("table", [FIG5B, "fig5a_mse_eta_repr_x_eta_dec.csv"])
def test_a_published_table_of_another_loss_or_task_is_refused(
    name: str, changes: dict[str, object], table: str
) -> None:
    spec = preset("released-5a" if "5a" in table else "released-5b")
    path = published_table(table)
    assert len(read_table(path, spec)) in (100, 110)
    with pytest.raises(InputError, match=f"^{name} of this sweep is .*; compare it with"):
        read_table(path, dataclasses.replace(spec, **changes))


def test_rows_and_cells_that_are_not_shared_are_named(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(PLAIN.replace("0.001,0.0,", "0.002,0.0,").replace("0.001,1.0", "0.002,1.0"))
    found = str(met(path, swept(LEARNED, 10_000)))
    assert "4 of 4 labels" in found and "2 of 6 rows are no cells of this sweep" in found
    assert "2 cells of this sweep are not in the table" in found
    path.write_text(PLAIN)
    part = swept({place: LEARNED[place] for place in list(LEARNED)[:2]}, 10_000)
    assert "2 of 2 labels" in str(met(path, part)) and "4 cells are not measured" in str(
        met(path, part)
    )
    with pytest.raises(InputError, match="no cell to compare .*6 cells are not measured"):
        met(path, PhaseDiagram(spec_of(10_000)))


def several_seeds(batches: tuple[int | None, ...]) -> PhaseDiagram:
    spec = spec_of(100, axes={"batch_size": batches, "decoder_lr": RATES}, seeds=(58, (3, 4)))
    steps = {(k, 0, s): (10 + k, 50 + s) for k in range(len(batches)) for s in (0, 1)}
    return made_up(spec, {**steps, (0, 1, 0): (99, 100)})


def test_our_own_table_is_read_back(tmp_path: Path) -> None:
    """It counts updates, names seeds, and leaves never empty; other cells were not run."""
    diagram = several_seeds((5, 15, None))
    write_csv(diagram, tmp_path / "runs.csv")
    cells = list(read_table(tmp_path / "runs.csv", diagram.spec))
    assert [cell.values["batch_size"] for cell in cells] == [5, 5, 15, None]
    assert [cell.test_step for cell in cells] == [50, 100, 50, 50]
    found = met(tmp_path / "runs.csv", diagram)
    assert found.labels == found.steps == found.cells == 4
    assert "2 cells of this sweep are not in the table" in str(found)
    other = dataclasses.replace(diagram.spec, seeds=(7,))
    with pytest.raises(InputError, match="no row of the sweep's first seed, seed 7"):
        read_table(tmp_path / "runs.csv", other)
    longer = dataclasses.replace(diagram.spec, model=ToyModel(steps=60))
    assert {cell.steps for cell in read_table(tmp_path / "runs.csv", longer)} == {100}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": ModularAddition(10)}, "task is Addition.p=10. in table .* and ModularAddition"),
        ({"start": "released"}, "start is random in table .* and released in this sweep"),
        ({"model": ToyModel(width=20, steps=100)}, "width is 50 in table .* and 20 in this sweep"),
    ],
)
def test_our_own_table_of_other_runs_is_refused(
    changes: dict[str, object], message: str, tmp_path: Path
) -> None:
    narrow = spec_of(100, start="random", model=ToyModel(width=50, steps=100))
    write_csv(made_up(narrow, {(0, 0, 0): (5, 50)}), tmp_path / "runs.csv")
    with pytest.raises(InputError, match=message):
        read_table(tmp_path / "runs.csv", dataclasses.replace(narrow, **changes))  # type: ignore[arg-type]


def test_what_our_own_table_does_not_name_is_default(tmp_path: Path) -> None:
    """Of older ones it is not known."""
    path = tmp_path / "runs.csv"
    write_csv(made_up(spec_of(100), {(0, 0, 0): (5, 50)}), path)
    assert read_table(path, spec_of(100)).notes == ()
    narrow = spec_of(100, model=ToyModel(width=20, steps=100))
    with pytest.raises(InputError, match="width is 200 in table .* and 20 in this sweep"):
        read_table(path, narrow)
    lines = path.read_text().splitlines()
    path.write_text("\n".join(line.rpartition(",")[0] for line in lines))
    assert read_table(path, spec_of(100)).notes == ()
    assert read_table(path, narrow).notes == ("the table does not name width, taken as ours",)


@dataclasses.dataclass(frozen=True)
class Odd:
    """Settings that are no plain numbers."""

    lr: float = 0.1
    layers: tuple[int, ...] = (8,)
    plain: tuple = (8,)  # type: ignore[type-arg]
    clip: float = 1.0
    mode: int | str = 1
    patience: int | None = 3
    steps: int = 100


def test_our_own_table_of_odd_settings_is_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("phase_diagrams.sweeps.registry.SYSTEMS", dict(SYSTEMS))
    register_trainer("odd", Odd, lambda settings, seed: (5, 50))
    odd = Odd(layers=(8, 8), plain=(8, 9), clip=math.inf, mode="plateau", patience=None)
    spec = SweepSpec(None, {"lr": [0.1, 0.2]}, odd)
    write_csv(sweep(spec, n_jobs=1, progress=False), tmp_path / "runs.csv")
    assert len(read_table(tmp_path / "runs.csv", spec)) == 2
    for name in ("layers", "plain", "clip", "mode", "patience"):
        other = dataclasses.replace(
            spec, model=dataclasses.replace(odd, **{name: getattr(Odd(), name)})
        )
        with pytest.raises(InputError, match=f"{name} is .* in table .* and .* in this sweep"):
            read_table(tmp_path / "runs.csv", other)


def hdf5(path: Path, **arrays: object) -> Path:
    h5py = pytest.importorskip("h5py", reason="needs the extra [hdf5]")
    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            file[name] = values
    return path


GRID = np.array([[both for (k, _), both in LEARNED.items() if k == row] for row in (0, 1)])
INDICES = np.minimum(GRID, 10_000) - 1


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("suffix", ["", "_coarse"])
def test_the_authors_hdf5_is_read(transposed: bool, suffix: str, tmp_path: Path) -> None:
    """Axes lr and wd beside grids of steps, and a finer grid that this sweep has not."""
    grids = INDICES.transpose(1, 0, 2) if transposed else INDICES
    path = hdf5(
        tmp_path / "data.h5",
        **{f"lr{suffix}": RATES, f"wd{suffix}": DECAYS, f"rqi{suffix}": grids[..., 0]},
        **{f"train{suffix}": grids[..., 0], f"test{suffix}": grids[..., 1]},
        **{"lr_fine": [0.2, 0.3], "wd_fine": [7.0], "train_fine": [[1.0], [2.0]]},
        test_fine=[[9999.0], [9999.0]],
    )
    found = met(path, swept(LEARNED, 10_000))
    assert found.labels == found.steps == found.cells == 6


@pytest.mark.parametrize("form", ["columns", "compound", "folder"])
def test_hdf5_with_columns_is_read(form: str, tmp_path: Path) -> None:
    columns = {
        "eta_dec": [RATES[k] for k, _ in LEARNED],
        "weight_decay": [DECAYS[k] for _, k in LEARNED],
        "train_step": INDICES[..., 0].ravel(),
        "test_step": np.where(np.isinf(GRID[..., 1]), np.nan, INDICES[..., 1]).ravel(),
    }
    if form == "compound":
        rows = list(zip(*columns.values(), strict=True))
        path = hdf5(tmp_path / "t.h5", table=np.array(rows, [(name, "<f8") for name in columns]))
    else:
        folder = "results/" if form == "folder" else ""
        path = hdf5(tmp_path / "t.h5", **{folder + name: v for name, v in columns.items()})
    found = met(path, swept(LEARNED, 10_000))
    assert found.labels == found.steps == found.cells == 6


@pytest.mark.parametrize(
    "arrays",
    [
        {"lr": RATES, "wd": DECAYS, "train": np.zeros((4, 4)), "test": np.zeros((4, 4))},
        {"lr": RATES, "train": [1.0], "test": [1.0, 2.0]},
        {"lr": ["a", "b"], "wd": DECAYS, "train": INDICES[..., 0], "test": INDICES[..., 1]},
        {"x": [1.0]},
        {},
    ],
)
def test_other_hdf5_is_refused(arrays: dict[str, object], tmp_path: Path) -> None:
    path = hdf5(tmp_path / "t.h5", **arrays)
    with pytest.raises(InputError, match="t.h5"):
        read_table(path, spec_of(10_000))


def test_hdf5_that_claims_more_than_it_holds_is_refused(tmp_path: Path) -> None:
    module = pytest.importorskip("h5py", reason="needs the extra [hdf5]")
    with module.File(tmp_path / "t.h5", "w") as file:
        for name in ("lr", "wd", "train", "test"):
            file.create_dataset(name, shape=(10**12,), chunks=(10**6,), dtype="f8")
    with pytest.raises(InputError, match="no arrays such as"):
        read_table(tmp_path / "t.h5", spec_of(10_000))


def test_a_damaged_hdf5_is_refused(tmp_path: Path) -> None:
    path = hdf5(tmp_path / "t.h5", lr=RATES, wd=DECAYS, train=INDICES[..., 0], test=INDICES[..., 1])
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(InputError, match="t.h5"):
        read_table(path, spec_of(10_000))


def test_hdf5_without_its_library_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    (tmp_path / "t.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(InputError, match=r"install the package's extra \[hdf5\]"):
        read_table(tmp_path / "t.h5", spec_of(10_000))
