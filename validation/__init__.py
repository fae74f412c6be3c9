"""Full PyTorch training that judges the simulator."""

from validation.batched_engine import TorchEngine, torch_engine
from validation.plain_training import PlainToyModel, Snapshot, plain_training

__all__ = ["PlainToyModel", "Snapshot", "TorchEngine", "plain_training", "torch_engine"]
