"""Where the simulator's runs come from: versions, and what Numba compiles for."""

import hashlib
from functools import cache

from effective_theory.installation import package_versions
from phase_diagrams.runs.origin import Origin, code_commit

_PACKAGES = ("grokking-effective-theory", "numpy", "numba", "llvmlite")
#: Numba's settings that change machine code, as they usually are.
_USUAL_SETTINGS = {
    "DISABLE_JIT": 0,
    "OPT": 3,
    "LOOP_VECTORIZE": 1,
    "SLP_VECTORIZE": 0,
    "USING_SVML": False,
}


@cache
def numba_origin() -> Origin:
    """Return the origin of what the simulator computes in this process."""
    versions = package_versions(_PACKAGES)
    return Origin(_numba_target(), tuple(sorted(versions.items())), code_commit())


def _numba_target() -> str:
    """Return what Numba compiles for, such as "x86_64 znver4, features 1a2b3c4d".

    It is what Numba tells compiled code apart by, NUMBA_CPU_NAME and NUMBA_CPU_FEATURES included.
    """
    from numba.core.registry import cpu_target

    from effective_theory.kernels.compilation import config

    triple, processor, features = cpu_target.target_context.codegen().magic_tuple()
    parts = [f"{triple.split('-')[0]} {processor}"]
    if features:
        parts.append(f"features {hashlib.sha256(features.encode()).hexdigest()[:8]}")
    for name, usual in _USUAL_SETTINGS.items():
        if (value := getattr(config, name, usual)) != usual:
            parts.append(f"{name}={int(value)}")
    return ", ".join(parts)
