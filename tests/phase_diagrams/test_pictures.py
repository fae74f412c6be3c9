"""The door from a diagram to its pictures, and what all pictures keep to."""

import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from effective_theory import Addition, InputError, ToyModel
from effective_theory.figures import Picture
from phase_diagrams import Axis, PhaseDiagram, SweepSpec
from phase_diagrams.cli import main
from phase_diagrams.drawing.plane import Plane
from phase_diagrams.drawing.ticks import put_ticks, tick_texts, written_places
from phase_diagrams.pictures.files import (
    MOST_SLICES,
    _apart,
    file_part,
    fitting,
    left_out,
    picture_paths,
)
from tests.phase_diagrams.labelled import labelled

pytestmark = pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")

C, G, M = 0, 1, 2
AXES = {
    "decoder_lr": Axis((1e-5, 1e-4, 1e-3), "log"),
    "decoder_weight_decay": Axis((0.0, 2.0), "linear"),
}
LABELS = [[[C] * 4, [C, C, C, G]], [[C, C, M, M], [C] * 4], [[M] * 4, [M] * 4]]


@pytest.fixture(scope="module")
def diagram() -> PhaseDiagram:
    return labelled(LABELS, AXES, range(4))


def test_pictures_are_drawn_on_the_axes_of_the_caller(diagram: PhaseDiagram) -> None:
    one = diagram.sel(seed=0)
    for draw in (
        one.plot,
        diagram.plot.majority,
        lambda **options: diagram.plot.boundary("decoder_lr", rng=0, **options),
        diagram.plot.lags,
        diagram.plot.order,
    ):
        figure = Figure()
        left, right = figure.subplots(1, 2)
        assert draw(ax=right, title="mine") is figure
        assert not left.collections and not left.lines
        assert right.get_title() == "mine"
        assert not figure.legends
    with pytest.raises(InputError, match="ax holds one seed, this sweep has 4"):
        diagram.plot(ax=Figure().subplots())


def test_options_of_figures_are_obeyed(diagram: PhaseDiagram) -> None:
    figure = diagram.sel(seed=0).plot(figsize=(3, 2), legend=False, title="one")
    assert figure.get_size_inches().tolist() == [3, 2]
    assert not figure.legends and figure.axes[0].get_title() == "one"
    assert diagram.plot(title="all").get_suptitle() == "all"
    assert diagram.plot.steps(title="steps").get_suptitle() == "steps"
    assert diagram.plot.against(title="lines", legend=False).legends == []


@pytest.mark.parametrize("name", ["phases", "steps", "majority"])
def test_swapped_axes_show_the_same_cells(diagram: PhaseDiagram, name: str) -> None:
    one = diagram.sel(seed=0)
    draw = {"phases": one.plot, "steps": one.plot.steps, "majority": diagram.plot.majority}[name]
    plain, swapped = draw().axes[0], draw(swap_axes=True).axes[0]
    assert swapped.get_xlabel() == plain.get_ylabel() == "decoder learning rate"
    assert swapped.get_xscale() == "log" and swapped.get_yscale() == "linear"
    before, after = (np.ma.filled(a.collections[0].get_array(), -1) for a in (plain, swapped))
    np.testing.assert_array_equal(after, before.swapaxes(0, 1))


def test_a_swapped_boundary_lies_at_the_same_values(diagram: PhaseDiagram) -> None:
    drawn = []
    for swap in (False, True):
        figure = diagram.plot.boundary("decoder_lr", rng=0, swap_axes=swap)
        lines = [c for c in figure.axes[0].collections if hasattr(c, "get_segments")]
        drawn.append([float(line.get_segments()[0][0, int(not swap)]) for line in lines])
    assert drawn[0] and drawn[0] == drawn[1]


def test_an_empty_boundary_says_why(diagram: PhaseDiagram) -> None:
    def said(**options: object) -> str:
        panel = diagram.plot.boundary("decoder_lr", rng=0, **options).axes[0]  # type: ignore[arg-type]
        return "; ".join(text.get_text() for text in panel.texts)

    assert said() == ""
    assert said(of="confusion") == "no boundary: the share is nowhere above 0"
    assert said(of="grokking") == "no boundary: the share is nowhere above 0.25"
    everything = ("comprehension", "grokking", "memorization")
    assert said(of=everything) == "no boundary: the share is nowhere below 1"
    assert said(direction="rising") == (
        "no boundary: along decoder_lr the share does not rise through 0.5"
    )


def test_no_name_covers_a_dot() -> None:
    """Three of four everywhere: each cell is uncertain, so that no name has room."""
    axes = {"decoder_lr": Axis(tuple(np.geomspace(1e-5, 1e-2, 9)), "log"), "width": range(3, 12)}
    doubtful = labelled(np.tile([C, C, C, G], (9, 9, 1)), axes, range(4))  # type: ignore[arg-type]
    certain = labelled(np.tile([C] * 8, (9, 9, 1)), axes, range(8))  # type: ignore[arg-type]

    def names(diagram: PhaseDiagram) -> list[Text]:
        return list(diagram.plot.majority().axes[0].texts)

    assert [text.get_text() for text in names(certain)] == ["comprehension"]
    assert names(doubtful) == []


