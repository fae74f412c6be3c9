"""The commands of ``python -m effective_theory``, one file for each subject."""
