"""A run that ends before a threshold says within how many updates it was not met, never "never"."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from effective_theory import Addition, Dataset, ToyModel, train
from effective_theory.report import report
from phase_diagrams import Phase, PhaseDiagram, SweepSpec, advise, load, numba_engine, sweep
from phase_diagrams.cli import main
from phase_diagrams.pictures.files import pictures
from tests.phase_diagrams.label_engine import ended, grid

pytestmark = pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")

#: What no budget can show.
CLAIMS = re.compile(r"\bnever\b|infinit|\binf\b", re.IGNORECASE)


def texts(figure: Figure) -> str:
    found = [text.get_text() for text in figure.findobj(Text)]  # type: ignore[attr-defined]
    return "\n".join(found)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """No run reaches anything in 7 updates; those with the largest decay diverge."""
    axes = {"decoder_lr": [1e-4, 1e-3], "decoder_weight_decay": [0, 1, 1e12]}
    spec = SweepSpec(Addition(10), axes, ToyModel(width=4, steps=7), seeds=(5, 6))
    sweep(spec, store=tmp_path / "runs.sqlite", engine=numba_engine(1), progress=False)
    return tmp_path / "runs.sqlite"


def test_pictures_say_within_how_many_updates(store: Path) -> None:
    diagram = load(store)
    assert diagram.counts()[Phase.CONFUSION] == 8 and diagram.counts()[Phase.DIVERGED] == 4
    for kind in ("phases", "steps", "majority", "lags", "order", "against"):
        for name, figure in pictures(diagram, kind):  # type: ignore[arg-type]
            assert not CLAIMS.search(texts(figure)), name
            if kind == "steps":
                assert "white: not within 7 updates, or before it diverged)" in texts(figure)
            if kind == "against":
                assert "not within the run (≤ 7 updates)" in texts(figure)
    run = diagram.run(decoder_lr=1e-4, decoder_weight_decay=0, seed=5)
    assert texts(run.plot()).count(": not within 7 updates") == 3
    over = diagram.run(decoder_lr=1e-4, decoder_weight_decay=1e12, seed=5)
    step = over.summary.diverged_step
    assert f"not before it diverged at update {step}" in texts(over.plot())
    for text in (str(run), str(over), texts(run.plot()), texts(over.plot())):
        assert not CLAIMS.search(text)
    assert f"train accuracy >= 0.9: not before it diverged at update {step}" in str(over)


def test_a_swept_budget_is_each_runs_own() -> None:
    from phase_diagrams.pictures.cells import not_within

    swept = PhaseDiagram(SweepSpec(Addition(10), {"steps": [5, 7]}))
    assert not_within(swept) == "not within its budget"
    assert not_within(PhaseDiagram(grid(2, 2))) == "not within 10000 updates"


def test_the_papers_figures_and_reports_say_it_too() -> None:
    from phase_diagrams.toy.paper_figures import SPECS, TrainedRun, figure_4b

    run = TrainedRun(45, (0, 0), 0.8, 0.5, 0.5, np.inf, np.inf)
    found = texts(figure_4b([run]))
    assert f"not within {SPECS['4b'].model.steps} updates" in found and not CLAIMS.search(found)
    pytest.importorskip("torch", reason="needs the extra [validation]")
    from types import SimpleNamespace

    from validation.judge.report.figures import plot_step_scatter

    diagram = PhaseDiagram(grid(2, 2))
    both = SimpleNamespace(simulator=diagram, pytorch=diagram)
    found = texts(plot_step_scatter(both))  # type: ignore[arg-type]
    assert found.count("not within 10000 updates") == 2 and not CLAIMS.search(found)


def test_one_trained_run_says_it(capsys: pytest.CaptureFixture[str]) -> None:
    dataset = Dataset.split(Addition(10), 45, rng=5)
    model = ToyModel(width=4, steps=7)
    text = report(train(model, dataset, rng=0))
    assert text.count("not within 7 updates") == 3 and not CLAIMS.search(text)
    steep = dataclasses.replace(model, decoder_lr=1e39)
    text = report(train(steep, dataset, rng=0))
    assert "not before it diverged at update" in text and not CLAIMS.search(text)


@pytest.mark.parametrize("phase", [Phase.MEMORIZATION, Phase.CONFUSION, Phase.DIVERGED])
@pytest.mark.parametrize("seed", [None, 5])
def test_advice_gives_a_bound_where_the_budget_ended_the_run(
    phase: Phase, seed: int | None
) -> None:
    diagram = PhaseDiagram(grid(2, 2, (5, 6)))
    for cell in diagram.spec.cells():
        run = ended(cell, Phase.COMPREHENSION if cell.index[:2] == (0, 0) else Phase.MEMORIZATION)
        if cell.index[:2] != (0, 0) and phase is not Phase.MEMORIZATION:
            diverged = 3 if phase is Phase.DIVERGED else None
            run = dataclasses.replace(run, train_step=None, diverged_step=diverged)
        diagram.record(cell.index, run)
    rate = diagram.spec.grid["decoder_lr"].values[1]
    found = advise(diagram, seed, decoder_lr=rate, decoder_weight_decay=1)
    text = str(found)
    assert found.phase is phase
    assert not CLAIMS.search(text) and found.settings[0].speedup is None
    if phase is Phase.DIVERGED:
        assert "the run asked about diverges" in text
    else:
        bound = diagram.spec.model.steps / (found.settings[0].test_step or 0)
        assert f"not within 10000 updates in the run asked about: more than {bound:.3g}" in text


def test_where_nothing_comprehends_advice_names_the_budget(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["advise", str(store), "--decoder-lr", "1e-4", "--decoder-weight-decay", "0"]
    assert main(command) == 0
    assert (
        "no setting of this sweep comprehends in most seeds within 7 updates"
        in capsys.readouterr().out
    )


def test_the_page_says_it() -> None:
    script = Path(__file__).parents[2] / "phase_diagrams" / "page" / "page.js"
    text = script.read_text(encoding="utf-8")
    assert "not within ${of_run(" in text and not CLAIMS.search(text)
