"""One loop that trains all networks, with its settings, curves and checkpoints."""
