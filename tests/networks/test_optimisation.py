"""Each published setting beside a plain loop with torch's own optimisers."""

import dataclasses
import decimal
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra [validation]")

from effective_theory import Dataset, InputError, ModularOperation  # noqa: E402
from validation.networks.concat_network import ConcatNetwork  # noqa: E402
from validation.networks.pair_network import PairNetwork  # noqa: E402
from validation.training.loop import _stream, begun, train_network  # noqa: E402
from validation.training.losses import exact_tail_loss, objective  # noqa: E402
from validation.training.optimisation import (  # noqa: E402
    Optimisation,
    power_batch_size,
    published_optimisations,
)
from validation.training.plan import Plan  # noqa: E402
from validation.training.steepest_descent import NormalisedDescent  # noqa: E402
from validation.training.updates import Updates  # noqa: E402

TASK = ModularOperation("x+y", 11)
DATASET = Dataset.split(TASK, 60, rng=0)
SETTINGS = {
    **published_optimisations(DATASET.train_size),
    "apart": Optimisation("adamw", 1e-2, 0.5, embedding_lr=1e-3, embedding_weight_decay=0.0),
    "sgd": Optimisation("sgd", 0.1, 1e-3, momentum=0.9, warm_up=5),
}


def network() -> PairNetwork:
    return begun(lambda: ConcatNetwork(11, 11, dimension=8, width=16), 3).double()


def plain_updates(chosen: Optimisation, seed: int, updates: int) -> list["torch.Tensor"]:
    """The weights after some updates of a loop that is written out."""
    net = network()
    own = [net.embedding.weight]
    rest = [w for name, w in net.named_parameters() if name != "embedding.weight"]
    lr = chosen.embedding_lr if chosen.embedding_lr is not None else chosen.lr
    decay = chosen.embedding_weight_decay
    groups: list[dict[str, Any]] = [
        {"params": rest},
        {"params": own, "lr": lr, "weight_decay": chosen.weight_decay if decay is None else decay},
    ]
    if chosen.optimiser == "sgd":
        optimiser: Any = torch.optim.SGD(
            groups, lr=chosen.lr, momentum=chosen.momentum, weight_decay=chosen.weight_decay
        )
    else:
        kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[chosen.optimiser]
        optimiser = kind(
            groups, lr=chosen.lr, weight_decay=chosen.weight_decay, betas=(0.9, 0.98), fused=False
        )
    rates = [group["lr"] for group in optimiser.param_groups]
    pairs, labels = torch.tensor(TASK.pairs), torch.tensor(TASK.labels)
    train = DATASET.train
    size = chosen.batch_size or len(train)
    batches: list[np.ndarray] = []
    for number in range(updates):
        if not batches:
            epoch = number // -(-len(train) // size)
            order = np.arange(len(train))
            if chosen.batch_size is not None:
                order = _stream(seed, "batches", epoch).permutation(len(train))
            batches = [train[order[k : k + size]] for k in range(0, len(train), size)]
        batch = torch.from_numpy(batches.pop(0))
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * (min(1, (number + 1) / chosen.warm_up) if chosen.warm_up else 1)
        draws = torch.Generator().manual_seed(int(_stream(seed, "noise", number).integers(2**62)))
        clean = [w.detach().clone() for w in net.parameters()]
        for w in net.parameters():
            if chosen.weight_noise:
                noise = torch.randn(w.shape, generator=draws, dtype=w.dtype)
                w.data += chosen.weight_noise * noise
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(net(pairs[batch]), labels[batch]).backward()
        for w, before in zip(net.parameters(), clean, strict=True):
            w.data = before
        optimiser.step()
        for group in optimiser.param_groups if chosen.update_noise else ():
            for w in group["params"]:
                noise = torch.randn(w.shape, generator=draws, dtype=w.dtype)
                w.data -= group["lr"] * chosen.update_noise * noise
    return [w.detach().clone() for w in net.parameters()]


