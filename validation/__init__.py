"""Full PyTorch training: what judges the simulator, and the networks of the source papers."""

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
    from validation.kernel_regime.construction import fourier_solution
    from validation.kernel_regime.feature_machine import FeatureMachine, feature_machines
    from validation.kernel_regime.kernel_regression import (
        expected_kernel,
        expected_prediction,
        kernel_prediction,
    )
    from validation.kernel_regime.laws import (
        SampleLaw,
        kernel_width,
        least_norm,
        normalised_margin,
        sample_laws,
    )
    from validation.kernel_regime.measures import drift_measures, leaves_kernel_regime
    from validation.kernel_regime.quadratic_state import QuadraticState
    from validation.kernel_regime.regression import RegressionRun, Triples, train_on_triples
    from validation.kernel_regime.tangent_kernel import (
        KernelDrift,
        empirical_kernel,
        kernel_drift,
        kernel_product,
        quadratic_kernel,
    )
    from validation.measures.of_networks import network_measures
    from validation.networks.concat_network import ConcatNetwork
    from validation.networks.liu_transformer import LiuTransformer
    from validation.networks.lstm import LSTM
    from validation.networks.mlp import MLP
    from validation.networks.one_layer_transformer import OneLayerTransformer
    from validation.networks.pair_network import PairNetwork
    from validation.networks.power_transformer import PowerTransformer
    from validation.networks.quadratic_network import QuadraticNetwork
    from validation.systems.engine import NetworkEngine, network_engine
    from validation.training.curve import Crossings
    from validation.training.loop import NetworkRun, begun, train_network
    from validation.training.losses import exact_tail_loss
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
    "fourier_solution",
    "FeatureMachine",
    "feature_machines",
    "expected_kernel",
    "expected_prediction",
    "kernel_prediction",
    "sample_laws",
    "SampleLaw",
    "kernel_width",
    "least_norm",
    "normalised_margin",
    "drift_measures",
    "leaves_kernel_regime",
    "RegressionRun",
    "Triples",
    "train_on_triples",
    "KernelDrift",
    "QuadraticState",
    "empirical_kernel",
    "kernel_drift",
    "kernel_product",
    "quadratic_kernel",
    "QuadraticNetwork",
    "NetworkEngine",
    "network_engine",
    "exact_tail_loss",
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
    "fourier_solution": "kernel_regime.construction",
    "FeatureMachine": "kernel_regime.feature_machine",
    "feature_machines": "kernel_regime.feature_machine",
    "expected_kernel": "kernel_regime.kernel_regression",
    "expected_prediction": "kernel_regime.kernel_regression",
    "kernel_prediction": "kernel_regime.kernel_regression",
    "sample_laws": "kernel_regime.laws",
    "SampleLaw": "kernel_regime.laws",
    "kernel_width": "kernel_regime.laws",
    "least_norm": "kernel_regime.laws",
    "normalised_margin": "kernel_regime.laws",
    "drift_measures": "kernel_regime.measures",
    "leaves_kernel_regime": "kernel_regime.measures",
    "RegressionRun": "kernel_regime.regression",
    "Triples": "kernel_regime.regression",
    "train_on_triples": "kernel_regime.regression",
    "KernelDrift": "kernel_regime.tangent_kernel",
    "QuadraticState": "kernel_regime.quadratic_state",
    "empirical_kernel": "kernel_regime.tangent_kernel",
    "kernel_drift": "kernel_regime.tangent_kernel",
    "kernel_product": "kernel_regime.tangent_kernel",
    "quadratic_kernel": "kernel_regime.tangent_kernel",
    "QuadraticNetwork": "networks.quadratic_network",
    "NetworkEngine": "systems.engine",
    "network_engine": "systems.engine",
    "exact_tail_loss": "training.losses",
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
