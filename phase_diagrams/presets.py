"""One named specification for each published diagram."""

import numpy as np

from effective_theory import Addition, InputError, ToyModel
from phase_diagrams.axes import Axis
from phase_diagrams.spec import SweepSpec

_RELEASED_RATES = Axis(tuple(np.logspace(-5, -2, 10)), "log")
_INTEGERS_TO_10 = Axis(tuple(range(11)), "linear")


def _released(axes: dict[str, Axis]) -> SweepSpec:
    """Return a diagram of the authors' released code: seed 58, 45 training pairs, budget 1e4."""
    return SweepSpec(Addition(10), axes, ToyModel(steps=10_000), seeds=(58,), start="released")


_PRESETS = {
    "released-5a": (
        "embedding lr x decoder lr, mse: the released code's re-run of Figure 6a, budget 1e4",
        _released({"embedding_lr": _RELEASED_RATES, "decoder_lr": _RELEASED_RATES}),
    ),
    "released-5b": (
        "decoder lr x decoder weight decay, mse: the released re-run of Figure 6b, budget 1e4",
        _released({"decoder_lr": _RELEASED_RATES, "decoder_weight_decay": _INTEGERS_TO_10}),
    ),
}


def preset_names() -> dict[str, str]:
    """Return the names of all presets, each with what it is."""
    return {name: text for name, (text, _) in _PRESETS.items()}


def preset(name: str) -> SweepSpec:
    """Return the specification of a published diagram.

    Raises
    ------
    InputError
        If there is no such preset.
    """
    if name not in _PRESETS:
        raise InputError(f"preset {name!r} is unknown; known presets: {', '.join(_PRESETS)}.")
    return _PRESETS[name][1]
