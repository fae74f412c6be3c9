"""What a decoder's outputs predict where they are compared with targets."""

from torch import Tensor


def nearest(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the place of each output's nearest target in L2, (..., samples).

    Outputs are (..., samples, o), targets Y (..., classes, o). The nearest has the largest
    Y.out - |Y|^2 / 2. In float32 that would cancel where targets lie far from the origin, and
    |out - Y|^2 where outputs are large: hence float64, from the targets' centre.
    """
    centre = targets.double().mean(dim=-2, keepdim=True)
    centred = targets.double() - centre
    products = (outputs.double() - centre) @ centred.mT
    return (products - 0.5 * centred.square().sum(dim=-1)[..., None, :]).argmax(dim=-1)
