"""Finer cells where phases meet, and what lies between agreeing ones."""
