"""Experiments run, leave records, and stand in the ledger with the bound they were run under."""

import dataclasses
import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra [validation]")

from effective_theory import InputError  # noqa: E402
from effective_theory.figures import Picture  # noqa: E402
from effective_theory.mirrors import FEW_STRICT  # noqa: E402
from validation.cli import main  # noqa: E402
from validation.experiments.degrok import median_interval  # noqa: E402
from validation.experiments.experiment import Experiment, Findings, Run  # noqa: E402
from validation.experiments.kernel_regime import kernel_phases  # noqa: E402
from validation.experiments.kernel_regime.kernel_phases import strict_samples  # noqa: E402
from validation.experiments.kernel_regime.mohamadi_collapse import exponent  # noqa: E402
from validation.experiments.ledger import (  # noqa: E402
    EXPERIMENTS,
    RECORDS,
    entries,
    experiment_named,
    ledger,
    ledger_table,
    record_of,
)
from validation.experiments.modular_arithmetic.transformer_phases import (  # noqa: E402
    beside_a_boundary,
    between_seeds,
)
from validation.experiments.outcomes import gaps  # noqa: E402
from validation.experiments.records import read_record, run_experiment  # noqa: E402

DOCS = RECORDS.parents[1] / "docs"
SMALL = Experiment(
    "small", "one is less than two", "arithmetic", "none", "1 < 2",
    lambda run: Findings(
        "met", f"quick {run.quick}", {"store": run.store.name}, (("Nothing", Picture()),)
    ), "the same",
)  # fmt: skip


def test_a_run_leaves_a_page_and_every_number(tmp_path: Path) -> None:
    record = run_experiment(SMALL, tmp_path)
    assert read_record(tmp_path / "report.json") == record
    content = json.loads((tmp_path / "report.json").read_text())
    assert content["numbers"] == {"store": "runs.sqlite"} and not content["quick"]
    assert set(content["provenance"]) >= {"commit", "machine", "python", "torch"}
    assert (tmp_path / "figure-1.png").read_bytes().startswith(b"\x89PNG")
    page = (tmp_path / "report.html").read_text()
    assert "<title>Experiment: small</title>" in page and "1 &lt; 2" in page
    assert "A quick run" not in page and 'class="holds">met' in page
    quick = run_experiment(SMALL, tmp_path, quick=True)
    assert quick.quick and "A quick run" in (tmp_path / "report.html").read_text()


def test_other_files_are_not_replaced_and_nothing_is_run(tmp_path: Path) -> None:
    def never(run: Run) -> Findings:
        raise AssertionError("run")

    (tmp_path / "report.json").write_text("[]")
    with pytest.raises(InputError, match="report.json"):
        run_experiment(dataclasses.replace(SMALL, measure=never), tmp_path)
    assert (tmp_path / "report.json").read_text() == "[]"


def test_the_ledger_has_each_claim_with_its_record(tmp_path: Path) -> None:
    (name, *others) = EXPERIMENTS
    run_experiment(dataclasses.replace(SMALL, name=name), tmp_path / name)
    text = ledger(tmp_path)
    entries = text.split("\n\n")
    assert [entry.partition(":")[0] for entry in entries] == list(EXPERIMENTS)
    assert entries[0].startswith(f"{name}: met\n") and "measured  quick False" in entries[0]
    assert all("no record yet" in entry for entry in entries[1:]) and others
    for entry, experiment in zip(entries, EXPERIMENTS.values(), strict=True):
        assert experiment.bound in entry and experiment.claim in entry


def test_the_table_is_that_of_the_records(tmp_path: Path) -> None:
    (name, *others) = EXPERIMENTS
    run_experiment(dataclasses.replace(SMALL, name=name), tmp_path / name)
    _, line, first, *rest = ledger_table(tmp_path).splitlines()
    assert set(line) == set("| -") and len(rest) == len(others)
    assert "| **met** | quick False | 0 |" in first
    assert all("| no record yet |" in each for each in rest)
    assert len(ledger_table(tmp_path, "met").splitlines()) == 3
    assert len(ledger_table(tmp_path, "refuted").splitlines()) == 2


def test_the_ledgers_page_ends_with_its_table() -> None:
    text = (DOCS / "ledger.md").read_text()
    assert text.endswith(f"{ledger_table()}\n"), (
        "python -m validation list --markdown prints what docs/ledger.md should end with"
    )


def test_the_page_of_what_does_not_reproduce_has_all_that_is_refuted() -> None:
    named = re.findall(r"^- `([\w-]+)`:", (DOCS / "reproduction.md").read_text(), re.M)
    assert named == [each.name for each, _ in entries(verdict="refuted")]


def test_the_readme_counts_the_ledger() -> None:
    counts = Counter("none" if record is None else record.verdict for _, record in entries())
    has = "has" if counts["none"] == 1 else "have"
    sentence = (
        f"Of {len(EXPERIMENTS)} statements about networks, each with a bound, {counts['met']} were "
        f"met, {counts['refuted']} refuted, {counts['not reachable here']} not reachable here and "
        f"{counts['none']} {has} no record yet"
    )
    assert sentence in (DOCS.parent / "README.md").read_text()


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_kept_record_was_made_under_the_bound_that_stands_here(name: str) -> None:
    experiment, record = EXPERIMENTS[name], record_of(EXPERIMENTS[name])
    if record is None:
        pytest.skip(f"{name} has no record yet; python -m validation run {name} makes one")
    assert not record.quick and "with changes" not in record.provenance["commit"]
    for field in ("claim", "source", "settings", "bound"):
        assert getattr(record, field) == getattr(experiment, field)
    assert (RECORDS / name / "report.json").stat().st_size < 2**20


