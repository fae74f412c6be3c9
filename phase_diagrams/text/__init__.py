"""Diagrams as text and as tables."""
