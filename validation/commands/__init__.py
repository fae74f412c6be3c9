"""The commands of ``python -m validation``, one file for each."""
