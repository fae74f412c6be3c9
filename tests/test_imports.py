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
    assert not modules & {"torch", "matplotlib", "pandas", "seaborn", "xarray", "joblib", "tqdm"}


def test_the_command_line_of_validation_starts_without_what_few_commands_need() -> None:
    modules = loaded_after("import validation, validation.cli")
    assert not modules & {"torch", "matplotlib", "pandas", "seaborn", "jinja2", "submitit"}


def test_what_validation_exports_is_not_hidden_by_modules_of_its_name() -> None:
    pytest.importorskip("torch", reason="validation needs PyTorch: install extra [validation]")
    check = "all(not inspect.ismodule(getattr(validation, name)) for name in validation.__all__)"
    loaded_after(f"import inspect, validation.judge.cross_check, validation; assert {check}")


#: Imports every module of a package, the third parties' before, and compares what is global.
STATE = """
import importlib, locale, logging, os, pkgutil, random, signal, sys, threading, warnings
import joblib, matplotlib, numba, numpy as np, pandas, scipy.stats, seaborn, tqdm, tyro
import matplotlib.pyplot
for optional in ("torch", "bokeh.plotting", "submitit", "distributed"):
    try:
        importlib.import_module(optional)
    except ImportError:
        pass
torch = sys.modules.get("torch")

def state():
    everywhere = {
        "random": random.getstate(),
        "numpy random": repr(np.random.get_state()),
        "numpy errors": np.geterr(),
        "numpy printing": repr(np.get_printoptions()),
        "signals": {s: signal.getsignal(s) for s in signal.valid_signals()},
        "warnings": list(warnings.filters),
        "matplotlib": dict(matplotlib.rcParams),
        "figures": matplotlib.pyplot.get_fignums(),
        "environment": dict(os.environ),
        "numba": {n: repr(v) for n, v in vars(numba.config).items() if n.isupper()},
        "locale": locale.setlocale(locale.LC_ALL),
        "logging": (logging.root.level, list(logging.root.handlers)),
        "hooks": (sys.excepthook, sys.displayhook, threading.excepthook),
        "recursion": sys.getrecursionlimit(),
        "threads": threading.active_count(),
    }
    if torch is not None:
        everywhere["torch"] = (
            torch.get_default_dtype(), torch.get_default_device(), torch.get_num_threads(),
            torch.are_deterministic_algorithms_enabled(), torch.is_grad_enabled(),
            torch.get_float32_matmul_precision(), torch.get_rng_state().tolist(),
            torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32,
            torch.backends.cuda.matmul.allow_tf32,
        )
    return everywhere

before = state()
package = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
after = state()
changed = [name for name in before if before[name] != after[name]]
assert not changed, changed
"""


@pytest.mark.parametrize("package", ["effective_theory", "phase_diagrams", "validation"])
def test_an_import_leaves_global_state_alone(package: str) -> None:
    if package == "validation":
        pytest.importorskip("torch", reason="validation needs PyTorch: install extra [validation]")
    subprocess.run([sys.executable, "-c", STATE, package], check=True)