@pytest.mark.parametrize("name", SETTINGS)
def test_each_setting_is_that_of_a_plain_loop(name: str) -> None:
    chosen = SETTINGS[name]
    plan = Plan(20, evaluate_every=7, fold=False)
    run = train_network(network(), DATASET, chosen, plan, seed=5)
    for found, expected in zip(run.network.parameters(), plain_updates(chosen, 5, 20), strict=True):
        torch.testing.assert_close(found.detach(), expected, rtol=1e-9, atol=1e-12)


def test_an_orthogonal_gradient_has_no_part_along_the_weights_and_its_length() -> None:
    net = network()
    chosen = Optimisation("sgd", 0.1, orthogonal_gradient=True)
    plain = network()
    pairs, labels = torch.tensor(TASK.pairs), torch.tensor(TASK.labels)
    loss = torch.nn.functional.cross_entropy
    loss(plain(pairs), labels).backward()
    before = [w.detach().clone() for w in net.parameters()]
    Updates(net, chosen).step(0, lambda: loss(net(pairs), labels), None)
    for w, was, other in zip(net.parameters(), before, plain.parameters(), strict=True):
        moved = (was - w.detach()) / 0.1
        assert other.grad is not None
        assert float(moved.norm()) == pytest.approx(float(other.grad.norm()), rel=1e-9)
        cosine = (moved * was).sum() / (moved.norm() * was.norm())
        assert abs(float(cosine)) < 1e-10


@pytest.mark.parametrize("kind", ["normalised_gd", "sign"])
def test_steepest_descent_is_what_its_norm_makes_it(kind: str) -> None:
    """Beside formulas on one vector of all weights."""
    chosen = Optimisation(kind, 0.01, 0.5, l_inf_penalty=0.3)  # type: ignore[arg-type]
    run = train_network(network(), DATASET, chosen, Plan(15, fold=False), seed=0)
    plain = network()
    pairs, labels = torch.tensor(TASK.pairs), torch.tensor(TASK.labels)
    train = torch.tensor(DATASET.train)
    weights = torch.nn.utils.parameters_to_vector(plain.parameters()).detach()
    for _ in range(15):
        torch.nn.utils.vector_to_parameters(weights, plain.parameters())
        plain.zero_grad()
        torch.nn.functional.cross_entropy(plain(pairs[train]), labels[train]).backward()
        gradient = torch.cat([w.grad.flatten() for w in plain.parameters()])
        largest = int(weights.abs().argmax())
        gradient[largest] += 0.3 * weights[largest].sign()
        step = gradient.sign() if kind == "sign" else gradient / gradient.norm()
        weights = (1 - 0.01 * 0.5) * weights - 0.01 * step
    found = torch.nn.utils.parameters_to_vector(run.network.parameters())
    torch.testing.assert_close(found.detach(), weights, rtol=1e-9, atol=1e-12)


def test_a_gradient_of_nothing_is_no_step_and_a_tiny_one_a_whole_step() -> None:
    for size, moved in ((0.0, 0.0), (1e-300, 0.1)):
        w = torch.nn.Parameter(torch.zeros(4, dtype=torch.float64))
        w.grad = torch.full((4,), size, dtype=torch.float64)
        NormalisedDescent([w], lr=0.1).step()
        assert float(w.detach().norm()) == pytest.approx(moved, rel=1e-12)


def residuals(logits: list[list[float]], labels: list[int]) -> np.ndarray:
    """Derivatives of the summed cross-entropy over the largest one, with 400 digits."""
    found = []
    with decimal.localcontext(decimal.Context(prec=400)):
        for row, label in zip(logits, labels, strict=True):
            powers = [decimal.Decimal(value).exp() for value in row]
            shares = [power / sum(powers) for power in powers]
            found.append([s - (c == label) for c, s in enumerate(shares)])
        wrong = max(
            s for row, y in zip(found, labels, strict=True) for c, s in enumerate(row) if c != y
        )
        return np.array([[float(s / wrong) for s in row] for row in found])