def test_ticks_are_at_the_swept_values(diagram: PhaseDiagram) -> None:
    panel = diagram.sel(seed=0).plot().axes[0]
    assert panel.get_xticks().tolist() == [0, 2]
    assert panel.get_yticks().tolist() == [1e-5, 1e-4, 1e-3]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["1e-05", "0.0001", "0.001"]


def test_of_many_values_some_are_written_and_decades_first() -> None:
    fine = Axis(tuple(np.geomspace(1e-5, 1e-2, 31)), "log")
    written = [tick_texts(fine)[k] for k in written_places(fine, upwards=True)]
    assert written == ["1e-05", "0.0001", "0.001", "0.01"]
    whole = Axis(tuple(range(11)))
    assert written_places(whole, upwards=True) == list(range(11))
    names = Axis(tuple(f"a rather long name {k}" for k in range(40)))
    assert len(written_places(names, upwards=False)) == 1


def test_values_that_are_too_long_to_write_are_shortened() -> None:
    axis = Axis(("a" * 50, "b" * 50))
    panel = Figure().subplots()
    put_ticks(panel.xaxis, axis, upwards=False)
    assert [label.get_text() for label in panel.get_xticklabels()] == ["a" * 17 + "..." + "a" * 17]


def test_slices_have_pictures_of_their_own_names() -> None:
    parts = [file_part({"activation": value}) for value in ("é", "è", "a b", "a/b", "a-b")]
    assert parts[:2] == ["-activation=é", "-activation=è"]
    assert _apart(parts[2:]) == [f"-activation=a-b{number}" for number in ("", "-2", "-3")]


def test_a_plane_puts_the_first_axis_upwards() -> None:
    spec = SweepSpec(Addition(10), AXES, ToyModel())
    values = np.arange(6).reshape(3, 2)
    np.testing.assert_array_equal(Plane.of(spec).arrange(values), values)
    np.testing.assert_array_equal(Plane.of(spec, swap=True).arrange(values), values.T)
    one = SweepSpec(Addition(10), {"decoder_lr": AXES["decoder_lr"]}, ToyModel())
    assert Plane.of(one).arrange(np.arange(3)).shape == (1, 3)
    assert Plane.of(one, swap=True).arrange(np.arange(3)).shape == (3, 1)


def test_pyplot_knows_none_of_the_figures(diagram: PhaseDiagram) -> None:
    figures = [
        diagram.plot(), diagram.plot.steps(), diagram.plot.majority(), diagram.plot.lags(),
        diagram.plot.order(), diagram.plot.against(),
        diagram.plot.boundary("decoder_lr", rng=0),
    ]  # fmt: skip
    assert all(isinstance(figure, Picture) for figure in figures)
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


def test_a_notebook_shows_the_diagram_or_its_majority(diagram: PhaseDiagram) -> None:
    assert str(diagram._repr_png_())[:8] == str(b"\x89PNG")[:8]
    many = labelled([[C] * 20, [M] * 20], {"decoder_lr": [1e-4, 1e-3]}, range(20))
    assert many._repr_png_() is not None
    axes = {"decoder_lr": [1e-3], "width": [5], "loss": ["mse"]}
    assert labelled([[[[C]]]], axes, range(1))._repr_png_() is None


SWEEP = (
    *("sweep", "--axis", "decoder_lr=1e-3,1e-2", "--axis", "decoder_weight_decay=0,2"),
    *("--width", "5", "--steps", "5", "--jobs", "1"),
)


def test_three_axes_leave_a_picture_for_each_slice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    three = [*SWEEP, "--axis", "batch_size=None,15", "--out", str(tmp_path)]
    assert main(three) == 0
    slices = ("batch_size=None", "batch_size=15")
    names = sorted(f"{kind}-{part}.png" for kind in ("phases", "steps") for part in slices)
    assert sorted(path.name for path in tmp_path.glob("*.png")) == names
    out = tmp_path / "out"
    store = str(tmp_path / "runs.sqlite")
    command = ["plot", store, "--out", str(out), "--at", "batch_size=15"]
    assert main([*command, "--format", "svg"]) == 0
    drawn = ["phases-batch_size=15.svg", "steps-batch_size=15.svg"]
    assert sorted(path.name for path in out.iterdir()) == drawn
    assert main([*command, "--format", "bmp"]) == 2
    # Pictures of the slices would pass for those of the plain sweep.
    assert main([*SWEEP, "--out", str(tmp_path)]) == 0
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["phases.png", "steps.png"]


def test_what_has_no_picture_is_said() -> None:
    axes = {"decoder_lr": [1e-3], "decoder_weight_decay": [0], "width": range(1, MOST_SLICES + 4)}
    spec = SweepSpec(Addition(10), axes, ToyModel(steps=5))  # type: ignore[arg-type]
    assert fitting(spec) == ("phases", "steps")
    assert len(picture_paths(spec, ["phases"], Path())) == MOST_SLICES
    assert left_out(spec) == (
        f"3 more slices have no picture; for one of them: plot --at width={MOST_SLICES + 1}"
    )
    plain = SweepSpec(Addition(10), {"decoder_lr": [1e-3, 1e-2]}, ToyModel(steps=5))
    assert left_out(plain) is None
