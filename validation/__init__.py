"""Full PyTorch training that judges the simulator."""

from validation.batched_engine import TorchEngine, torch_engine
from validation.cross_check import CrossCheck, cross_check
from validation.nudges import nudged_starts
from validation.plain_training import PlainToyModel, Snapshot, plain_training

__all__ = [
    "CrossCheck",
    "PlainToyModel",
    "Snapshot",
    "TorchEngine",
    "cross_check",
    "nudged_starts",
    "plain_training",
    "torch_engine",
]