@pytest.mark.parametrize("scale", [1.0, 30.0, 900.0])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_exact_tail_has_the_direction_at_any_loss(scale: float, dtype: str) -> None:
    values, labels = np.array([[2.0, 0.5, -1.0], [0.0, 0.25, 1.0], [1.0, 1.5, 0.0]]), [0, 2, 1]
    logits = torch.tensor(scale * values, dtype=getattr(torch, dtype), requires_grad=True)
    value, log_scale = exact_tail_loss(logits, torch.tensor(labels))
    value.backward()
    expected = residuals((scale * values).tolist(), labels) / len(labels)
    assert logits.grad is not None
    tolerance = 1e-12 if dtype == "float64" else 1e-4
    np.testing.assert_allclose(logits.grad.numpy(), expected, rtol=tolerance, atol=1e-30)
    if scale == 900:
        # What it is there for: the naive gradient has nothing left of samples with a margin.
        plain = logits.detach().clone().requires_grad_()
        torch.nn.functional.cross_entropy(plain, torch.tensor(labels)).backward()
        assert plain.grad is not None and not plain.grad[0].any() and expected[2].any()
    if scale == 1:
        plain = logits.detach().clone().requires_grad_()
        torch.nn.functional.cross_entropy(plain, torch.tensor(labels)).backward()
        scaled = plain.grad / torch.exp(log_scale)
        torch.testing.assert_close(logits.grad, scaled, rtol=10 * tolerance, atol=1e-5)


@pytest.mark.parametrize("scale", [1.0, 900.0])
def test_penalty_and_exact_tail_keep_their_proportion(scale: float) -> None:
    """Where the loss has gone, the penalty is all that is left of the gradient."""
    w = torch.tensor([[2.0, 0.5, -1.0], [0.0, 0.25, 1.0]], dtype=torch.float64)
    labels = torch.tensor([0, 2])
    found, plain = (w.clone().requires_grad_() for _ in range(2))
    objective(scale * found, labels, [found], exact_tail=True, l_inf_penalty=1e-3).backward()
    objective(scale * plain, labels, [plain], l_inf_penalty=1e-3).backward()
    assert found.grad is not None and plain.grad is not None
    direction, expected = (each / each.norm() for each in (found.grad, plain.grad))
    torch.testing.assert_close(direction, expected, rtol=1e-9, atol=1e-12)


def test_there_are_eight_published_settings() -> None:
    assert len(published_optimisations(4704)) == 8
    assert power_batch_size(4704) == 512 and power_batch_size(301) == 151
    assert published_optimisations(4704)["adamw"].weight_decay == 1.0
    assert published_optimisations(4704)["adam-full-batch-noise"].batch_size is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"optimiser": "lion"}, "optimiser must be one of"),
        ({"lr": -1.0}, "lr must"),
        ({"weight_decay": float("nan")}, "weight_decay must"),
        ({"embedding_lr": "fast"}, "embedding_lr must"),
        ({"betas": (0.9,)}, "betas must be a pair"),
        ({"betas": (0.9, 1.0)}, "betas must be below 1"),
        ({"batch_size": 0}, "batch_size must"),
        ({"warm_up": -1}, "warm_up must"),
        ({"l_inf_penalty": -1.0}, "l_inf_penalty must"),
        ({"exact_tail": 1}, "exact_tail must be True or False"),
        ({"exact_tail": True, "optimiser": "sgd"}, "exact_tail keeps the gradient's direction"),
        (
            {"exact_tail": True, "optimiser": "adam", "weight_decay": 0.1},
            "optimiser adam adds weight_decay to the gradient",
        ),
        (
            {"exact_tail": True, "optimiser": "adam", "embedding_weight_decay": 0.1},
            "optimiser adam adds weight_decay to the gradient",
        ),
        ({"orthogonal_gradient": "yes"}, "orthogonal_gradient must be True or False"),
    ],
)
def test_what_is_no_setting_is_named(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        dataclasses.replace(Optimisation(), **fields)
