"""Pictures of several seeds, from Python and from the shell."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from effective_theory import InputError
from effective_theory.files import save_figure
from phase_diagrams import Axis, Phase
from phase_diagrams.cli import main
from phase_diagrams.drawing.palette import PALETTES
from phase_diagrams.text.summary import summary
from tests.phase_diagrams.labelled import labelled

pytestmark = pytest.mark.filterwarnings("ignore:ideal test accuracy:UserWarning")

C, G, M, NOT_RUN = 0, 1, 2, -1
AXES = {
    "decoder_lr": Axis((1e-5, 1e-4, 1e-3), "log"),
    "decoder_weight_decay": Axis((0.0, 2.0), "linear"),
}
#: Certain, three of four; tied, not run; certain, certain.
LABELS = [[[C] * 4, [C, C, C, G]], [[C, C, M, M], [NOT_RUN] * 4], [[M] * 4, [M] * 4]]
SMALL = (
    *("sweep", "--axis", "decoder_lr=1e-4:1e-2:3:log", "--axis", "decoder_weight_decay=0,2"),
    *("--width", "5", "--steps", "5", "--jobs", "1"),
)


@pytest.mark.parametrize("palette", ["default", "paper"])
def test_colours_are_as_strong_as_the_majority(palette: str) -> None:
    panel = labelled(LABELS, AXES, range(4)).plot.majority(palette=palette).axes[0]
    shown = panel.collections[0].get_array()
    colours = {p: np.array(to_rgb(c)) for p, c in PALETTES[palette].items()}  # type: ignore[index]
    np.testing.assert_allclose(shown[0, 0], colours[Phase.COMPREHENSION])
    np.testing.assert_allclose(shown[0, 1], 1 - 0.75 * (1 - colours[Phase.COMPREHENSION]))
    np.testing.assert_allclose(shown[1, 1], 1)
    np.testing.assert_allclose(shown[2, 0], colours[Phase.MEMORIZATION])


def test_ties_show_each_phase_and_doubt_shows_a_dot() -> None:
    figure = labelled(LABELS, AXES, range(4)).plot.majority()
    panel = figure.axes[0]
    stripes = sorted(panel.patches, key=lambda patch: patch.get_x())
    assert [round(s.get_x(), 9) for s in stripes] == [-1.0, 0.0]
    left, right = (np.array(s.get_facecolor()[:3]) for s in stripes)
    default = PALETTES["default"]
    np.testing.assert_allclose(left, (1 + np.array(to_rgb(default[Phase.COMPREHENSION]))) / 2)
    np.testing.assert_allclose(right, (1 + np.array(to_rgb(default[Phase.MEMORIZATION]))) / 2)
    dots = panel.lines[0]
    assert sorted(zip(*dots.get_data(), strict=True)) == [(0.0, 1e-4), (2.0, 1e-5)]
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "grokking" not in named and "not run" in named
    assert "95% interval not above 1/2" in named


@pytest.mark.parametrize("along", list(AXES))
def test_a_boundary_is_drawn_where_it_lies(along: str, tmp_path: Path) -> None:
    diagram = labelled(LABELS, AXES, range(4))
    found = diagram.boundary(along, rng=0)
    figure = diagram.plot.boundary(along, rng=0)
    lines = [
        line.get_segments()[0]
        for line in figure.axes[0].collections
        if hasattr(line, "get_segments")
    ]
    upwards = int(along == "decoder_lr")
    drawn = [float(line[0, upwards]) for line in lines]
    assert drawn == pytest.approx(found.value[np.isfinite(found.value)].tolist())
    save_figure(figure, tmp_path / "boundary.png")


def test_a_boundary_in_words() -> None:
    diagram = labelled(LABELS, AXES, range(4))
    lines = str(diagram.boundary("decoder_lr", rng=0, direction="falling")).splitlines()
    assert lines[0].startswith("decoder_weight_decay=0: falls at 0.0001, 95% band ")
    assert lines[0].endswith("of resamples)")
    rising = str(diagram.boundary("decoder_lr", rng=0, direction="rising")).splitlines()
    assert rising == [f"decoder_weight_decay={value}: does not rise" for value in (0, 2)]
    one = labelled(LABELS[0][:1] + LABELS[2][:1], {"decoder_lr": [1e-4, 1e-3]}, range(4))
    assert str(one.boundary("decoder_lr", rng=0)) == (
        "crosses at 0.000316, 95% band 0.000316 to 0.000316 (100% of resamples)"
    )


def test_one_axis_and_three_axes() -> None:
    one = labelled([[C, C], [C, M]], {"decoder_lr": [1e-4, 1e-3]}, range(2))
    assert len(one.plot.majority().axes[0].patches) == 2
    one.plot.boundary("decoder_lr", rng=0)
    axes = {"decoder_lr": [1e-3], "width": [5], "loss": ["mse"]}
    three = labelled([[[[C, M]]]], axes, range(2))
    for draw in (three.plot.majority, lambda: three.plot.boundary("decoder_lr", rng=0)):
        with pytest.raises(InputError, match="a picture has one or two axes"):
            draw()
    with pytest.raises(InputError, match="palette"):
        one.plot.majority(palette="sepia")


def test_the_summary_speaks_of_all_seeds() -> None:
    seeds = [(0, 0), (0, 1), (1, 0), (1, 1)]
    lines = summary(labelled(LABELS, AXES, seeds)).splitlines()
    assert "majority of 4 seeds: 5 cells, 0 with the 95% interval above 1/2, 4 not, 1 tied" in lines
    assert (
        "  tie at decoder_lr=0.0001, decoder_weight_decay=0: comprehension = memorization" in lines
    )
    # Pairs that share neither seed: 2 in each of 5 cells, of which 1 and 2 differ.
    assert any("with probability 0.300; share of it due to the split: 0.67" in x for x in lines)


def test_the_shell_leaves_a_majority_of_any_number_of_seeds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*SMALL, "--seeds", "0,1", "--out", str(tmp_path)]) == 0
    pictures = {"phases.png", "steps.png", "majority.png"}
    assert {path.name for path in tmp_path.glob("*.png")} == pictures
    many = ",".join(str(seed) for seed in range(17))
    assert main([*SMALL, "--seeds", many, "--out", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.glob("*.png")} == {"majority.png"}
    out, store = tmp_path / "drawn", str(tmp_path / "runs.sqlite")
    capsys.readouterr()
    assert main(["plot", store, "--out", str(out), "--boundary", "decoder_lr"]) == 0
    assert {path.name for path in out.iterdir()} == {"boundary.png"}
    assert "decoder_weight_decay=0: does not rise" in capsys.readouterr().out
    assert main(["plot", store, "--out", str(out), "--boundary", "decoder"]) == 2
    assert "along must be an axis of the sweep (decoder_lr, decoder" in capsys.readouterr().err
    assert main([*SMALL, "--seeds", "3", "--out", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.glob("*.png")} == {"phases.png", "steps.png"}
