"""One named specification for each published diagram."""

from typing import Any

import numpy as np

from effective_theory import Addition, InputError, ToyModel, permutation_group
from phase_diagrams.axes import Axis
from phase_diagrams.spec import SweepSpec


def _rates(low: float, high: float, count: int) -> Axis:
    return Axis(tuple(np.logspace(low, high, count)), "log")


_RELEASED_RATES = _rates(-5, -2, 10)
_PAPER_RATES = _rates(-5, -2, 16)
_INTEGERS_TO_10 = Axis(tuple(range(11)), "linear")


def _released(axes: dict[str, Axis]) -> SweepSpec:
    """Return a diagram of the authors' released code: seed 58, 45 training pairs, budget 1e4."""
    return SweepSpec(Addition(10), axes, ToyModel(steps=10_000), seeds=(58,), start="released")


def _figure6(axes: dict[str, Axis], **fields: Any) -> SweepSpec:
    """Return one of the paper's own diagrams on addition: as above with budget 1e5."""
    return SweepSpec(Addition(10), axes, ToyModel(**fields), seeds=(58,), start="figure6")


def _s3(embedding_scale: float) -> SweepSpec:
    """Return the paper's diagram on the permutations of three things: seed 0, 24 of 36 samples."""
    return SweepSpec(
        permutation_group(3),
        {
            "decoder_lr": _PAPER_RATES,
            "decoder_weight_decay": Axis((0, 1, 2, 3, 5, 10, 20, 30, 50, 100, 200), "ordinal"),
        },
        ToyModel(embedding_dim=9, embedding_scale=embedding_scale, embedding_penalty=1e-3),
        train_size=24,
        seeds=(0,),
        start="s3",
    )


def _appendix_g(axis: dict[str, Axis], **fields: Any) -> SweepSpec:
    """Return decoder learning rates from 1e-4 to 1e-2 against one other axis.

    The paper's other values and its start are not known: these are ours.
    """
    axes = {**axis, "decoder_lr": _rates(-4, -2, 11)}
    return SweepSpec(Addition(10), axes, ToyModel(**fields), seeds=(0,))


_PRESETS = {
    "released-5a": (
        "embedding lr x decoder lr, mse: the released code's re-run of Figure 6a, budget 1e4",
        _released({"embedding_lr": _RELEASED_RATES, "decoder_lr": _RELEASED_RATES}),
    ),
    "released-5b": (
        "decoder lr x decoder weight decay, mse: the released re-run of Figure 6b, budget 1e4",
        _released({"decoder_lr": _RELEASED_RATES, "decoder_weight_decay": _INTEGERS_TO_10}),
    ),
    "fig6a": (
        "embedding lr x decoder lr, mse: the paper's Figure 6a, budget 1e5",
        _figure6({"embedding_lr": _rates(-5, -2, 13), "decoder_lr": _rates(-5, -2, 13)}),
    ),
    "fig6b": (
        "decoder lr x decoder weight decay, mse: the paper's Figure 6b, budget 1e5",
        _figure6({"decoder_lr": _PAPER_RATES, "decoder_weight_decay": _INTEGERS_TO_10}),
    ),
    "fig6c": (
        "decoder lr x decoder weight decay, cross-entropy: the paper's Figure 6c, budget 1e5",
        _figure6(
            {
                "decoder_lr": _PAPER_RATES,
                "decoder_weight_decay": Axis(tuple(range(0, 21, 2)), "linear"),
            },
            loss="cross_entropy",
        ),
    ),
    "fig6d": (
        "decoder lr x decoder weight decay, permutations of three things: Figure 6d, budget 1e5",
        _s3(embedding_scale=0.1),
    ),
    "fig6d-scale-1": (
        "the same from initial embeddings ten times as large, which gives the published picture",
        _s3(embedding_scale=1.0),
    ),
    "train-size": (
        "training pairs x decoder lr, mse",
        _appendix_g({"train_size": Axis(tuple(range(15, 51, 5)), "linear")}),
    ),
}
for _loss in ("mse", "cross_entropy"):
    _PRESETS |= {
        f"batch-size-{_loss.replace('_', '-')}": (
            f"batch size x decoder lr, {_loss}: appendix G",
            _appendix_g({"batch_size": Axis(tuple(range(5, 46, 5)), "linear")}, loss=_loss),
        ),
        f"embedding-scale-{_loss.replace('_', '-')}": (
            f"scale of initial embeddings x decoder lr, {_loss}: appendix G",
            _appendix_g(
                {"embedding_scale": Axis(tuple(np.logspace(-2, 1, 10)), "log")}, loss=_loss
            ),
        ),
        f"embedding-weight-decay-{_loss.replace('_', '-')}": (
            f"embedding weight decay x decoder lr, {_loss}: appendix G",
            _appendix_g({"embedding_weight_decay": _INTEGERS_TO_10}, loss=_loss),
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
