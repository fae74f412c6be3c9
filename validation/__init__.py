"""Full PyTorch training that judges the simulator."""

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

#: The modules that hold what the package exports.
_MODULES = {
    "TorchEngine": "batched_engine",
    "torch_engine": "batched_engine",
    "CrossCheck": "cross_check",
    "cross_check": "cross_check",
    "EngineAgreement": "engine_agreement",
    "agreement": "engine_agreement",
    "nudged_starts": "nudges",
    "PlainToyModel": "plain_training",
    "Snapshot": "plain_training",
    "plain_training": "plain_training",
    "write_report": "report",
    "TypicalCell": "trajectories",
    "typical_cells": "trajectories",
}


class _Package(ModuleType):
    """Imports what is exported when it is asked for: PyTorch takes seconds, `status` none of it.

    Not by a module's ``__getattr__``: a submodule such as cross_check, once imported, would stand
    in the place of the function of its name.
    """

    def __getattribute__(self, name: str) -> Any:
        if name in _MODULES:
            return getattr(importlib.import_module(f"validation.{_MODULES[name]}"), name)
        return super().__getattribute__(name)


sys.modules[__name__].__class__ = _Package