def test_what_is_no_experiment_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["run", "hu-fraction"]) == 2
    assert (
        "experiment 'hu-fraction' is unknown; known ones: hu-fractions" in capsys.readouterr().err
    )
    with pytest.raises(InputError, match="unknown"):
        experiment_named("")
    (tmp_path / "report.json").write_text("{}")
    with pytest.raises(InputError, match="cannot be read"):
        read_record(tmp_path / "report.json")
    assert main(["list"]) == 0
    assert "simple-weight-decay: " in capsys.readouterr().out


def test_cells_beside_a_boundary_have_a_neighbour_of_another_phase() -> None:
    phases = np.array([[0, 0, 2, 2], [0, 0, 0, 2], [0, 0, 0, 0]])
    rows, columns = phases.shape
    expected = [
        any(
            phases[i, k] != phases[j, m]
            for j, m in ((i - 1, k), (i + 1, k), (i, k - 1), (i, k + 1))
            if 0 <= j < rows and 0 <= m < columns
        )
        for i, k in np.ndindex(phases.shape)
    ]
    assert beside_a_boundary(phases).ravel().tolist() == expected


def test_a_median_lies_in_its_interval_as_often_as_is_said() -> None:
    rng = np.random.default_rng(0)
    intervals = [median_interval(rng.exponential(size=20)) for _ in range(4000)]
    covered = np.mean([low <= np.log(2) <= high for low, high in intervals])
    assert 0.95 <= covered <= 0.97
    assert median_interval(np.arange(20.0)) == (5.0, 14.0)
    # Of five, all lie on one side of the median in 2 of 32 cases: more than 5 %.
    assert median_interval(np.arange(6.0)) == (0.0, 5.0)
    assert median_interval(np.arange(5.0)) == (-np.inf, np.inf)


@pytest.mark.parametrize(
    ("holds", "can_refute", "quick", "expected"),
    [
        (True, True, False, "met"),
        (True, False, False, "met"),
        (True, True, True, "refuted"),
        (False, True, False, "refuted"),
        (False, False, False, "not reachable here"),
    ],
)
def test_a_bound_is_met_refuted_or_not_reachable(
    tmp_path: Path, holds: bool, can_refute: bool, quick: bool, expected: str
) -> None:
    run = Run(tmp_path / "runs.sqlite", quick)
    assert run.verdict(holds, can_refute=can_refute) == expected


def test_what_never_fits_is_behind_without_end() -> None:
    train = np.ma.masked_less([100, 100, -1, -1], 0)
    test = np.ma.masked_less([300, -1, 500, -1], 0)
    assert gaps(train, test, 1000).tolist() == [200, 900, np.inf, np.inf]


def test_an_exponent_rests_on_the_symbols_whose_seeds_all_get_there() -> None:
    power = {p: [3.0 * p**1.5] * 3 for p in (11, 17, 23, 31)}
    found = exponent({**power, 47: [3.0, np.nan, 3.0]})
    assert found["symbols"] == [11, 17, 23, 31]
    assert found["exponent"] == pytest.approx(1.5) and found["high"] == pytest.approx(1.5)
    by_hand = np.log(31 * np.log(31) / (11 * np.log(11))) / np.log(31 / 11)
    assert found["p_ln_p"] == pytest.approx(by_hand, abs=0.01)
    few = exponent({11: [1.0], 17: [2.0], 23: [np.nan]})
    assert few["exponent"] is None and few["symbols"] == [11, 17]


def test_the_interval_of_an_exponent_holds_the_true_one_as_often_as_is_said() -> None:
    rng, covered = np.random.default_rng(0), 0
    for _ in range(500):
        # What a power leaves at each p is the same for all its seeds.
        left = {p: rng.normal(0, 0.05) for p in (11, 17, 23, 31, 47)}
        found = exponent({p: list(p**1.5 * np.exp(left[p] + rng.normal(0, 0.01, 3))) for p in left})
        covered += found["low"] <= 1.5 <= found["high"]
    assert 0.92 <= covered / 500 <= 0.98


def test_where_mirrors_are_seen_a_split_has_few_strict_samples() -> None:
    found = strict_samples(kernel_phases.spec(quick=False))
    assert found.shape == (8, 4) and found[-1].tolist() == [0, 3, 1, 0]
    assert (found[0] >= FEW_STRICT).all()


def test_seeds_agree_on_phases_or_on_outcomes() -> None:
    of_cells = [[0, 0], [0, 1], [1, 2], [2, 3], [-1, -1]]
    assert between_seeds(np.array([of_cells])) == (4, 1, 3)


@pytest.mark.networks
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_each_experiment_runs_quickly(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["run", name, "--quick", "--jobs", "1", "--out", str(tmp_path)]
    assert main(options) == 0
    assert "quick run, which decides nothing" in capsys.readouterr().out
    assert read_record(tmp_path / "report.json").quick
    # Again it has nothing to train, but for those of minutes that keep nothing.
    assert main(options) == 0
    kept = (tmp_path / "runs.sqlite").exists() or any(tmp_path.glob("*.pt"))
    assert read_record(tmp_path / "report.json").resumed == kept
    assert kept == (name not in ("mohamadi-kernel", "mohamadi-regression", "agop-grokking"))
