"""The effective theory of grokking and the toy model that it describes."""

from effective_theory.checks import InputError
from effective_theory.parallelograms import gram_matrix, ideal_accuracy
from effective_theory.representation import rqi, standardise
from effective_theory.tasks import Addition, Dataset, ModularAddition, Task
from effective_theory.toy_model import InitialState, ToyModel
from effective_theory.training import History, TrainingRun, train

__all__ = [
    "Addition",
    "Dataset",
    "History",
    "InitialState",
    "InputError",
    "ModularAddition",
    "Task",
    "ToyModel",
    "TrainingRun",
    "gram_matrix",
    "ideal_accuracy",
    "rqi",
    "standardise",
    "train",
]
