"""The toy model's random start."""

from effective_theory import BinaryOperation, Dataset, InitialState, InputError, ToyModel
from effective_theory.checks import of_type, shown
from phase_diagrams.sweeps.seeds import Seed
from phase_diagrams.sweeps.starts import drawn_split, stream


def random_start(
    model: ToyModel, task: BinaryOperation, train_size: int, seed: Seed
) -> tuple[Dataset, InitialState]:
    """Draw a split and a random start; the distributions are those of `InitialState.random`.

    Split and targets follow the first seed, embeddings, decoder and minibatches the second.
    Training sets of different sizes are nested, and scales multiply the same draw.

    Parameters
    ----------
    model, task, train_size
        Settings, task and number of training samples.
    seed
        Pair of the seeds of the split and of the initialisation.

    Returns
    -------
    tuple
        The Dataset and the InitialState.

    Raises
    ------
    InputError
        If an argument is wrong, or a seed or ``train_size`` is out of range.
    """
    dataset = random_split(model, task, train_size, seed)
    split, initialisation = seed
    state = InitialState.draw(
        model,
        task,
        embeddings=stream("embeddings", initialisation),
        decoder=stream("decoder", initialisation),
        targets=stream("targets", split),
        batches=stream("batches", initialisation),
    )
    return dataset, state


def random_split(model: ToyModel, task: BinaryOperation, train_size: int, seed: Seed) -> Dataset:
    """Draw the split of `random_start`, without the start."""
    of_type("model", model, ToyModel, "a ToyModel")
    if not isinstance(task, BinaryOperation):
        raise InputError(f"task must be a task such as Addition(10), not {shown(task)}.")
    return drawn_split(task, train_size, seed)
