"""The Fourier solutions: exact sums, margins, and where they are KKT directions."""

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra [validation]")

from effective_theory import InputError, ModularOperation  # noqa: E402
from validation.kernel_regime.construction import fourier_solution  # noqa: E402
from validation.networks.quadratic_network import QuadraticNetwork  # noqa: E402

#: Options, width as a multiple of p and more, what the logits have lost, l_inf norm.
KINDS: list[tuple[dict[str, bool], tuple[int, int], float, float]] = [
    ({}, (8, 0), 0, 1.0),
    ({"half": True}, (4, 4), 0, 2.0),
    ({"half": True, "balanced": True}, (4, 4), 0, 2 ** (1 / 3)),
    ({"constant": False}, (8, -8), -4, 1.0),
    ({"constant": False, "half": True, "balanced": True}, (4, -4), -4, 2 ** (1 / 3)),
]


@pytest.mark.parametrize("p", [5, 7, 11, 23])
@pytest.mark.parametrize(("options", "width", "offset", "largest"), KINDS)
def test_the_logits_are_those_of_addition(
    p: int, options: dict[str, bool], width: tuple[int, int], offset: float, largest: float
) -> None:
    solution, task = fourier_solution(p, **options), ModularOperation("x+y", p)
    right = np.eye(p)[task.labels]
    logits = solution.logits(np.asarray(task.pairs))
    np.testing.assert_allclose(logits, 4 * p * right + offset, atol=1e-10)
    margins = logits[right == 1] - np.where(right == 1, -np.inf, logits).max(axis=1)
    np.testing.assert_allclose(margins, 4 * p, atol=1e-10)
    assert solution.second.shape == (p, width[0] * p + width[1])
    assert solution.first.shape == (width[0] * p + width[1], 2 * p)
    assert solution.largest_entry == pytest.approx(largest, abs=1e-12)
    # The module computes the same, by its product and by its fold.
    network = QuadraticNetwork(p, p, width=solution.first.shape[0]).double()
    network.set_weights(torch.tensor(solution.first), torch.tensor(solution.second))
    pairs = torch.tensor(task.pairs)
    for found in (network(pairs), network.folded(pairs)):
        np.testing.assert_allclose(found.detach().numpy(), logits, atol=1e-10)


@pytest.mark.parametrize("p", [5, 7, 11, 23])
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, lambda p: np.sqrt(1 - 1 / p)),
        ({"constant": False}, lambda p: 1.0),
        ({"constant": False, "half": True, "balanced": True}, lambda p: 1.0),
    ],
)
def test_with_all_pairs_some_are_parallel_to_the_gradient(
    p: int, options: dict[str, bool], expected: Any
) -> None:
    """As the solution grows, each wrong class has the same residual: the limit of the direction."""
    solution, task = fourier_solution(p, **options), ModularOperation("x+y", p)
    network = QuadraticNetwork(p, p, width=solution.first.shape[0]).double()
    network.set_weights(torch.tensor(solution.first), torch.tensor(solution.second))
    logits = network(torch.tensor(task.pairs))
    logits.backward(torch.tensor(1 - p * np.eye(p)[task.labels]))
    gradient = np.concatenate([w.grad.numpy().ravel() for w in network.parameters()])
    parameters = solution.parameters
    cosine = -parameters @ gradient / np.linalg.norm(parameters) / np.linalg.norm(gradient)
    assert cosine == pytest.approx(expected(p), abs=1e-10)


def test_an_even_p_has_no_half_construction() -> None:
    np.testing.assert_allclose(
        fourier_solution(6).logits(np.array([[2, 5]]))[0], 24 * np.eye(6)[1], atol=1e-12
    )
    with pytest.raises(InputError, match="half needs an odd p, not 6"):
        fourier_solution(6, half=True)
