"""How runs are made and kept: engines, summaries and the store."""
