"""What all networks share: samples of a task go in, logits come out."""

from collections.abc import Iterator

from torch import Tensor, nn

from effective_theory import Task
from effective_theory.checks import integer


class Network(nn.Module):
    """A network that classifies the samples of a task.

    Parameters
    ----------
    classes
        Number of labels.

    Raises
    ------
    InputError
        If classes is no positive integer.
    """

    #: Whether `folded` is more than the plain forward pass.
    has_fold = False

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes = integer("classes", classes, 1)

    def inputs_of(self, task: Task) -> Tensor:
        """Return the inputs of all samples, along the first axis.

        Raises
        ------
        InputError
            If the task is not one for this network.
        """
        raise NotImplementedError

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits (n, classes) of n inputs."""
        raise NotImplementedError

    def folded(self, inputs: Tensor) -> Tensor:
        """Return the same logits with less arithmetic, where there is such a way.

        It computes what does not depend on a whole sample once for each of its parts; the function
        is the same exactly, its rounding another. Not with dropout, which draws for each sample.
        """
        return self.forward(inputs)

    @property
    def state(self) -> Tensor:
        """What sweeps keep of the network at a run's end, a table of numbers."""
        raise NotImplementedError

    @property
    def uses_dropout(self) -> bool:
        """Whether forward draws random numbers in training."""
        return any(isinstance(m, nn.Dropout) and m.p > 0 for m in self.modules())

    def representation_parameters(self) -> Iterator[nn.Parameter]:
        """Yield what makes the representation, which may have rates of its own."""
        raise NotImplementedError

    def decoder_parameters(self) -> Iterator[nn.Parameter]:
        """Yield all other parameters."""
        apart = {id(parameter) for parameter in self.representation_parameters()}
        yield from (p for p in self.parameters() if id(p) not in apart)
