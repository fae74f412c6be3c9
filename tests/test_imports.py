"""What a plain import loads: a notebook pays for what it uses."""

import subprocess
import sys

import pytest

HEAVY = (
    *("torch", "matplotlib", "pandas", "xarray", "seaborn", "tqdm", "tyro", "joblib"),
    *("scipy.linalg", "scipy.stats", "scipy.optimize"),
)


def loaded_after(statement: str) -> set[str]:
    code = f"import sys; {statement}; print('\\n'.join(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return set(result.stdout.split())


def test_effective_theory_loads_numpy_and_numba_only() -> None:
    modules = loaded_after("import effective_theory")
    assert {"numpy", "numba"} <= modules
    assert not modules & set(HEAVY)


def test_the_command_line_starts_without_pictures_and_torch() -> None:
    modules = loaded_after("import phase_diagrams, phase_diagrams.cli")
    assert not modules & {"torch", "matplotlib", "pandas", "seaborn", "xarray"}


@pytest.mark.parametrize("package", ["effective_theory", "phase_diagrams"])
def test_an_import_leaves_global_state_alone(package: str) -> None:
    code = (
        "import random, signal, warnings, numpy as np, os\n"
        "def state(): return (random.getstate(), repr(np.random.get_state()), "
        "[signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)], "
        "dict(os.environ), str(numba.config.CACHE_DIR), list(warnings.filters))\n"
        "import numba, scipy, tqdm, joblib\n"
        f"before = state(); import {package}; assert state() == before"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
