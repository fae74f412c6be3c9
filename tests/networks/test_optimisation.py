"""Each published setting beside a plain loop with torch's own optimisers."""

import dataclasses
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra [validation]")

from effective_theory import Dataset, InputError, ModularOperation  # noqa: E402
from validation.networks.concat_network import ConcatNetwork  # noqa: E402
from validation.networks.pair_network import PairNetwork  # noqa: E402
from validation.training.loop import _stream, begun, train_network  # noqa: E402
from validation.training.optimisation import (  # noqa: E402
    Optimisation,
    power_batch_size,
    published_optimisations,
)
from validation.training.plan import Plan  # noqa: E402
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
        ({"orthogonal_gradient": "yes"}, "orthogonal_gradient must be True or False"),
    ],
)
def test_what_is_no_setting_is_named(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        dataclasses.replace(Optimisation(), **fields)
