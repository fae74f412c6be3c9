"""Full PyTorch training that judges the simulator."""

from validation.plain_training import PlainToyModel, Snapshot, plain_training

__all__ = ["PlainToyModel", "Snapshot", "plain_training"]
