"""Attention heads share the dimension; nothing here loads PyTorch."""

from effective_theory import InputError


def require_heads(dimension: int, heads: int, numbers: int = 1) -> None:
    """Raise InputError unless each head has as many numbers, or a multiple of as many.

    Parameters
    ----------
    dimension, heads
        Numbers in each place, and heads that share them.
    numbers
        1, or 2 where they come in pairs.
    """
    if dimension % (numbers * heads):
        twice = "twice " if numbers == 2 else ""
        raise InputError(f"dimension {dimension} must be a multiple of {twice}heads, {heads}.")
