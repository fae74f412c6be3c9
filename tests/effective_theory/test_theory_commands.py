import re

import pytest

from effective_theory import InputError
from effective_theory import paper_figures as figures
from effective_theory.cli import main
from effective_theory.commands.critical_size import CriticalSize
from effective_theory.commands.figure import Figure
from effective_theory.files import save_figure


def test_critical_size_prints_the_table_and_the_threshold(capsys) -> None:
    assert main(["critical-size", "--p", "10", "--orders", "300", "--seed", "1"]) == 0
    output = capsys.readouterr().out
    rows = re.findall(r"^ +(\d+) +([\d.]+) +([\d.]+) +([\d.]+) +([\d.]+)$", output, re.M)
    assert [int(row[0]) for row in rows] == list(range(1, 56))
    assert [float(row[2]) for row in rows] == sorted(float(row[2]) for row in rows)
    match = re.search(r"r_c = ([\d.]+) \(95 % interval ([\d.]+) to ([\d.]+)\)", output)
    value, low, high = map(float, match.groups())
    assert 0.38 < low < value < high < 0.44


def test_long_tables_are_thinned_and_short_ones_work(capsys) -> None:
    CriticalSize(p=60, orders=50).run()
    assert 10 < len(capsys.readouterr().out.splitlines()) <= 65
    CriticalSize(p=2, orders=3).run()
    assert "r_c = 0.00000" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["4a", "4c", "4d", "5a"])
def test_figures_are_drawn(name, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(figures, "_EXAMPLE_STEPS", 100)
    file = tmp_path / "figure.png"
    assert main(["figure", name, "--out", str(file)]) == 0
    assert file.read_bytes().startswith(b"\x89PNG")
    assert str(file) in capsys.readouterr().out


def test_figure_4a_shows_the_curve() -> None:
    axes = figures.figure_4a(orders=200).axes[0]
    probability = axes.lines[0].get_ydata()
    assert probability[0] == 0.0
    assert probability[-1] == 1.0
    assert axes.lines[1].get_xdata()[0] == pytest.approx(0.41, abs=0.02)


def test_figures_4c_and_4d_begin_at_the_same_embeddings(monkeypatch) -> None:
    monkeypatch.setattr(figures, "_EXAMPLE_STEPS", 20)
    theory, network = (f().axes[0].lines for f in (figures.figure_4c, figures.figure_4d))
    assert len(theory) == len(network) == 10
    for one, other in zip(theory, network, strict=True):
        assert one.get_ydata()[0] == pytest.approx(other.get_ydata()[0], rel=1e-6)


@pytest.mark.parametrize("out", ["missing/figure.png", "figure.unknown"])
def test_bad_output_is_refused(out, tmp_path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        Figure("4a", tmp_path / out).run()


@pytest.mark.parametrize(
    "arguments",
    [
        *(["critical-size", "--p", "1"], ["critical-size", "--orders", "0"]),
        *(["critical-size", "--seed", "-1"], ["critical-size", "--jobs", "0"]),
    ],
)
def test_bad_input_is_one_sentence(arguments, capsys) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith(f"error: {arguments[1][2:]}")


def test_a_run_that_diverged_at_once_is_drawn(tmp_path) -> None:
    file = tmp_path / "run.png"
    command = ["train", "--decoder-scale", "1e30", "--steps", "10", "--plot", str(file)]
    assert main(command) == 0
    assert file.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("task", ["permutation_group", "permutation_operation"])
def test_what_a_class_calls_n_is_p_on_the_command_line(task, capsys) -> None:
    assert main(["train", "--task", task, "--p", "9", "--steps", "1"]) == 2
    assert capsys.readouterr().err.startswith("error: p must be at most 5, not 9.")


def test_what_keeps_nothing_does_not_say_that_it_does(monkeypatch, capsys) -> None:
    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(CriticalSize, "run", interrupted)
    assert main(["critical-size"]) == 130
    assert capsys.readouterr().err == "interrupted; nothing was kept.\n"


@pytest.mark.parametrize("ending", ["png", "pdf", "svg", "eps", "ps"])
def test_a_picture_has_the_same_bytes_whenever_it_is_drawn(ending, tmp_path, monkeypatch) -> None:
    from matplotlib.figure import Figure as Picture

    written = []
    for clock in (1e9, 2e9):
        monkeypatch.setattr("time.time", lambda clock=clock: clock)
        monkeypatch.setattr("time.ctime", lambda clock=clock: f"{clock:g}")
        figure = Picture()
        figure.subplots().plot([1, 2])
        save_figure(figure, tmp_path / f"picture.{ending}")
        written.append((tmp_path / f"picture.{ending}").read_bytes())
    assert written[0] == written[1]
