"""Phase diagrams: sweeps of the toy model and other systems, their store and their pictures."""

from typing import TYPE_CHECKING

from phase_diagrams.advice.advising import advise
from phase_diagrams.advice.result import Advice, Setting
from phase_diagrams.comparison.comparing import compare
from phase_diagrams.comparison.result import BoundaryShift, Comparison, StepAgreement
from phase_diagrams.diagram import PhaseDiagram
from phase_diagrams.loading import load
from phase_diagrams.phases import Phase, Source, classify
from phase_diagrams.predicting import measure_doubtful, predict
from phase_diagrams.refining import refine
from phase_diagrams.runs.engines import Engine
from phase_diagrams.runs.origin import Origin
from phase_diagrams.runs.store import Store
from phase_diagrams.runs.store_errors import StoreError
from phase_diagrams.runs.stored_run import KeptRuns, StoredRun
from phase_diagrams.runs.summary import RunSummary
from phase_diagrams.runs.trainers import Trained, register_trainer
from phase_diagrams.statistics.boundaries import Boundary
from phase_diagrams.statistics.prediction import Prediction
from phase_diagrams.statistics.probabilities import Majority, Probability
from phase_diagrams.statistics.seed_effects import SeedEffects
from phase_diagrams.sweeping import sweep
from phase_diagrams.sweeps.axes import Axis
from phase_diagrams.sweeps.cell import Cell
from phase_diagrams.sweeps.ideal_accuracy import IdealAccuracies
from phase_diagrams.sweeps.presets import preset, preset_names, register_preset
from phase_diagrams.sweeps.registry import register_system
from phase_diagrams.sweeps.rescaling import rescale
from phase_diagrams.sweeps.spec import SweepSpec
from phase_diagrams.sweeps.starts import register_start
from phase_diagrams.sweeps.systems import Field, FinalState, Measure, System
from phase_diagrams.toy.engine import numba_engine
from phase_diagrams.toy.published_starts import (
    figure6_start,
    figure6c_start,
    released_start,
    s3_start,
)
from phase_diagrams.toy.scaling import Collapse, ScaledRun, TimeError, collapse
from phase_diagrams.toy.starts import random_start
from phase_diagrams.toy.system import register_toy

register_toy()

__all__ = [
    "Advice",
    "Axis",
    "Boundary",
    "BoundaryShift",
    "Cell",
    "Collapse",
    "Comparison",
    "Engine",
    "Field",
    "FinalState",
    "IdealAccuracies",
    "KeptRuns",
    "Majority",
    "Measure",
    "Origin",
    "Phase",
    "PhaseDiagram",
    "Pictures",
    "Prediction",
    "Probability",
    "RunSummary",
    "ScaledRun",
    "SeedEffects",
    "Setting",
    "Source",
    "StepAgreement",
    "Store",
    "StoreError",
    "StoredRun",
    "SweepSpec",
    "System",
    "TimeError",
    "Trained",
    "advise",
    "classify",
    "collapse",
    "compare",
    "figure6_start",
    "figure6c_start",
    "load",
    "measure_doubtful",
    "numba_engine",
    "predict",
    "preset",
    "preset_names",
    "random_start",
    "refine",
    "register_preset",
    "register_start",
    "register_system",
    "register_trainer",
    "released_start",
    "rescale",
    "s3_start",
    "sweep",
]

if TYPE_CHECKING:
    from phase_diagrams.pictures.door import Pictures

    __version__: str
else:

    def __getattr__(name: str) -> object:
        """Ask for the version where it is wanted, and load Matplotlib for pictures only."""
        if name == "Pictures":
            from phase_diagrams.pictures.door import Pictures

            return Pictures
        if name == "__version__":
            from effective_theory.installation import project_version

            return project_version()
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
