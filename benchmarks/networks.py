"""Time updates of networks on pairs: plain, folded, folded and compiled.

Whole updates, AdamW included, on one core at the sizes of the papers: forward and backward pass of
the training samples, float32. Then what bounds the folded update: how much arithmetic it has, how
much of its time that takes. `python benchmarks/networks.py [--repeats 15]`
"""

import argparse
from collections.abc import Callable
from functools import partial

import torch
from machine import describe_machine, interleaved_medians, pin_to_one_core
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from effective_theory import Dataset, ModularOperation
from validation.networks.liu_transformer import LiuTransformer
from validation.networks.one_layer_transformer import OneLayerTransformer
from validation.networks.pair_network import PairNetwork
from validation.networks.power_transformer import PowerTransformer
from validation.training.loop import begun
from validation.training.optimisation import Optimisation
from validation.training.updates import Updates

#: Network, p, training fraction and batch size.
CASES: dict[str, tuple[type[PairNetwork], int, float, int | None]] = {
    "one layer, p = 97, alpha .3": (OneLayerTransformer, 97, 0.3, None),
    "Power, p = 97, batch of 512": (PowerTransformer, 97, 0.5, 512),
    "Liu, p = 53, 80 %": (LiuTransformer, 53, 0.8, None),
}
#: PyTorch's names of matrix products.
PRODUCTS = ("aten::mm", "aten::addmm", "aten::bmm", "aten::baddbmm")


def updating(
    network: PairNetwork, forward: Callable[[torch.Tensor], torch.Tensor], data: Dataset, size: int
) -> Callable[[], int]:
    """Return a function that makes one update."""
    updates, chosen = Updates(network, Optimisation(weight_decay=1.0)), data.train[:size]
    pairs = torch.tensor(data.operation.pairs[chosen])
    labels = torch.tensor(data.task.labels[chosen])

    def update() -> int:
        updates.step(0, lambda: torch.nn.functional.cross_entropy(forward(pairs), labels), None)
        return 1

    return update


def flop(update: Callable[[], int]) -> int:
    """Return the multiplications and additions of one update's matrix products."""
    with FlopCounterMode(display=False) as counter:
        update()
    return int(counter.get_total_flops())


def share_of_products(update: Callable[[], int], repeats: int) -> float:
    """Return the share of an update's time that its matrix products take."""
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        for _ in range(repeats):
            update()
    times = {each.key: each.self_cpu_time_total for each in profiled.key_averages()}
    return float(sum(times.get(name, 0) for name in PRODUCTS) / sum(times.values()))


def main() -> None:
    """Print two lines for each network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=15)
    repeats = parser.parse_args().repeats
    torch.set_num_threads(1)
    print(f"{describe_machine()}; core {pin_to_one_core()}; medians of {repeats} updates")
    print(f"{'':28} {'plain':>9} {'folded':>9} {'ratio':>6} {'compiled':>9} {'ratio':>6}")
    for name, (kind, p, share, batch) in CASES.items():
        task = ModularOperation("x+y", p)
        data = Dataset.split(task, round(share * task.size), rng=0)
        networks = [begun(partial(kind, p, p), 0) for _ in range(3)]
        passes = [networks[0].forward, networks[1].folded, torch.compile(networks[2].folded)]
        sides = {
            str(side): updating(network, forward, data, batch or data.train_size)
            for side, (network, forward) in enumerate(zip(networks, passes, strict=True))
        }
        for update in sides.values():
            for _ in range(3):  # the first compiles
                update()
        plain, folded, compiled = (
            1e3 * seconds for seconds in interleaved_medians(sides, repeats).values()
        )
        print(
            f"{name:28} {plain:6.1f} ms {folded:6.1f} ms {folded / plain:6.2f} {compiled:6.1f} ms "
            f"{compiled / plain:6.2f}"
        )
        operations, fewer = (flop(sides[side]) / 1e9 for side in ("0", "1"))
        share = share_of_products(sides["1"], repeats)
        print(
            f"{'':4}{operations:.1f} GFLOP plain, {fewer:.1f} folded, whose products take "
            f"{share:.0%} of its time, at {1e3 * fewer / (share * folded):.0f} GFLOP/s",
            flush=True,
        )


if __name__ == "__main__":
    main()
