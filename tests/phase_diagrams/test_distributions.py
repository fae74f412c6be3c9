"""Pictures of first crossings over all runs."""

import dataclasses
from pathlib import Path

import pytest
from matplotlib.colors import to_hex

from effective_theory import Addition, InputError, ToyModel
from effective_theory.plotting import RQI_COLOUR, TEST_COLOUR, TRAIN_COLOUR
from phase_diagrams import PhaseDiagram, SweepSpec, numba_engine, sweep
from phase_diagrams.cli import main
from phase_diagrams.pictures.crossings import order
from phase_diagrams.pictures.files import pictures
from tests.phase_diagrams.test_diagram import made_up

pytestmark = pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")

SPEC = SweepSpec(
    Addition(10),
    {"decoder_lr": [1e-4, 1e-3], "decoder_weight_decay": [0, 1, 2]},
    ToyModel(steps=10_000),
    seeds=(0, 1, 2),
)
#: Train and test steps of the three seeds in some cells; the other cells are not run.
STEPS = {
    (0, 0): ((100, 90), (100, 200), (100, 1099)),
    (0, 1): ((100, 1100), (100, 9000), (300, None)),
    (1, 0): ((None, None), (None, None), (0, 0)),
}


@pytest.fixture
def diagram() -> PhaseDiagram:
    return made_up(
        SPEC,
        {(*cell, seed): runs[seed] for cell, runs in STEPS.items() for seed in range(3)},  # type: ignore[misc]
    )


def test_every_lag_is_counted_once_and_none_on_the_wrong_side(diagram: PhaseDiagram) -> None:
    axes = diagram.plot.lags().axes[0]
    assert axes.get_title() == "6 of 9 runs reached both"
    counted = {"comprehension": 0.0, "grokking": 0.0}
    for bars in axes.containers:
        for bar in bars:
            side = "grokking" if bar.get_x() >= SPEC.lag - 1e-9 else "comprehension"
            counted[side] += bar.get_height()
    # Lags -10, 100, 999, 0 and 1000, 8900.
    assert counted == {"comprehension": 4, "grokking": 2}
    colours = {
        bar.get_facecolor() for bars in axes.containers for bar in bars if bar.get_height() > 0
    }
    assert len(colours) == 2


@pytest.mark.parametrize("lags", [(0, 3, 40, 900, 1001, 1005), (999, 1000, 4000), (1000, 1001)])
def test_lags_beside_the_threshold_are_counted_too(lags: tuple[int, ...]) -> None:
    """The border that is moved to the threshold is none beyond which nothing is counted."""
    spec = dataclasses.replace(SPEC, seeds=tuple(range(len(lags))))
    runs = {(0, 0, seed): (100, 100 + lag) for seed, lag in enumerate(lags)}
    axes = made_up(spec, runs).plot.lags().axes[0]  # type: ignore[arg-type]
    bars = [bar for bars in axes.containers for bar in bars]
    late = sum(bar.get_height() for bar in bars if bar.get_x() >= spec.lag - 1e-9)
    assert sum(bar.get_height() for bar in bars) == len(lags)
    assert late == sum(lag >= spec.lag for lag in lags)


def test_without_any_lag_the_picture_says_so() -> None:
    empty = made_up(SPEC, {(0, 0, 0): (5, None)})
    assert empty.plot.lags().axes[0].get_title() == "0 of 1 runs reached both"
    PhaseDiagram(SPEC).plot.order().draw_without_rendering()
    PhaseDiagram(SPEC).plot.against().draw_without_rendering()


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((933, 1404, 2097), "RQI < train < test"),
        ((2097, 933, 1404), "train < test < RQI"),
        ((None, 3, 3), "train = test"),
        ((0, None, None), "RQI"),
        ((None, None, None), "none"),
    ],
)
def test_orders_name_what_was_reached(steps: tuple[int | None, ...], expected: str) -> None:
    named = dict(zip(("rqi", "train", "test"), steps, strict=True))
    assert order(**named) == expected


def test_orders_are_counted(diagram: PhaseDiagram) -> None:
    axes = diagram.plot.order().axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    bars = [bar for container in axes.containers for bar in container]
    counted = dict.fromkeys(names, 0.0)
    for bar in bars:
        counted[names[round(bar.get_y() + bar.get_height() / 2)]] += bar.get_width()
    assert counted == {
        "train < test": 4,
        "none": 2,
        "test < train": 1,
        "train": 1,
        "train = test": 1,
    }
    assert names[0] == "train < test"


def test_lines_are_medians_in_which_never_is_the_latest(diagram: PhaseDiagram) -> None:
    figure = diagram.plot.against("decoder_weight_decay")
    assert [axes.get_title() for axes in figure.axes] == [
        "decoder_lr=0.0001",
        "decoder_lr=0.001",
    ]
    colours = {TRAIN_COLOUR: "train", TEST_COLOUR: "test", RQI_COLOUR: "RQI"}
    drawn = {
        (panel, colours[to_hex(line.get_color()).upper()]): line.get_xydata().round(6).T.tolist()
        for panel, axes in enumerate(figure.axes)
        for line in axes.get_lines()
        if len(line.get_xdata())
    }
    assert drawn[0, "train"] == [[0, 1], [100, 100]]
    assert drawn[0, "test"] == [[0, 1], [200, 9000]]
    # Two of three never reached it: so has the middle one. It lies beyond the budget.
    assert drawn[1, "train"] == [[0], [20_000]]
    assert drawn[0, "RQI"][1][0] > 20_000
    band = figure.axes[0].collections
    lows = [path.vertices[:, 1].min() for shade in band for path in shade.get_paths()]
    assert 90 in lows


def test_what_cannot_be_drawn_is_refused(diagram: PhaseDiagram) -> None:
    with pytest.raises(InputError, match="axis 'width' is not in this sweep"):
        diagram.plot.against("width")
    three = SweepSpec(
        Addition(10), {"width": [3], "decoder_lr": [1e-3], "loss": ["mse"]}, ToyModel(steps=5)
    )
    with pytest.raises(InputError, match="one of one or two axes"):
        PhaseDiagram(three).plot.against()
    for draw in (diagram.plot.lags, diagram.plot.order):
        with pytest.raises(InputError, match="palette must be one of"):
            draw(palette="sepia")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="kind must be one of phases"):
        next(pictures(diagram, "pie"))  # type: ignore[arg-type]


def test_plot_leaves_the_pictures_that_are_asked_for(tmp_path: Path) -> None:
    spec = SweepSpec(
        Addition(10), {"loss": ["mse", "cross_entropy"], "width": [3, 5]}, ToyModel(steps=4)
    )
    store, out = tmp_path / "runs.sqlite", tmp_path / "out"
    sweep(spec, store=store, engine=numba_engine(1), progress=False)
    kinds = [option for kind in ("lags", "order", "against") for option in ("--kind", kind)]
    assert main(["plot", str(store), "--out", str(out), *kinds]) == 0
    names = ["against-loss.png", "against-width.png", "lags.png", "order.png"]
    assert sorted(path.name for path in out.iterdir()) == names
