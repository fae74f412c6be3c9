"""Full PyTorch training that judges the simulator."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __version__: str
    from validation.engine.engine import TorchEngine, torch_engine
    from validation.judge.cross_check import CrossCheck, cross_check
    from validation.judge.engine_agreement import Bound, EngineAgreement, agreement
    from validation.judge.nudged_runs import NudgedRuns
    from validation.judge.nudges import nudged_starts
    from validation.judge.plain_training import PlainToyModel, Snapshot, plain_training
    from validation.judge.report import write_report
    from validation.judge.trajectory import Trajectory
    from validation.judge.typical_cells import TypicalCell, typical_cells
    from validation.measures.of_networks import network_measures
    from validation.networks.concat_network import ConcatNetwork
    from validation.networks.liu_transformer import LiuTransformer
    from validation.networks.lstm import LSTM
    from validation.networks.mlp import MLP
    from validation.networks.one_layer_transformer import OneLayerTransformer
    from validation.networks.pair_network import PairNetwork
    from validation.networks.power_transformer import PowerTransformer
    from validation.training.curve import Crossings
    from validation.training.loop import NetworkRun, begun, train_network
    from validation.training.optimisation import Optimisation, published_optimisations
    from validation.training.plan import Plan

__all__ = [
    "Optimisation",
    "published_optimisations",
    "Plan",
    "Crossings",
    "NetworkRun",
    "begun",
    "train_network",
    "OneLayerTransformer",
    "PowerTransformer",
    "LiuTransformer",
    "MLP",
    "LSTM",
    "ConcatNetwork",
    "PairNetwork",
    "network_measures",
    "Bound",
    "CrossCheck",
    "EngineAgreement",
    "NudgedRuns",
    "PlainToyModel",
    "Snapshot",
    "TorchEngine",
    "Trajectory",
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
    "Optimisation": "training.optimisation",
    "published_optimisations": "training.optimisation",
    "Plan": "training.plan",
    "Crossings": "training.curve",
    "NetworkRun": "training.loop",
    "begun": "training.loop",
    "train_network": "training.loop",
    "OneLayerTransformer": "networks.one_layer_transformer",
    "PowerTransformer": "networks.power_transformer",
    "LiuTransformer": "networks.liu_transformer",
    "MLP": "networks.mlp",
    "LSTM": "networks.lstm",
    "ConcatNetwork": "networks.concat_network",
    "PairNetwork": "networks.pair_network",
    "network_measures": "measures.of_networks",
    "TorchEngine": "engine.engine",
    "torch_engine": "engine.engine",
    "CrossCheck": "judge.cross_check",
    "Trajectory": "judge.trajectory",
    "cross_check": "judge.cross_check",
    "Bound": "judge.engine_agreement",
    "EngineAgreement": "judge.engine_agreement",
    "agreement": "judge.engine_agreement",
    "NudgedRuns": "judge.nudged_runs",
    "nudged_starts": "judge.nudges",
    "PlainToyModel": "judge.plain_training",
    "Snapshot": "judge.plain_training",
    "plain_training": "judge.plain_training",
    "write_report": "judge.report",
    "TypicalCell": "judge.typical_cells",
    "typical_cells": "judge.typical_cells",
}


def __getattr__(name: str) -> Any:
    """Import what is exported when it is asked for: PyTorch takes seconds, `status` none of it."""
    if name == "__version__":
        from effective_theory.installation import project_version

        return project_version()
    if name in _MODULES:
        return getattr(importlib.import_module(f"validation.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
