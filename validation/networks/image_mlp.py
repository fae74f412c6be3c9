"""The MLP on images of Liu et al. and Omnigrok: the last layer is the decoder."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from effective_theory import InputError, Task
from effective_theory.checks import integer, of_type
from validation.data.images import ImageTask
from validation.networks.network import Network


class ImageMLP(Network):
    """ReLU layers and a linear last one on grey values; weights begin as torch.nn.Linear does.

    The last layer is the decoder (Liu et al. 2022, section 4.3; Omnigrok).

    Parameters
    ----------
    pixels, classes
        Numbers of inputs and outputs.
    width
        Units of each hidden layer.
    layers
        Number of hidden layers, which make the representation.

    Raises
    ------
    InputError
        If a number is no positive integer.
    """

    def __init__(self, pixels: int, classes: int, *, width: int = 200, layers: int = 2) -> None:
        super().__init__(classes)
        width, sizes = integer("width", width, 1), [integer("pixels", pixels, 1)]
        self.hidden = nn.ModuleList()
        for _ in range(integer("layers", layers, 1)):
            self.hidden.append(nn.Linear(sizes[-1], width))
            sizes.append(width)
        self.last = nn.Linear(width, classes)

    def inputs_of(self, task: Task) -> Tensor:
        """Return the grey values of all images, shape (N, pixels).

        Raises
        ------
        InputError
            If the task is none of images, or has other numbers of pixels or labels.
        """
        images = of_type("task", task, ImageTask, "images such as Digits()").images  # type: ignore[type-abstract]
        if images.shape[1] != self.hidden[0].in_features or task.classes != self.classes:
            raise InputError(
                f"network has {self.hidden[0].in_features} inputs and {self.classes} classes, the "
                f"images {images.shape[1]} pixels and {task.classes}."
            )
        return torch.tensor(images)

    def representation(self, inputs: Tensor) -> Tensor:
        """Return what the last layer reads, shape (n, width)."""
        values = inputs
        for layer in self.hidden:
            values = layer(values).relu()
        return values

    def forward(self, inputs: Tensor) -> Tensor:
        """Return outputs (n, classes) of images (n, pixels)."""
        outputs: Tensor = self.last(self.representation(inputs))
        return outputs

    @property
    def state(self) -> Tensor:
        """The weights of the last layer, shape (classes, width)."""
        return self.last.weight

    def representation_parameters(self) -> Iterator[nn.Parameter]:
        """Yield the weights and biases of the hidden layers."""
        yield from self.hidden.parameters()
