import re
import subprocess
import sys
from pathlib import Path

import pytest

from effective_theory import InputError, figures
from effective_theory.theory_commands import critical_size, figure


def test_critical_size_prints_the_table_and_the_threshold(capsys) -> None:
    critical_size(p=10, orders=300, seed=1)
    output = capsys.readouterr().out
    rows = re.findall(r"^ +(\d+) +([\d.]+) +([\d.]+) +([\d.]+) +([\d.]+)$", output, re.M)
    assert [int(row[0]) for row in rows] == list(range(1, 56))
    assert [float(row[2]) for row in rows] == sorted(float(row[2]) for row in rows)
    match = re.search(r"r_c = ([\d.]+) \(95 % interval ([\d.]+) to ([\d.]+)\)", output)
    value, low, high = map(float, match.groups())
    assert 0.38 < low < value < high < 0.44


def test_long_tables_are_thinned_and_short_ones_work(capsys) -> None:
    critical_size(p=60, orders=50)
    assert 10 < len(capsys.readouterr().out.splitlines()) <= 65
    critical_size(p=2, orders=3)
    assert "r_c = 0.00000" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["4a", "4c", "4d", "5a"])
def test_figures_are_drawn(name, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(figures, "_EXAMPLE_STEPS", 100)
    file = tmp_path / "figure.png"
    figure(name, file)
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


@pytest.mark.parametrize(
    ("name", "out", "message"),
    [
        ("4b", "figure.png", "name must be one of"),
        ("4a", "missing/figure.png", "cannot be written"),
        ("4a", "figure.unknown", "cannot be written"),
    ],
)
def test_bad_input(name, out, message, tmp_path) -> None:
    with pytest.raises(InputError, match=message):
        figure(name, tmp_path / out)


def test_a_plain_import_stays_light() -> None:
    heavy = "scipy.linalg scipy.stats scipy.optimize matplotlib pandas tqdm tyro torch joblib"
    code = (
        "import sys, effective_theory, effective_theory.theory_commands; "
        f"print([m for m in '{heavy}'.split() if m in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert run.stdout.strip() == "[]"
