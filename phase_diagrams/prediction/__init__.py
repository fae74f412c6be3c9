"""Cells that are predicted from runs at other learning rates, and how sure that is."""
