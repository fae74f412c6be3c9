"""Sweeps as arrays of jobs."""
