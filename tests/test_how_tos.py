"""The scripts of the how-tos run as they stand there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from phase_diagrams import Store

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.documents


def script_of(document: str, folder: Path) -> Path:
    """The first Python block of a document, as a file."""
    text = (ROOT / "docs" / document).read_text()
    (block, *_) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    script = folder / "script.py"
    script.write_text(block)
    return script


@pytest.mark.parametrize(
    ("document", "store", "printed"),
    [
        ("own_trainer.md", "digits.sqlite", "learning_rate[3] x penalty[3] x seeds[2]"),
        ("images.md", "digits.sqlite", "weight_decay[2] x lr[2] x seeds[1]"),
        ("own_task.md", "subtraction.sqlite", "decoder_lr[3] x decoder_weight_decay[3] x seeds[1]"),
    ],
)
def test_the_script_of_a_how_to_runs_and_keeps_its_runs(
    document: str, store: str, printed: str, tmp_path: Path
) -> None:
    if document in ("own_trainer.md", "images.md"):
        pytest.importorskip("sklearn", reason="scikit-learn is absent; install the extra [dev]")
    command = [sys.executable, str(script_of(document, tmp_path))]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"PhaseDiagram({printed}: ") and "not run" not in done.stdout
    with Store(tmp_path / store, create=False) as kept:
        assert list(kept.sweeps()) == ["sweep"]


def test_the_script_of_the_kernel_regime_watches_a_network_leave_it(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs the extra [validation]")
    command = [sys.executable, str(script_of("kernel_regime.md", tmp_path))]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    _, moment = done.stdout.splitlines()
    assert re.fullmatch(r"1 - cos past .05 at update [0-9]+", moment)


def test_the_blocks_of_the_sweep_how_to_run_one_after_the_other(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "how_to.md").read_text()
    script = tmp_path / "script.py"
    script.write_text("\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL)))
    command = [sys.executable, "-W", "ignore::UserWarning", str(script)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr
    first, *rest = done.stdout.splitlines()
    assert first.startswith("PhaseDiagram(decoder_lr[5] x decoder_weight_decay[3] x seeds[1]: ")
    assert any(line.startswith("Prediction(15 probes") for line in rest)
    assert {"phases.png", "majority.png", "run.png", "runs.sqlite"} <= {
        path.name for path in tmp_path.iterdir()
    }
