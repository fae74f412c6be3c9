"""Full PyTorch training that judges the simulator."""

from validation.batched_engine import TorchEngine, torch_engine
from validation.cross_check import CrossCheck, cross_check
from validation.engine_agreement import EngineAgreement, agreement
from validation.nudges import nudged_starts
from validation.plain_training import PlainToyModel, Snapshot, plain_training
from validation.report import write_report
from validation.trajectories import TypicalCell, typical_cells

__all__ = [
    "CrossCheck",
    "EngineAgreement",
    "PlainToyModel",
    "Snapshot",
    "TorchEngine",
    "TypicalCell",
    "agreement",
    "cross_check",
    "nudged_starts",
    "plain_training",
    "torch_engine",
    "typical_cells",
    "write_report",
]
