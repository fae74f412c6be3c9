"""One named specification for each published diagram of the toy model."""

from typing import Any

from effective_theory import Addition, ToyModel, permutation_group
from phase_diagrams.sweeps.axes import Axis
from phase_diagrams.sweeps.presets import register_preset
from phase_diagrams.sweeps.spacing import spaced
from phase_diagrams.sweeps.spec import SweepSpec


def _log(low: float, high: float, count: int) -> Axis:
    return Axis(tuple(spaced(low, high, count)), "log")


_RELEASED_RATES = _log(1e-5, 1e-2, 10)
_PAPER_RATES_6A = _log(1e-5, 1e-2, 13)
_PAPER_RATES = _log(1e-5, 1e-2, 16)
_INTEGERS_TO_10 = Axis(tuple(range(11)), "linear")
_DECAYS_OF_S3 = Axis((0, 1, 2, 3, 5, 10, 20, 30, 50, 100, 200), "ordinal")


def _released(axes: dict[str, Axis], seed: int = 58, **fields: Any) -> SweepSpec:
    """Return a diagram of the authors' released code: 45 training pairs, budget 1e4."""
    model = ToyModel(steps=10_000, **fields)
    return SweepSpec(Addition(10), axes, model, seeds=(seed,), start="released")


def _figure6(axes: dict[str, Axis]) -> SweepSpec:
    """Return one of the paper's own diagrams on addition with mse: seed 58, budget 1e5."""
    return SweepSpec(Addition(10), axes, seeds=(58,), start="figure6")


def _s3(rates: Axis, **fields: Any) -> SweepSpec:
    """Return a diagram on the permutations of three things: seed 0, 24 of 36 samples."""
    axes = {"decoder_lr": rates, "decoder_weight_decay": _DECAYS_OF_S3}
    model = ToyModel(embedding_dim=9, **fields)
    return SweepSpec(permutation_group(3), axes, model, train_size=24, seeds=(0,), start="s3")


def _appendix_g(axis: dict[str, Axis], **fields: Any) -> SweepSpec:
    """Return decoder learning rates from 1e-4 to 1e-2 against one other axis.

    The paper's other values and its start are not known: these are ours.
    """
    axes = {**axis, "decoder_lr": _log(1e-4, 1e-2, 11)}
    return SweepSpec(Addition(10), axes, ToyModel(**fields), seeds=(0,))


def _presets() -> dict[str, tuple[str, SweepSpec]]:
    """Return the published diagrams by their names, each with what it is."""
    presets = {
        "released-5a": (
            "embedding lr x decoder lr, mse: the released code's re-run of Figure 6a, budget 1e4",
            _released({"embedding_lr": _RELEASED_RATES, "decoder_lr": _RELEASED_RATES}),
        ),
        "released-5b": (
            "decoder lr x decoder weight decay, mse: the released re-run of Figure 6b, budget 1e4",
            _released({"decoder_lr": _RELEASED_RATES, "decoder_weight_decay": _INTEGERS_TO_10}),
        ),
        "released-5c": (
            "decoder lr x decoder weight decay, cross-entropy: the released re-run of Figure 6c",
            _released(
                {"decoder_lr": _RELEASED_RATES, "decoder_weight_decay": _INTEGERS_TO_10},
                seed=1,
                loss="cross_entropy",
            ),
        ),
        "released-5d": (
            "decoder lr x decoder weight decay, permutations of three things: the released re-run "
            "of Figure 6d, whose embeddings begin ten times as small, with a penalty",
            _s3(_RELEASED_RATES, steps=10_000, embedding_scale=0.1, embedding_penalty=1e-3),
        ),
        "fig6a": (
            "embedding lr x decoder lr, mse: the paper's Figure 6a, budget 1e5",
            _figure6({"embedding_lr": _PAPER_RATES_6A, "decoder_lr": _PAPER_RATES_6A}),
        ),
        "fig6b": (
            "decoder lr x decoder weight decay, mse: the paper's Figure 6b, budget 1e5",
            _figure6({"decoder_lr": _PAPER_RATES, "decoder_weight_decay": _INTEGERS_TO_10}),
        ),
        "fig6c": (
            "decoder lr x decoder weight decay, cross-entropy: the paper's Figure 6c, budget 1e5",
            SweepSpec(
                Addition(10),
                {
                    "decoder_lr": _PAPER_RATES,
                    "decoder_weight_decay": Axis(tuple(range(0, 21, 2)), "linear"),
                },
                # The published loss is divided by its 19 classes.
                ToyModel(loss="cross_entropy", adam_epsilon=19e-8),
                seeds=(6,),
                start="figure6c",
            ),
        ),
        "fig6d": (
            "decoder lr x decoder weight decay, permutations of three things: Figure 6d, budget "
            "1e5",
            _s3(_PAPER_RATES),
        ),
        "train-size": (
            "training pairs x decoder lr, mse",
            _appendix_g({"train_size": Axis(tuple(range(15, 51, 5)), "linear")}),
        ),
    }
    for loss in ("mse", "cross_entropy"):
        presets |= {
            f"batch-size-{loss.replace('_', '-')}": (
                f"batch size x decoder lr, {loss}: appendix G",
                _appendix_g({"batch_size": Axis(tuple(range(5, 46, 5)), "linear")}, loss=loss),
            ),
            f"embedding-scale-{loss.replace('_', '-')}": (
                f"scale of initial embeddings x decoder lr, {loss}: appendix G",
                _appendix_g({"embedding_scale": _log(1e-2, 1e1, 10)}, loss=loss),
            ),
            f"embedding-weight-decay-{loss.replace('_', '-')}": (
                f"embedding weight decay x decoder lr, {loss}: appendix G",
                _appendix_g({"embedding_weight_decay": _INTEGERS_TO_10}, loss=loss),
            ),
        }
    return presets


def register_toy_presets() -> None:
    """Make the published diagrams known by their names."""
    for name, (text, spec) in _presets().items():
        register_preset(name, text, spec)
