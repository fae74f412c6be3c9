"""Whole grids of toy models in PyTorch, many cells at a time."""
