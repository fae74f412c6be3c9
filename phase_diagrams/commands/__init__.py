"""The commands of ``python -m phase_diagrams``, one file for each."""
