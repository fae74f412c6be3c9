"""How values, seeds and places are written, wherever a person reads them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any


def number(value: float, form: str) -> str:
    """Return a number as text in a format; "undefined" for NaN."""
    return "undefined" if math.isnan(value) else format(value, form)


def written_apart(values: Sequence[Any]) -> list[str]:
    """Return values as text of six digits, or of as many as it takes to tell them apart."""
    different = len(set(values))
    for digits in range(6, 18):
        texts = [f"{v:.{digits}g}" if isinstance(v, float) else str(v) for v in values]
        if len(set(texts)) >= different:
            break
    return texts


def describe(values: Sequence[Any], most: int = 12) -> str:
    """Return values as short text, the middle left out if there are many."""
    texts = written_apart(values)
    if len(texts) > most:
        texts = [*texts[: most // 2], "..", *texts[-most // 2 :]]
    return ", ".join(texts)


def seed_text(seed: tuple[int, int]) -> str:
    """Return a seed as the command line takes it: "5", or "5/1" for split 5 and initialisation 1.

    Examples
    --------
    >>> seed_text((5, 5)), seed_text((5, 1))
    ('5', '5/1')
    """
    split, initialisation = seed
    return str(split) if split == initialisation else f"{split}/{initialisation}"


def seed_name(seed: tuple[int, int]) -> str:
    """Return "seed 5", or "seeds 5/1" where split and initialisation differ."""
    text = seed_text(seed)
    return f"seeds {text}" if "/" in text else f"seed {text}"


def place_name(texts: Mapping[str, str], seed: tuple[int, int] | None = None) -> str:
    """Return a place of a diagram in words, its values as the command line takes them.

    Parameters
    ----------
    texts
        What each axis shows there.
    seed
        The seed, where one is meant.

    Examples
    --------
    >>> place_name({"decoder_lr": "0.0001", "decoder_weight_decay": "3"}, (0, 0))
    'decoder_lr=0.0001, decoder_weight_decay=3, seed 0'
    """
    parts = [f"{name}={text}" for name, text in texts.items()]
    return ", ".join(parts if seed is None else [*parts, seed_name(seed)])
