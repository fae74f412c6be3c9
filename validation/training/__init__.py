"""One loop that trains all networks on pairs, with its settings, curves and checkpoints."""
