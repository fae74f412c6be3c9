"""The effective theory of grokking and the toy model that it describes."""

from typing import TYPE_CHECKING

from effective_theory.checks import InputError
from effective_theory.class_dynamics import (
    class_effective_flow,
    class_effective_loss,
    class_effective_trajectory,
)
from effective_theory.critical_size.curve import (
    CriticalFraction,
    UniqueLineCurve,
    critical_fraction,
    unique_line_curve,
)
from effective_theory.critical_size.growth import (
    ScalingFit,
    fit_critical_size,
    isolated_symbol_estimate,
)
from effective_theory.critical_size.sizes import critical_training_sizes, unique_line_probability
from effective_theory.dataset import Dataset
from effective_theory.dynamics import (
    ConservedQuantities,
    conserved_quantities,
    effective_flow,
    effective_loss,
    effective_trajectory,
)
from effective_theory.history import History
from effective_theory.mirrors import is_commutative, strict_test
from effective_theory.operations import ModularOperation, PermutationOperation
from effective_theory.outcome import TrainingRun
from effective_theory.parallelograms import (
    count_parallelograms,
    degrees_of_freedom,
    gram_matrix,
    ideal_accuracy,
    is_implied,
    null_space,
)
from effective_theory.race import decoder_slope, label_spread, line_distance, race_ratio
from effective_theory.reduced_race import reduced_race_ratio
from effective_theory.representation import predicted_accuracy, rqi, standardise
from effective_theory.task import BinaryOperation, Task
from effective_theory.task_registry import register_task
from effective_theory.tasks import Addition, FiniteGroup, ModularAddition, permutation_group
from effective_theory.timescales import grokking_rate, grokking_steps, grokking_time
from effective_theory.toy_model import InitialState, ToyModel
from effective_theory.training import train

__all__ = [
    "Addition",
    "BinaryOperation",
    "ConservedQuantities",
    "CriticalFraction",
    "Dataset",
    "FiniteGroup",
    "History",
    "InitialState",
    "InputError",
    "ModularAddition",
    "ModularOperation",
    "PermutationOperation",
    "is_commutative",
    "strict_test",
    "ScalingFit",
    "Task",
    "ToyModel",
    "TrainingRun",
    "UniqueLineCurve",
    "conserved_quantities",
    "count_parallelograms",
    "critical_fraction",
    "critical_training_sizes",
    "decoder_slope",
    "degrees_of_freedom",
    "effective_flow",
    "effective_loss",
    "class_effective_flow",
    "class_effective_loss",
    "class_effective_trajectory",
    "effective_trajectory",
    "fit_critical_size",
    "gram_matrix",
    "grokking_rate",
    "grokking_steps",
    "grokking_time",
    "ideal_accuracy",
    "is_implied",
    "isolated_symbol_estimate",
    "label_spread",
    "line_distance",
    "null_space",
    "permutation_group",
    "predicted_accuracy",
    "register_task",
    "race_ratio",
    "reduced_race_ratio",
    "rqi",
    "standardise",
    "train",
    "unique_line_curve",
    "unique_line_probability",
]

if TYPE_CHECKING:
    __version__: str
else:

    def __getattr__(name: str) -> str:
        """Ask for the version where it is wanted."""
        if name == "__version__":
            from effective_theory.installation import project_version

            return project_version()
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
