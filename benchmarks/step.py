"""One training step on one core: ours, JAX's, lean PyTorch's and the machine's.

    python benchmarks/step.py [--width 200] [--loss mse] [--repeats 15]

45 x 1-width-width-30 (19 logits for cross-entropy), full batch. All sides make one forward pass of
all 55 samples, the loss of the 45, both accuracies and one AdamW update with two groups. RQI is
measured by the simulator alone, at every update. The floor is the same arithmetic (backward for
training samples only, nothing for tanh and AdamW) at the core's measured rate.
"""

import argparse
from collections.abc import Callable

from jax_step import jax_scan
from machine import describe_machine, flop, interleaved_medians, pin_to_one_core
from peak import FLOP_A_CALL, multiply_and_add
from pytorch_step import lean_pytorch

from effective_theory import Addition, Dataset, InitialState, ToyModel, train

UPDATES = 500


def simulator(model: ToyModel, dataset: Dataset, state: InitialState) -> Callable[[], int]:
    """Return a function that makes UPDATES updates with the simulator."""
    return lambda: train(model, dataset, state).steps_run


def main() -> None:
    """Print all times and their ratios to JAX."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, default=200)
    parser.add_argument("--loss", choices=["mse", "cross_entropy"], default="mse")
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    core = pin_to_one_core()
    model = ToyModel(width=options.width, loss=options.loss, steps=UPDATES, stop_when="never")
    dataset = Dataset.split(Addition(10), 45, rng=5)
    state = InitialState.random(model, dataset.operation, rng=0)
    sides = {
        "simulator": simulator(model, dataset, state),
        "JAX scan": jax_scan(model, dataset, state, UPDATES),
        "lean PyTorch": lean_pytorch(model, dataset, state, UPDATES),
        "floor": multiply_and_add,
    }
    medians = interleaved_medians(sides, options.repeats)
    peak = FLOP_A_CALL / medians["floor"]
    medians["floor"] = flop(model, dataset) / peak
    print(f"{describe_machine()}; core {core}; median of {options.repeats} x {UPDATES} updates")
    print(f"width {model.width}, {model.loss}; core's peak {peak / 1e9:.0f} GFLOP/s")
    for name, seconds in medians.items():
        print(f"{name:14} {seconds * 1e6:7.1f} us a step, {seconds / medians['JAX scan']:5.2f}")


if __name__ == "__main__":
    main()
